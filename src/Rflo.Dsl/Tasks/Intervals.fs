namespace Rflo.Dsl

open System
open Rflo.Core

/// Interval matching in steps.
[<RequireQualifiedAccess>]
module internal Intervals =

    let private delays (task: ReadySetGo) =
        match task.Delays with
        | DrawnBetween(shortest, longest) -> [ shortest; longest ]
        | InTurn delays -> delays

    let private finite field (value: float) = [
        if not (Double.IsFinite value) then
            NotAllowed(field, string value, "finite")
    ]

    /// What is wrong with its parameters.
    let faults (dt: float<ms> option) (task: ReadySetGo) = [
        yield! Steps.faults "the time of the first pulse" dt task.FirstPulse
        yield! Steps.faults "the time after the latest peak" dt task.Tail

        for delay in List.distinct (delays task) do
            yield! Steps.faults "a delay" dt delay

        match task.Delays with
        | DrawnBetween(shortest, longest) when shortest > longest ->
            NotAllowed(
                "the shortest delay",
                $"{string (float shortest)} ms",
                $"at most the longest, {string (float longest)} ms"
            )
        | InTurn [] -> NotAllowed("the number of delays", "0", "at least 1")
        | _ -> ()

        if not (task.Width > 0.0<ms>) || not (Double.IsFinite(float task.Width)) then
            NotAllowed(
                "the width of the pulses",
                $"{string (float task.Width)} ms",
                "finite and more than 0 ms"
            )

        yield! finite "the amplitude" task.Amplitude
        yield! finite "the amplitude of the target" task.TargetAmplitude
    ]

    /// The task of the core, for parameters without faults.
    let compile dt (task: ReadySetGo) : ITask =
        let steps duration = (Steps.ofTime dt duration).Value

        ReadySetGoTask(
            ReadySetGoSpec(
                FirstPulse = steps task.FirstPulse,
                Delays = [| for delay in delays task -> steps delay |],
                InTurn = task.Delays.IsInTurn,
                Width = task.Width / dt,
                Amplitude = task.Amplitude,
                TargetAmplitude = task.TargetAmplitude,
                Tail = steps task.Tail,
                Channels = (if task.OwnChannels then 2 else 1)
            )
        )

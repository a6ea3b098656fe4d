namespace Rflo.Dsl

open System
open Rflo.Core

/// Compilation of a script's closed-loop tasks to tasks of the core.
[<RequireQualifiedAccess>]
module internal ClosedLoops =

    let private length field (given: float[]) expected because = [
        if given.Length <> expected then
            WrongLength(field, given.Length, expected, because)
    ]

    let private numbers field place isAllowed allowed (values: float[]) = [
        match values |> Array.indexed |> Array.tryFind (isAllowed >> not) with
        | Some(k, wrong) -> NotAllowed($"{field} {k} {place}", string wrong, allowed)
        | None -> ()
    ]

    let private placeOf (now: Moment) =
        $"in step {now.Step} of trial {now.Trial}"

    /// What is wrong with a step.
    let private stepFaults inputs outputs (events: string list) place (data: Step) = [
        yield! length "the inputs of a step" data.Input inputs "one number a channel"
        yield! length "the targets of a step" data.Target outputs "one number an output"
        yield! numbers "the input of channel" place (snd >> Double.IsFinite) "finite" data.Input

        // A target that does not count may be anything, such as NaN for "no target".
        let counts k =
            (data.Mask.Length > 1 && k >= data.Mask.Length) || data.MaskOf k <> 0.0

        yield!
            numbers
                "the target of output"
                place
                (fun (k, target) -> Double.IsFinite target || not (counts k))
                "finite, or its mask 0"
                data.Target

        let isWeight (_, weight) = weight >= 0.0 && Double.IsFinite weight

        if data.Mask.Length > 1 then
            yield! length "the mask of a step" data.Mask outputs "one number an output"

        yield! numbers "the mask of output" place isWeight "finite and at least 0" data.Mask

        for event in data.Events do
            if not (List.contains event events) then
                Unknown(EventName, event, events)
    ]

    let private rewardFaults place reward = [
        if not (Double.IsFinite reward) then
            NotAllowed($"the reward {place}", string reward, "finite")
    ]

    /// Targets that their readouts' losses do not allow, where the numbers of targets and outputs agree.
    let private fitFaults (readouts: Readout list) place (data: Step) =
        if
            TargetFit.matters readouts
            && data.Target.Length =
                List.sumBy (fun (readout: Readout) -> max 0 readout.Outputs) readouts
        then
            let mask = Array.init data.Target.Length data.MaskOf

            TargetFit.ofStep (fun () -> place) readouts data.Target mask 0 |> Option.toList
        else
            []

    let private attempt what (action: unit -> Fault list) =
        try
            action ()
        with error -> [ Failed(what, error.Message) ]

    /// The faults of step 1 of trial 0, made with a circuit at rest; most faults of later steps appear there.
    let firstStep seed (events: string list) (units: int list) readouts (loop: ClosedLoop) =
        let memory = Array.copy loop.Memory
        let stream = RandomStream.OfTrial(seed, "task", 0)
        let now = Moment(loop.Outputs, List.toArray loop.Watches, List.toArray units)
        now.MoveTo(0, 1, stream)

        let beginning =
            attempt "beginning trial 0" (fun () ->
                loop.Begin 0 stream memory
                [])

        if not (List.isEmpty beginning) then
            beginning
        else
            let making =
                attempt "making step 1 of trial 0" (fun () ->
                    let data = loop.Step now memory
                    let wrong = stepFaults loop.Inputs loop.Outputs events (placeOf now) data

                    if List.isEmpty wrong then
                        fitFaults readouts (placeOf now) data
                    else
                        wrong)

            match loop.Judge with
            | Some judge when List.isEmpty making ->
                attempt "judging step 1 of trial 0" (fun () ->
                    rewardFaults (placeOf now) (judge now memory))
            | _ -> making

    let private insist faults =
        match faults with
        | first :: _ -> raise (ArgumentException(Problem.text { Part = InTask; Fault = first }))
        | [] -> ()

    let private write (events: string list) (data: Step) (now: Moment) (into: Trial) =
        insist (stepFaults into.InputChannels into.Outputs events (placeOf now) data)
        Steps.write events (now.Step - 1) data into

    /// The task of the core. Faults that appear without a run were found before.
    let compile steps (events: string list) (loop: ClosedLoop) : ITask =
        let memory = Array.copy loop.Memory
        let watches = List.toArray loop.Watches

        {
            new IClosedLoopTask with
                member _.Watches = watches
                member _.StateLength = memory.Length
                member _.SaveState state = memory.AsSpan().CopyTo state
                member _.RestoreState state = state.CopyTo(memory.AsSpan())

                member _.Before(now, trial) =
                    write events (loop.Step now memory) now trial

                member _.After(now, trial) =
                    match loop.Judge with
                    | Some judge ->
                        let reward = judge now memory
                        insist (rewardFaults (placeOf now) reward)
                        trial.Rewards[now.Step - 1] <- reward
                    | None -> ()
            interface ITask with
                member _.Inputs = loop.Inputs
                member _.Outputs = loop.Outputs
                member _.MaxSteps = steps
                member _.Events = List.length events
                member _.GivesRewards = loop.Judge.IsSome

                member _.Fill(trial, stream, into) =
                    into.Steps <- steps
                    loop.Begin trial stream memory
        }

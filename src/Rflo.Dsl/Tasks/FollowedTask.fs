namespace Rflo.Dsl

open System.Collections.Generic
open Rflo.Core

/// A task with a function that is called after each trial that it makes, or after each step of a closed loop.
[<RequireQualifiedAccess>]
module internal FollowedTask =

    /// The task with other conditions, another performance, another way to fill a trial, and a function after each step of a
    /// closed loop.
    let private changed
        (conditions: IReadOnlyList<string>)
        (isPure: bool)
        (performance: Trial -> float[] -> float)
        (fill: int -> RandomStream -> Trial -> unit)
        (afterStep: Moment -> Trial -> unit)
        (task: ITask)
        : ITask =
        match task with
        | :? IClosedLoopTask as loop -> {
            new IClosedLoopTask with
                member _.Watches = loop.Watches
                member _.StateLength = loop.StateLength
                member _.SaveState state = loop.SaveState state
                member _.RestoreState state = loop.RestoreState state
                member _.Before(now, trial) = loop.Before(now, trial)

                // A task may also write targets and its mask after a step.
                member _.After(now, trial) =
                    loop.After(now, trial)
                    afterStep now trial
            interface ITask with
                member _.Inputs = task.Inputs
                member _.Outputs = task.Outputs
                member _.MaxSteps = task.MaxSteps
                member _.Events = task.Events
                member _.GivesRewards = task.GivesRewards
                member _.Conditions = conditions
                member _.IsPerformancePure = isPure
                member _.Performance(trial, outputs) = performance trial outputs
                member _.Fill(number, stream, into) = fill number stream into
          }
        | _ -> {
            new ITask with
                member _.Inputs = task.Inputs
                member _.Outputs = task.Outputs
                member _.MaxSteps = task.MaxSteps
                member _.Events = task.Events
                member _.GivesRewards = task.GivesRewards
                member _.Conditions = conditions
                member _.IsPerformancePure = isPure
                member _.Performance(trial, outputs) = performance trial outputs
                member _.Fill(number, stream, into) = fill number stream into
          }

    /// `after trial step task`: for a closed loop, which writes its trials step by step, `step` is called after each step, with the
    /// circuit's state; for any other task `trial` is called after each trial, with its number.
    let after
        (afterTrial: int -> Trial -> unit)
        (afterStep: Moment -> Trial -> unit)
        (task: ITask)
        : ITask =
        let fill number stream (into: Trial) =
            task.Fill(number, stream, into)

            if not (task :? IClosedLoopTask) then
                afterTrial number into

        task
        |> changed
            task.Conditions
            task.IsPerformancePure
            (fun trial outputs -> task.Performance(trial, outputs))
            fill
            afterStep

    /// The task with conditions of those names, which `fill` writes with the rest of a trial, and another performance; `isPure` says whether that follows
    /// from its arguments alone.
    let described conditions isPure performance fill (task: ITask) : ITask =
        task |> changed conditions isPure performance fill (fun _ _ -> ())

namespace Rflo.Dsl

open Rflo.Core

/// A task with something done after each trial that it makes, or after each step of a closed loop.
[<RequireQualifiedAccess>]
module internal FollowedTask =

    /// `after trial step task`: a closed loop writes its trials step by step, so `step` follows each of its steps, from the circuit's
    /// moment; `trial` follows a whole trial of any other task, from its number.
    let after
        (afterTrial: int -> Trial -> unit)
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

                // A task may write targets and its mask after a step too.
                member _.After(now, trial) =
                    loop.After(now, trial)
                    afterStep now trial
            interface ITask with
                member _.Inputs = task.Inputs
                member _.Outputs = task.Outputs
                member _.MaxSteps = task.MaxSteps
                member _.Events = task.Events
                member _.GivesRewards = task.GivesRewards
                member _.Fill(number, stream, into) = task.Fill(number, stream, into)
          }
        | _ -> {
            new ITask with
                member _.Inputs = task.Inputs
                member _.Outputs = task.Outputs
                member _.MaxSteps = task.MaxSteps
                member _.Events = task.Events
                member _.GivesRewards = task.GivesRewards

                member _.Fill(number, stream, into) =
                    task.Fill(number, stream, into)
                    afterTrial number into
          }

namespace Rflo.Dsl

open System
open Rflo.Core

/// The mask of a task beside that of its trials.
[<RequireQualifiedAccess>]
module internal TaskMask =

    /// The faults of a task's mask, for trials of at most `steps` steps.
    let faults steps outputs (task: Task) = [
        match task.Mask with
        | None -> ()
        | Some mask when not (CheckValues.has steps outputs mask) ->
            WrongShape(
                "the mask",
                CheckValues.shapeOf mask,
                $"{CheckValues.shape steps outputs}, (steps of the longest trial, outputs)"
            )
        | Some mask ->
            let isWeight weight = weight >= 0.0 && Double.IsFinite weight

            match mask |> Seq.cast<float> |> Seq.tryFind (isWeight >> not) with
            | Some wrong ->
                NotAllowed("a number of the mask", string wrong, "finite and at least 0")
            | None -> ()

        match task.Mask, task.Kind with
        | Some _, Custom task when (task :? IProgressTask) ->
            Contradiction(
                "it is a task of its own that changes with what is learned, and has a mask",
                "write the mask into its trials"
            )
        | _ -> ()
    ]

    /// The task with the mask of each trial multiplied by that of the declaration.
    let applied (declared: Task) (task: ITask) : ITask =
        match declared.Mask with
        | None -> task
        | Some mask ->
            let multiply row (trial: Trial) =
                for k in 0 .. trial.Outputs - 1 do
                    let at = row * trial.Outputs + k
                    trial.Mask[at] <- trial.Mask[at] * mask[row, k]

            task
            |> FollowedTask.after
                (fun _ trial ->
                    for row in 0 .. trial.Steps - 1 do
                        multiply row trial)
                (fun now trial -> multiply (now.Step - 1) trial)

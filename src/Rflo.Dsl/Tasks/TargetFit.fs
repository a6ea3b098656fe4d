namespace Rflo.Dsl

open System
open Rflo.Core

/// Whether targets are values for which the losses of their readouts are defined. Cross-entropy needs targets in [0, 1] and, for a
/// softmax, a distribution; with other targets a run would learn something else without a message.
[<RequireQualifiedAccess>]
module internal TargetFit =

    /// The tolerance of sums of targets: above rounding errors, below the size of mistakes.
    let private rounding = 1e-6

    let private instead (readout: Readout) =
        match readout.Loss with
        | Some loss -> $"use such targets, mask the step, or take another loss than the {loss}"
        | None -> "use such targets, mask the step, or make the readout linear"

    /// What is wrong with the targets of one readout in a step; a target with a mask of 0 may be anything.
    let private ofReadout
        place
        (readout: Readout)
        (targets: ReadOnlySpan<float>)
        (mask: ReadOnlySpan<float>)
        =
        let loss = readout.LossOrNatural
        let mutable wrong = -1
        let mutable sum = 0.0
        let mutable counted = 0

        for k in 0 .. targets.Length - 1 do
            if mask[k] <> 0.0 then
                counted <- counted + 1
                sum <- sum + targets[k]

                if wrong < 0 && not (loss.Allows targets[k]) then
                    wrong <- k

        let why =
            match readout.Loss with
            | Some loss -> $"the {loss} has a meaning for no others"
            | None ->
                $"the output of {readout.Name} is {(string readout.Output).ToLowerInvariant()}"

        if wrong >= 0 then
            Some(
                NotAllowed(
                    $"the target of output {wrong} of {readout.Name} {place ()}",
                    string targets[wrong],
                    $"{loss.Targets}, since {why}; {instead readout}"
                )
            )
        elif
            readout.Output = Output.Softmax
            && loss = Loss.crossEntropy
            && counted > 0
            && (sum > 1.0 + rounding || counted = targets.Length && sum < 1.0 - rounding)
        then
            Some(
                NotAllowed(
                    $"the sum of the targets of {readout.Name} {place ()}",
                    string sum,
                    $"1, since the output of {readout.Name} is softmax: one number for each class, such as 0 1 0; {instead readout}"
                )
            )
        else
            None

    /// Whether any target can be invalid. An exception of a loss is a problem of its readout, reported there.
    let matters (readouts: Readout list) =
        try
            readouts
            |> List.exists (fun readout -> not (isNull readout.LossOrNatural.Targets))
        with _ ->
            false

    /// The first fault of one step, in which the targets of all readouts lie side by side. `place` returns the place for the message.
    let ofStep place (readouts: Readout list) (targets: float[]) (mask: float[]) row =
        let outputs = readouts |> List.sumBy _.Outputs

        let rec look at (left: Readout list) =
            match left with
            | [] -> None
            | readout :: more ->
                let found =
                    if isNull readout.LossOrNatural.Targets then
                        None
                    else
                        ofReadout
                            place
                            readout
                            (ReadOnlySpan(targets, at, readout.Outputs))
                            (ReadOnlySpan(mask, at, readout.Outputs))

                match found with
                | None -> look (at + readout.Outputs) more
                | found -> found

        look (row * outputs) readouts

    /// The first fault of a trial.
    let ofTrial number (readouts: Readout list) (trial: Trial) =
        Seq.init trial.Steps id
        |> Seq.tryPick (fun row ->
            ofStep
                (fun () -> $"in step {row + 1} of trial {number}")
                readouts
                trial.Targets
                trial.Mask
                row)

    let private insist =
        function
        | None -> ()
        | Some fault -> raise (ArgumentException(Problem.text { Part = InTask; Fault = fault }))

    /// The task with a check of every trial that it makes; a run with an invalid target fails with a message that names the place.
    let watched (readouts: Readout list) (task: ITask) : ITask =
        match task with
        | _ when not (matters readouts) -> task
        | :? IProgressTask -> task
        | _ ->
            task
            |> FollowedTask.after
                (fun number trial -> insist (ofTrial number readouts trial))
                (fun now trial ->
                    let place () =
                        $"in step {now.Step} of trial {now.Trial}"

                    insist (ofStep place readouts trial.Targets trial.Mask (now.Step - 1)))

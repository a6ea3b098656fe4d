namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Measures of a circuit's activity in a trial, in the terms of its task.
[<RequireQualifiedAccess>]
module Measure =

    /// A readout of a trial: its declaration, its outputs, and its columns of targets and mask.
    type private Chosen = {
        Readout: Readout
        Outputs: Matrix<float>
        Targets: Matrix<float>
        Mask: Matrix<float>
    }

    let private names (activity: Activity) =
        activity.Readouts |> List.map _.Name |> String.concat ", "

    let private at k (activity: Activity) =
        let readout = activity.Readouts[k]
        let first = activity.Readouts |> List.truncate k |> List.sumBy _.Outputs

        let columns (matrix: Matrix<float>) =
            matrix.SubMatrix(0, matrix.RowCount, first, readout.Outputs)

        {
            Readout = readout
            Outputs = activity.Outputs[readout.Name]
            Targets = columns activity.Targets
            Mask = columns activity.Mask
        }

    let private named readout (activity: Activity) =
        match activity.Readouts |> List.tryFindIndex (fun one -> one.Name = readout) with
        | Some k -> at k activity
        | None ->
            invalidArg
                (nameof readout)
                $"there is no readout {readout}; the circuit has {names activity}"

    /// The only readout. An exception where there are several.
    let private only word (activity: Activity) =
        match activity.Readouts with
        | [ _ ] -> at 0 activity
        | [] -> invalidArg (nameof activity) "the circuit has no readout"
        | first :: _ ->
            invalidArg
                (nameof activity)
                $"the circuit has {activity.Readouts.Length} readouts, {names activity}; name one: {word} \"{first.Name}\""

    /// `Measure.targets "hand" activity` is the targets of that readout, shape (steps, outputs).
    let targets readout (activity: Activity) = (named readout activity).Targets

    /// `Measure.mask "hand" activity` is the mask of that readout, shape (steps, outputs).
    let mask readout (activity: Activity) = (named readout activity).Mask

    let private peak first (series: Vector<float>) =
        Seq.fold (fun best t -> if series[t] > series[best] then t else best) first [
            first .. series.Count - 1
        ]

    let private intervalAt (chosen: Chosen) (task: ReadySetGo) (dt: float<ms>) =
        let first = task.FirstPulse / dt
        // Row k is step k + 1; the target peaks at t1 + 2 d.
        let asked = (float (peak 0 (chosen.Targets.Column 0) + 1) - first) / 2.0
        let second = int (round (first + asked))
        let produced = peak (second - 1) (chosen.Outputs.Column 0) + 1 - second
        asked * dt, float produced * dt

    /// `Measure.interval p dt activity` is, for a trial of ready-set-go, the delay of the target and the produced one: the
    /// time from the second pulse to the peak of the output's largest value after it. Of several readouts, name one:
    /// `Measure.intervalOf "hand"`.
    let interval task dt activity =
        intervalAt (only "Measure.intervalOf" activity) task dt

    /// `Measure.intervalOf "hand" p dt activity` is `Measure.interval` of that readout.
    let intervalOf readout task dt activity =
        intervalAt (named readout activity) task dt

    /// `Measure.path p dt start velocity` is where a velocity of shape (steps, 2) takes the cursor of a syllables task from
    /// start: one point a step, the start first.
    let path (task: Syllables) (dt: float<ms>) (start: float * float) (velocity: Matrix<float>) =
        let within =
            match task.Bounds with
            | Some(low, high) -> max low >> min high
            | None -> id

        let share = dt / task.Move

        seq { 0 .. velocity.RowCount - 1 }
        |> Seq.scan
            (fun (x, y) t ->
                within (x + share * velocity[t, 0]), within (y + share * velocity[t, 1]))
            start
        |> List.ofSeq

    /// `Measure.choices p dt rates` is which unit of a winner-take-all area, rates of shape (steps, units), ran in each
    /// syllable of a trial but the first.
    let choices (task: Syllables) (dt: float<ms>) (rates: Matrix<float>) =
        let segment = int (round ((task.Move + task.Hold) / dt))

        [
            for t in segment - 1 .. segment .. rates.RowCount - 2 -> rates.Row(t).MaximumIndex()
        ]

    let private decisionAt (chosen: Chosen) =
        Decisions.decision {
            IsLinear = chosen.Readout.Output = Output.Linear
            Outputs = chosen.Outputs
            Targets = chosen.Targets
            Mask = chosen.Mask
        }

    /// `Measure.decision activity` is, for a trial with a decision, (the output with the highest target, the chosen output). The chosen
    /// output has the largest mean over the decision period, among the outputs of the decision. The decision period is the last run of
    /// those steps that have the largest mask and targets that differ between outputs; an output that has the highest target before it,
    /// such as one of fixation, is no choice. A single output chooses 1 where its mean is above 0 (above 1/2, where the readout is a
    /// sigmoid), else 0. None where the targets define no decision. With several readouts, name one:
    /// `Measure.decisionOf "choice"`.
    let decision (activity: Activity) =
        decisionAt (only "Measure.decisionOf" activity)

    /// `Measure.decisionOf "choice" activity` is `Measure.decision` of that readout.
    let decisionOf readout (activity: Activity) = decisionAt (named readout activity)

    /// `Measure.stages task trained` is the stage, from 0, in which each trial of a run was trained by a curriculum; all 0 for
    /// any other task.
    let stages (task: Task) (trained: Trained) =
        match task.Kind with
        | Curriculum(stages, _) ->
            let again = Combined.stages stages

            let validations =
                match
                    trained.Probes.TryFind "validation loss",
                    trained.Probes.TryFind "validation performance"
                with
                | Some losses, Some performances ->
                    Map.ofSeq (
                        Seq.zip3 losses.Trials losses.Values performances.Values
                        |> Seq.map (fun (trial, loss, performance) -> trial, (loss, performance))
                    )
                | _ -> Map.empty

            Array.mapi2
                (fun trial loss reward ->
                    let stage = again.Stage
                    again.Learned(loss, reward)

                    match Map.tryFind trial validations with
                    | Some(loss, performance) -> again.Validated(loss, performance)
                    | None -> ()

                    stage)
                trained.Losses
                trained.Rewards
        | _ -> Array.zeroCreate trained.Losses.Length

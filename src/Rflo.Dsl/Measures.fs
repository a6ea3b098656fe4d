namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// What a circuit did in a trial, in the terms of its task.
[<RequireQualifiedAccess>]
module Measure =

    let private peak first (series: Vector<float>) =
        Seq.fold (fun best t -> if series[t] > series[best] then t else best) first [
            first .. series.Count - 1
        ]

    /// `Measure.interval p dt activity` is, for a trial of ready-set-go, the delay that was asked for and the one that was
    /// produced: from the second pulse to the peak of the output's largest value after it.
    let interval (task: ReadySetGo) (dt: float<ms>) (activity: Activity) =
        let output = Seq.head (Map.values activity.Outputs)
        let first = task.FirstPulse / dt
        // Row k is step k + 1; the target peaks at t1 + 2 d.
        let asked = (float (peak 0 (activity.Targets.Column 0) + 1) - first) / 2.0
        let second = int (round (first + asked))
        let produced = peak (second - 1) (output.Column 0) + 1 - second
        asked * dt, float produced * dt

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

    /// `Measure.decision activity` is, for a trial of a task that asks for one, (which output was asked for, which was chosen): the
    /// output with the largest mean over the steps in which the targets differ and count. One output alone is asked for a sign, and
    /// chooses 1 where its mean is above 0, else 0. None where the trial asks for no decision.
    let decision (activity: Activity) =
        let output = Seq.head (Map.values activity.Outputs)
        let outputs = activity.Targets.ColumnCount

        let isAsked t =
            let target = activity.Targets.Row t

            activity.Mask.Row(t).Maximum() > 0.0
            && (if outputs = 1 then
                    target[0] <> 0.0
                else
                    target.Maximum() > target.Minimum())

        match Seq.filter isAsked (seq { 0 .. activity.Targets.RowCount - 1 }) |> List.ofSeq with
        | [] -> None
        | asked ->
            let chosen (series: Matrix<float>) =
                let mean k =
                    asked |> List.averageBy (fun t -> series[t, k])

                if outputs = 1 then
                    if mean 0 > 0.0 then 1 else 0
                else
                    Seq.maxBy mean (seq { 0 .. outputs - 1 })

            Some(chosen activity.Targets, chosen output)

    /// `Measure.stages task trained` is the stage, from 0, in which each trial of a run was trained by a curriculum; all 0 for
    /// any other task.
    let stages (task: Task) (trained: Trained) =
        match task.Kind with
        | Curriculum(stages, _) ->
            let again = Combined.stages stages

            Array.map2
                (fun loss reward ->
                    let stage = again.Stage
                    again.Learned(loss, reward)
                    stage)
                trained.Losses
                trained.Rewards
        | _ -> Array.zeroCreate trained.Losses.Length

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

namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// What a circuit did in a trial, in the terms of its task.
[<RequireQualifiedAccess>]
module Measure =

    /// A readout of a trial: what it is, its outputs, and the columns of targets and mask that are its.
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

    /// The only readout. Of several, one must be named.
    let private only word (activity: Activity) =
        match activity.Readouts with
        | [ _ ] -> at 0 activity
        | [] -> invalidArg (nameof activity) "the circuit has no readout"
        | first :: _ ->
            invalidArg
                (nameof activity)
                $"the circuit has {activity.Readouts.Length} readouts, {names activity}; say of which: {word} \"{first.Name}\""

    /// `Measure.targets "hand" activity` is what was asked of that readout, shape (steps, outputs).
    let targets readout (activity: Activity) = (named readout activity).Targets

    /// `Measure.mask "hand" activity` is how much each step and output of that readout counts, shape (steps, outputs).
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

    /// `Measure.interval p dt activity` is, for a trial of ready-set-go, the delay that was asked for and the one that was
    /// produced: from the second pulse to the peak of the output's largest value after it. Of several readouts, name one:
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

    /// The last stretch of steps for which a function gives the same.
    let private lastStretch key steps =
        match List.rev steps with
        | [] -> []
        | last :: _ as backwards ->
            backwards |> List.takeWhile (fun t -> key t = key last) |> List.rev

    /// Of the steps that count, those that count most.
    let private heaviest (weight: int -> float) steps =
        match steps |> List.filter (fun t -> weight t > 0.0) with
        | [] -> []
        | counted ->
            let most = counted |> List.map weight |> List.max
            counted |> List.filter (fun t -> weight t = most)

    let private meanOver steps (series: Matrix<float>) k =
        steps |> List.averageBy (fun t -> series[t, k])

    /// One output: 1 above the middle of what it can ask for, else 0.
    let private oneOutput (chosen: Chosen) steps =
        let middle = if chosen.Readout.Output = Output.Linear then 0.0 else 0.5

        let period =
            heaviest (fun t -> chosen.Mask[t, 0]) steps
            |> List.filter (fun t -> chosen.Targets[t, 0] <> middle)
            |> lastStretch (fun t -> chosen.Targets[t, 0] > middle)

        match period with
        | [] -> None
        | period ->
            let side series =
                if meanOver period series 0 > middle then 1 else 0

            Some(side chosen.Targets, side chosen.Outputs)

    let private severalOutputs (chosen: Chosen) steps =
        let outputs = [ 0 .. chosen.Readout.Outputs - 1 ]

        /// The output that a step asks for, of those that count in it; none where it asks the same of all.
        let askedIn t =
            match outputs |> List.filter (fun k -> chosen.Mask[t, k] > 0.0) with
            | [] -> None
            | counted ->
                let most = counted |> List.maxBy (fun k -> chosen.Targets[t, k])

                if
                    counted |> List.forall (fun k -> chosen.Targets[t, k] = chosen.Targets[t, most])
                then
                    None
                else
                    Some most

        let asking = steps |> List.filter (askedIn >> Option.isSome)

        let most = heaviest (fun t -> chosen.Mask.Row(t).Maximum()) asking

        /// What is asked for first and last, and something else in between, is what is asked for while nothing is to be decided.
        let deciding =
            match asking with
            | first :: _ when most |> List.exists (fun t -> askedIn t <> askedIn first) ->
                most |> List.filter (fun t -> askedIn t <> askedIn first)
            | _ -> most

        let period = deciding |> lastStretch askedIn

        match period with
        | [] -> None
        | first :: _ ->
            let asked = (askedIn first).Value

            // An output that is asked for before the decision, as that of fixation is, is no choice in it.
            let waiting =
                asking
                |> List.filter (fun t -> t < first)
                |> List.choose askedIn
                |> List.filter (fun k -> k <> asked)
                |> Set.ofList

            let counted = outputs |> List.filter (fun k -> chosen.Mask[first, k] > 0.0)

            let choices =
                match counted |> List.filter (fun k -> not (Set.contains k waiting)) with
                | [ _ ]
                | [] -> counted
                | choices -> choices

            Some(asked, choices |> List.maxBy (meanOver period chosen.Outputs))

    let private decisionAt (chosen: Chosen) =
        let steps = [ 0 .. chosen.Targets.RowCount - 1 ]

        if chosen.Readout.Outputs = 1 then
            oneOutput chosen steps
        else
            severalOutputs chosen steps

    /// `Measure.decision activity` is, for a trial of a task that asks for one, (which output was asked for, which was chosen): of
    /// the outputs among which the decision is made, that with the largest mean over the decision period. The decision period is
    /// the last stretch of those steps that count most and ask for one output more than for another; an output that was asked for
    /// before it, such as one of fixation, is no choice. One output alone chooses 1 where its mean is above 0 (above 1/2, where the
    /// readout is a sigmoid), else 0. None where the trial asks for no decision. Of several readouts, name one:
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

            Array.map2
                (fun loss reward ->
                    let stage = again.Stage
                    again.Learned(loss, reward)
                    stage)
                trained.Losses
                trained.Rewards
        | _ -> Array.zeroCreate trained.Losses.Length

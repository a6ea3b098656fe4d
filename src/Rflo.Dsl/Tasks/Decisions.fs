namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Decisions of a trial: the output with the highest target, and the chosen output.
[<RequireQualifiedAccess>]
module internal Decisions =

    /// Outputs, their targets and their mask, each of shape (steps, outputs).
    type Answers = {
        /// Whether outputs are linear, with 0 between the two choices of a single output; otherwise they are between 0 and 1.
        IsLinear: bool
        Outputs: Matrix<float>
        Targets: Matrix<float>
        Mask: Matrix<float>
    }

    /// A decision: the period, the choices, the right output and the chosen one.
    type private Decided = {
        /// Rows of the decision period.
        Period: int list
        /// The outputs among which the choice is made.
        Choices: int list
        Asked: int
        Chosen: int
    }

    /// The last run of steps with one value of a function.
    let private lastStretch key steps =
        match List.rev steps with
        | [] -> []
        | last :: _ as backwards ->
            backwards |> List.takeWhile (fun t -> key t = key last) |> List.rev

    /// The steps with the largest weight, among those with any.
    let private heaviest (weight: int -> float) steps =
        match steps |> List.filter (fun t -> weight t > 0.0) with
        | [] -> []
        | counted ->
            let most = counted |> List.map weight |> List.max
            counted |> List.filter (fun t -> weight t = most)

    let private meanOver steps (series: Matrix<float>) k =
        steps |> List.averageBy (fun t -> series[t, k])

    /// Between the two sides of one output.
    let private middleOf (answers: Answers) = if answers.IsLinear then 0.0 else 0.5

    /// One output: 1 above the middle of its targets, else 0.
    let private oneOutput (chosen: Answers) steps =
        let middle = middleOf chosen

        let period =
            heaviest (fun t -> chosen.Mask[t, 0]) steps
            |> List.filter (fun t -> chosen.Targets[t, 0] <> middle)
            |> lastStretch (fun t -> chosen.Targets[t, 0] > middle)

        match period with
        | [] -> None
        | period ->
            let side series =
                if meanOver period series 0 > middle then 1 else 0

            Some {
                Period = period
                Choices = [ 0 ]
                Asked = side chosen.Targets
                Chosen = side chosen.Outputs
            }

    let private severalOutputs (chosen: Answers) steps =
        let outputs = [ 0 .. chosen.Targets.ColumnCount - 1 ]

        /// The output with the highest target in a step, of those in its mask; none where all these targets are equal.
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

        /// Steps whose highest target is that of the first step are excluded, if others remain: it is the target outside the decision.
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

            // An output that has the highest target before the decision, such as that of fixation, is no choice in it.
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

            Some {
                Period = period
                Choices = choices
                Asked = asked
                Chosen = choices |> List.maxBy (meanOver period chosen.Outputs)
            }

    let private decided (answers: Answers) =
        let steps = [ 0 .. answers.Targets.RowCount - 1 ]

        if answers.Targets.ColumnCount = 1 then
            oneOutput answers steps
        elif answers.Targets.ColumnCount = 0 then
            None
        else
            severalOutputs answers steps

    /// (The output with the highest target, the chosen output); none where the trial has no decision.
    let decision (answers: Answers) =
        decided answers |> Option.map (fun found -> found.Asked, found.Chosen)

    /// The difference between the chosen output and the largest other in a row.
    let private lead (answers: Answers) found (series: Matrix<float>) choice row =
        match found.Choices with
        | [ 0 ] when answers.Targets.ColumnCount = 1 ->
            let above = series[row, 0] - middleOf answers
            if choice = 1 then above else -above
        | choices ->
            let others =
                choices |> List.filter ((<>) choice) |> List.map (fun k -> series[row, k])

            if List.isEmpty others then
                nan
            else
                series[row, choice] - List.max others

    /// Steps of the decision period, counted from 1, until the chosen output exceeds the others by half of the targets' difference.
    let reaction (answers: Answers) =
        decided answers
        |> Option.bind (fun found ->
            let half = 0.5 * lead answers found answers.Targets found.Asked found.Period.Head

            found.Period
            |> List.tryFindIndex (fun row ->
                lead answers found answers.Outputs found.Chosen row >= half)
            |> Option.map (fun k -> k + 1))

    /// The conditions of a trial by name, without those that are NaN.
    let conditions (names: string seq) (values: float[]) =
        Seq.zip names values
        |> Seq.filter (fun (_, value) -> not (System.Double.IsNaN value))
        |> Map.ofSeq

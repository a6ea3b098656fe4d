namespace Rflo.Dsl

open Rflo.Core
open CheckValues

/// What is wrong with lanes that share every update.
module internal CheckLanes =

    let private lanes (experiment: Experiment) = string experiment.Lanes.Count

    let private without = "leave the word lanes out"

    /// A number of trials that must be one of whole groups.
    let multiple (experiment: Experiment) field (given: int) = [
        let count = experiment.Lanes.Count

        if count > 1 && given > 0 && given % count <> 0 then
            let below = given / count * count

            let near =
                if below = 0 then
                    string count
                else
                    $"{string below} or {string (int64 below + int64 count)}"

            NotAllowed(
                field,
                string given,
                $"a multiple of the {string count} lanes, such as {near}"
            )
    ]

    /// Whether trials of a task look at the circuit.
    let rec private isLoop (task: Task) =
        match task.Kind with
        | InLoop _
        | Syllables _ -> true
        | Custom core -> core :? IClosedLoopTask
        | _ -> Task.parts task |> List.exists isLoop

    /// Whether a task changes with what was learned.
    let rec private changes (task: Task) =
        match task.Kind with
        | Curriculum _ -> true
        | Custom core ->
            match core with
            | :? IProgressTask as progress -> progress.ProgressLength > 0
            | _ -> false
        | _ -> Task.parts task |> List.exists changes

    let private updates (experiment: Experiment) (rule: Rule) = [
        match rule.Update with
        | EveryTrials(k, _) -> yield! multiple experiment "the number of trials between updates" k
        | _ -> ()
    ]

    /// Of the experiment: its number of lanes, its trials, its task, and the rule of time constants and initial states.
    let ofExperiment (experiment: Experiment) = [
        yield! atLeastOne "the number of lanes" experiment.Lanes.Count
        yield! multiple experiment "the number of trials" experiment.Trials

        if experiment.Lanes.AreSeveral then
            if isLoop experiment.Task then
                Contradiction(
                    $"{lanes experiment} lanes run side by side, and the task looks at one trial at a time",
                    $"{without}, or use a task whose trials do not depend on what the circuit does"
                )

            if changes experiment.Task then
                Contradiction(
                    $"{lanes experiment} lanes run side by side, and the task changes with the outcome of every trial",
                    $"{without}, or train on the stages one after another"
                )

            if
                experiment.Circuit.Areas
                |> List.exists (fun area ->
                    (Wiring.tauRate experiment area).IsSome
                    || (Wiring.initialRate experiment area).IsSome)
            then
                yield! updates experiment experiment.Rule
    ]

    /// Of a projection: how it learns.
    let ofProjection (experiment: Experiment) (projection: Projection) = [
        match Wiring.plasticity experiment projection with
        | Some(rate, rule) when experiment.Lanes.AreSeveral && rate > 0.0 ->
            let isLeastSquares =
                if projection.Target.IsOfReadout then
                    rule.Readout.IsRecursiveLeastSquares || rule.Readout.IsRidgeRegression
                else
                    rule.Credit.IsTowardCurrents

            if isLeastSquares then
                RuleCannot(
                    rule.Name,
                    $"learn by least squares in {lanes experiment} lanes, since every trial follows from the one before",
                    $"{without}, or let the projection learn by another rule, onto readouts one such as Rule.readoutsBy DeltaRule"
                )
            else
                yield! updates experiment rule
        | _ -> ()
    ]

/// The law of the exact gradient: increments at fixed weights are minus the slope of the loss.
module internal Rflo.Testing.Gradients

open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trying

/// Whether any part of a task depends on the circuit's activity.
let rec private answers (task: Task) =
    match task.Kind with
    | InLoop _ -> true
    | Blocks parts -> parts |> List.exists (fst >> answers)
    | Mixture parts -> parts |> List.exists (fst >> answers)
    | Curriculum(stages, last) -> last :: List.map fst stages |> List.exists answers
    | _ -> false

/// Units with a slope everywhere; errors by the transpose of the readouts' weights wherever an area has readouts; no task
/// that depends on the circuit's activity, since no error passes through one.
let private differentiable (experiment: Experiment) =
    let circuit = experiment.Circuit

    let smooth (area: Area) = {
        area with
            Dynamics = (if isWinnerTakeAll area then Leaky else area.Dynamics)
            Transfer =
                match area.Transfer with
                | Transfer.Relu -> Transfer.Softplus
                | Transfer.RectifiedTanh -> Transfer.Tanh
                | other -> other
    }

    let symmetric = [
        for readout in circuit.Readouts do
            for area in circuit.Areas do
                if listens circuit ((=) readout.Name) area.Name then
                    errorOf readout --> area |> through symmetric
    ]

    let steps = Trials.stepsOf experiment

    let still =
        if answers experiment.Task then
            Trials.arraysTask
                (channelsIn circuit)
                (Trials.askedOf circuit)
                steps
                false
                experiment.Task.Events
        else
            experiment.Task

    Shrinks.tidy {
        experiment with
            Circuit = {
                circuit with
                    Areas = List.map smooth circuit.Areas
                    Feedback = symmetric
            }
            Task = still
            Precision = Precision.Double
    }

/// No signal returns to an area: no projection between areas, none from a readout.
let private withoutRecurrence (experiment: Experiment) =
    let isForward (projection: Projection) =
        match projection.Source, projection.Target with
        | (OfInput _ | OfChannels _ | OfBias), _ -> true
        | _, OfReadout _ -> true
        | _ -> false

    Shrinks.tidy {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Projections = List.filter isForward experiment.Circuit.Projections
            }
    }

/// -dL/dw of every weight of a projection by central differences.
let private slopes (learner: Learner) trial k =
    let step = 1e-6
    let weights = learner.Weights()[k]

    let lossWith i j weight =
        let changed = Array2D.copy weights
        changed[i, j] <- weight
        learner.SetWeights k changed
        learner.Loss trial

    let found =
        weights
        |> Array2D.mapi (fun i j weight ->
            if learner.Exists[k][i, j] then
                (lossWith i j (weight - step) - lossWith i j (weight + step)) / (2.0 * step)
            else
                0.0)

    learner.SetWeights k weights
    found

let private norm (matrix: float[,]) =
    matrix |> Seq.cast<float> |> Seq.sumBy (fun x -> x * x) |> sqrt

/// The form of the update in which the rule is used.
let private formOf (rule: Rule) =
    match rule.Update with
    | Online
    | EverySteps _ -> UpdateTime.Online
    | TrialEnd
    | EveryTrials _ -> UpdateTime.TrialEnd

let private judge make (experiment: Experiment) =
    let learner: Learner = make experiment
    let trial = 1
    let increments = learner.Increments (formOf experiment.Rule) trial
    let loss = learner.Loss trial

    seq {
        for k, projection in List.indexed experiment.Circuit.Projections do
            match increments[k] with
            | Some found ->
                let gradient = slopes learner trial k
                let error = norm (Array2D.mapi (fun i j x -> x - gradient[i, j]) found)
                // The error of differences is the rounding error of the loss divided by the step.
                let rounding = 2e-9 * (1.0 + abs loss) * sqrt (float found.Length)

                if not (error <= 1e-6 * norm gradient + rounding) then
                    $"{Projection.name projection}: its increments are %A{found}, and minus the slope of the loss is %A{gradient}"
            | None -> ()
    }
    |> verdict (
        increments
        |> Array.exists (function
            | Some found -> norm found > 1e-4
            | None -> false)
    )

let private onlyReadouts (rule: Rule) =
    if rule.Readout <> DeltaRule && rule.Learns = OnlyReadouts then
        Some "least squares do not follow the gradient"
    else
        None

let everywhere = {
    Name = "gradient-matches"
    Exempts = onlyReadouts
    Prepare = differentiable
    Judge = judge
}

let forward = {
    everywhere with
        Name = "gradient-matches-without-recurrence"
        Prepare = differentiable >> withoutRecurrence
}

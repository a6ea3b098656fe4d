/// The law of locality: the increments of a unit depend only on signals that reach it. The weights of another unit are
/// changed in a direction orthogonal to all signals of the trial, so that every signal stays the same and only a rule that reads those
/// weights has other increments.
module internal Rflo.Testing.Locality

open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trying

let private longest = 3

/// Areas with more units than a trial has states, so that such directions exist; no constraints that a change of weights could
/// reach.
let private prepare (experiment: Experiment) =
    let still = Explicit.still experiment
    let circuit = still.Circuit
    let steps = min longest (Trials.stepsOf experiment)

    let wide (area: Area) = {
        area with
            Units = max area.Units (steps + 2)
            Tau =
                match area.Tau with
                | TauOfUnit taus -> SameTau taus[0]
                | other -> other
            Initial =
                match area.Initial with
                | ResetTo rates -> Reset rates[0]
                | CarriedOver rate -> Reset rate
                | other -> other
            Dale = None
            Populations = []
    }

    let whole finish =
        match finish with
        | OfPopulation(area, _) -> OfArea area
        | other -> other

    let plain (projection: Projection) = {
        projection with
            Source = whole projection.Source
            Target = whole projection.Target
            Weights = Gaussian 1.0
            Connectivity = Dense
            SelfConnections = true
            Balanced = false
            Bounds = None
            Decay = 0.0
            L1 = 0.0
            L2 = 0.0
    }

    let tell (feedback: Feedback) =
        match feedback.Through with
        | GivenFeedback _ -> {
            feedback with
                Through = RandomFeedback 1.0
          }
        | _ -> feedback

    Trials.fitTask steps {
        still with
            Circuit = {
                circuit with
                    Areas = List.map wide circuit.Areas
                    Projections = circuit.Projections |> List.map plain |> Circuits.nameApart
                    Feedback = List.map tell circuit.Feedback
            }
    }

/// A direction of weights onto which no rate of the area falls in the trial: every h(t) from t = 0 on is orthogonal to it.
let private unseen (activity: Activity) (area: Area) =
    let rates = activity.Rates[area.Name]

    // The current form, and a unit model, begin with a function of it: the same for all units, and not 0 where it is.
    let first =
        match area.Initial with
        | _ when area.Dynamics.IsCurrentForm || area.Dynamics.IsOfModel -> 1.0
        | Reset rate
        | CarriedOver rate -> rate
        | _ -> 0.0

    let states = rates.InsertRow(0, Vector<float>.Build.Dense(area.Units, first))
    let kernel = states.Kernel()

    if kernel.Length = 0 then
        None
    else
        let direction =
            kernel
            |> Seq.mapi (fun k v -> v / float (k + 1))
            |> Seq.reduce (fun a b -> a + b)

        Some(direction.Normalize 2.0)

/// Changes a row of the weights of every projection from an area onto this end, and a row of its feedback; returns whether anything
/// was changed.
let private perturb (activity: Activity) finish row (experiment: Experiment) =
    let circuit = experiment.Circuit

    let projection (projection: Projection) =
        let source = areaOf projection.Source |> Option.bind (areaNamed circuit)

        match source |> Option.bind (unseen activity), projection.Weights with
        | Some direction, Given matrix when projection.Target = finish ->
            {
                projection with
                    Weights =
                        Given(
                            matrix
                            |> Array2D.mapi (fun i j w -> if i = row then w + direction[j] else w)
                        )
            },
            true
        | _ -> projection, false

    let told (feedback: Feedback) =
        match feedback.Through with
        | GivenFeedback matrix when OfArea feedback.Area = finish ->
            {
                feedback with
                    Through =
                        GivenFeedback(
                            matrix |> Array2D.mapi (fun i _ b -> if i = row then b + 1.0 else b)
                        )
            },
            true
        | _ -> feedback, false

    let projections, changed = circuit.Projections |> List.map projection |> List.unzip
    let feedback, retold = circuit.Feedback |> List.map told |> List.unzip

    {
        experiment with
            Circuit = {
                circuit with
                    Projections = projections
                    Feedback = feedback
            }
    },
    List.contains true (changed @ retold)

/// The rows that are changed: a unit of each area; an output of each readout too, where no area receives the error by the
/// transpose of its weights.
let private rows (experiment: Experiment) =
    let circuit = experiment.Circuit

    let isSymmetric =
        experiment.Rule.Error = SymmetricPath
        || circuit.Feedback |> List.exists _.Through.IsSymmetricFeedback

    [
        for area in circuit.Areas -> OfArea area.Name, int experiment.Seed % area.Units

        if not isSymmetric then
            for readout in circuit.Readouts ->
                OfReadout readout.Name, int experiment.Seed % readout.Outputs
    ]

let private largest (blocks: float[,] option[]) =
    blocks
    |> Seq.choose id
    |> Seq.collect Seq.cast<float>
    |> Seq.fold (fun most x -> max most (abs x)) 0.0

let private judge make (experiment: Experiment) =
    let written = Explicit.ofDrawn experiment
    let activity = Explicit.firstTrial written

    let increments experiment =
        (make experiment: Learner).Increments UpdateTime.TrialEnd 0

    let ours = increments written
    // Signals are equal up to rounding, and so are the increments.
    let tolerance = 1e-9 * (1.0 + largest ours)

    let perturbed = [
        for finish, row in rows written do
            let other, isChanged = perturb activity finish row written

            if isChanged then
                finish, row, other
    ]

    seq {
        for finish, row, other in perturbed do
            let theirs = increments other

            for k, projection in List.indexed written.Circuit.Projections do
                match ours[k], theirs[k] with
                | Some ours, Some theirs ->
                    for i in 0 .. Array2D.length1 ours - 1 do
                        for j in 0 .. Array2D.length2 ours - 1 do
                            let isOwn = projection.Target = finish && i = row

                            if not isOwn && not (abs (ours[i, j] - theirs[i, j]) <= tolerance) then
                                $"{Projection.name projection}: the increment of weight ({i}, {j}) goes from {string (ours[i, j])} to {string (theirs[i, j])} when the weights onto unit {row} of {Projection.endName finish} change and no signal does"
                | _ -> ()
    }
    |> verdict (not perturbed.IsEmpty && Array.exists Option.isSome ours)

let law = {
    Name = "local-only"
    Exempts = everyRule
    Prepare = prepare
    Judge = judge
}

/// Laws of constraints on weights: rates of zero, frozen projections, masks, signs and bounds.
module internal Rflo.Testing.HeldWeights

open System
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trying

let private bits (x: float) = BitConverter.DoubleToInt64Bits x

let private entries (matrix: float[,]) =
    seq {
        for i in 0 .. Array2D.length1 matrix - 1 do
            for j in 0 .. Array2D.length2 matrix - 1 -> i, j, matrix[i, j]
    }

/// The first entry that is not the same to the last bit.
let private firstChange (before: float[,]) (after: float[,]) =
    entries after
    |> Seq.tryFind (fun (i, j, weight) -> bits weight <> bits before[i, j])

let private changes (experiment: Experiment) why (before: float[,][]) (after: float[,][]) chosen =
    seq {
        for k, projection in List.indexed experiment.Circuit.Projections do
            if chosen projection then
                match firstChange before[k] after[k] with
                | Some(i, j, weight) ->
                    $"{Projection.name projection}: weight ({i}, {j}) was {string (before[k][i, j])} and is {string weight}, {why}"
                | None -> ()
    }

let private withRates rate (experiment: Experiment) =
    let change (projection: Projection) =
        match projection.Plasticity with
        | Learning _ -> {
            projection with
                Plasticity = Learning rate
          }
        | _ -> projection

    {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Projections = List.map change experiment.Circuit.Projections
            }
    }

/// Least squares have no learning rate.
let private withoutSquares (experiment: Experiment) =
    if experiment.Rule.Readout = DeltaRule then
        experiment
    else
        let change (projection: Projection) =
            if projection.Target.IsOfReadout then
                frozen projection
            else
                projection

        {
            experiment with
                Circuit = {
                    experiment.Circuit with
                        Projections = List.map change experiment.Circuit.Projections
                }
        }

let private isPlastic (experiment: Experiment) projection =
    Circuits.isPlastic projection && isChangedBy experiment.Rule projection

let rateZero = {
    Name = "rate-zero-changes-nothing"
    Exempts =
        fun rule ->
            if rule.Readout <> DeltaRule && rule.Learns = OnlyReadouts then
                Some "least squares have no learning rate"
            else
                None
    Prepare = withRates 0.0 >> withoutSquares
    Judge =
        fun make experiment ->
            let learner = make experiment
            let before = learner.Weights()
            learner.Train experiment.Trials

            changes experiment "at learning rate 0" before (learner.Weights()) (fun _ -> true)
            |> verdict (List.exists (isPlastic experiment) experiment.Circuit.Projections)
}

let frozen = {
    Name = "frozen-stays-frozen"
    Exempts = everyRule
    Prepare = id
    Judge =
        fun make experiment ->
            let isHeld projection = not (isPlastic experiment projection)
            let learner = make experiment
            let before = learner.Weights()
            learner.Train experiment.Trials

            changes experiment "though it is frozen" before (learner.Weights()) isHeld
            |> verdict (
                Fitting.hasPlastic experiment
                && List.exists isHeld experiment.Circuit.Projections
            )
}

/// Trains and checks every weight of the chosen projections after every trial.
let private watch trials look chosen make (experiment: Experiment) =
    let learner: Learner = make experiment

    let watched = [
        for k, projection in List.indexed experiment.Circuit.Projections do
            if chosen projection then
                k, projection
    ]

    seq {
        for trial in 0 .. trials - 1 do
            learner.Train 1
            let weights = learner.Weights()

            for k, projection in watched do
                for i, j, weight in entries weights[k] do
                    if Double.IsFinite weight then
                        match look learner k projection i j weight with
                        | Some complaint ->
                            $"{Projection.name projection}: weight ({i}, {j}) is {string weight} after trial {trial}, {complaint}"
                        | None -> ()
    }
    |> verdict (List.exists (snd >> isPlastic experiment) watched)

/// Large rates, so that weights reach their constraints.
let private drive = withRates 1.0

/// Dale's law in every area: half of the units excitatory, where the circuit has no law.
let private underDale (experiment: Experiment) =
    let circuit = experiment.Circuit

    let signed (area: Area) =
        match area.Dale with
        | None when area.Units > 1 -> {
            area with
                Dale = Some(float (area.Units / 2) / float area.Units)
          }
        | _ -> area

    let areas = List.map signed circuit.Areas

    // What was given may have the wrong sign now.
    let drawn (projection: Projection) =
        if Circuits.isDrawn projection.Weights && not projection.Balanced then
            projection
        else
            {
                projection with
                    Weights = Gaussian 1.0
                    Balanced = false
            }

    if areas = circuit.Areas then
        experiment
    else
        {
            experiment with
                Circuit = {
                    circuit with
                        Areas = areas
                        Projections = List.map drawn circuit.Projections
                }
        }

let dale = {
    Name = "dale-holds"
    Exempts =
        fun rule ->
            if rule.Learns = OnlyReadouts then
                Some "it changes readouts only, which have no sign to keep"
            else
                None
    Prepare = underDale >> drive
    Judge =
        fun make experiment ->
            let signs projection = signsOf experiment.Circuit projection

            let look _ _ projection _ j weight =
                match signs projection with
                | Some signs when float (List.item j signs) * weight < 0.0 ->
                    let kind = if List.item j signs > 0 then "excitatory" else "inhibitory"
                    Some $"though unit {j} of the source is {kind}"
                | _ -> None

            watch 8 look (signs >> Option.isSome) make experiment
}

let private hasMask (projection: Projection) =
    projection.Connectivity <> Dense
    || not projection.SelfConnections
    || projection.Weights.IsOneToOne

/// Every second projection is sparse, where the circuit sets no mask.
let private masked (experiment: Experiment) =
    let thin k (projection: Projection) =
        let isGiven = projection.Weights.IsGiven || projection.Weights.IsReadFrom

        if hasMask projection || isGiven || (int experiment.Seed + k) % 2 = 0 then
            projection
        else
            {
                projection with
                    Connectivity = Density 0.5
            }

    if List.exists hasMask experiment.Circuit.Projections then
        experiment
    else
        {
            experiment with
                Circuit = {
                    experiment.Circuit with
                        Projections = List.mapi thin experiment.Circuit.Projections
                }
        }

let masks = {
    Name = "masks-stay-zero"
    Exempts = everyRule
    Prepare = masked >> drive
    Judge =
        fun make experiment ->
            let look (learner: Learner) k _ i j weight =
                let exists = learner.Exists[k]

                if not exists[i, j] && weight <> 0.0 then
                    Some "though there is no such connection"
                else
                    None

            watch 8 look hasMask make experiment
}

/// Bounds around the weights of every plastic projection, where the circuit sets none.
let private narrow (experiment: Experiment) =
    let bound (projection: Projection) =
        match projection.Bounds, projection.Weights with
        | None, (Gaussian _ | Uniform _ | UniformScaled _) when
            experiment.Rule.Readout = DeltaRule || not projection.Target.IsOfReadout
              ->
              {
                  projection with
                      Bounds = Some(-2.0, 2.0)
              }
        | _ -> projection

    if experiment.Circuit.Projections |> List.exists _.Bounds.IsSome then
        experiment
    else
        {
            experiment with
                Circuit = {
                    experiment.Circuit with
                        Projections = List.map bound experiment.Circuit.Projections
                }
        }

let bounds = {
    Name = "bounds-hold"
    Exempts =
        fun rule ->
            if rule.Readout <> DeltaRule && rule.Learns = OnlyReadouts then
                Some "least squares do not keep weights within bounds"
            else
                None
    Prepare = narrow >> drive
    Judge =
        fun make experiment ->
            let look _ _ (projection: Projection) _ _ weight =
                match projection.Bounds with
                | Some(low, high) when weight < low || weight > high ->
                    Some $"outside [{string low}, {string high}]"
                | _ -> None

            watch 8 look _.Bounds.IsSome make experiment
}

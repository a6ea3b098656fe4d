/// Random experiments in which a given rule learns.
module internal Rflo.Testing.Fitting

open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials

let private trace (rule: Rule) =
    match rule.Credit with
    | Local trace -> Some trace
    | _ -> None

/// Whether it learns from the noise of its area.
let needsNoise rule =
    trace rule |> Option.exists (fun t -> t.Post.Signal = Perturbation)

/// Whether it draws numbers of its own, unit by unit.
let draws (rule: Rule) =
    match rule.Credit with
    | Stochastic _
    | LearnedSensitivity _ -> true
    | _ -> false

/// Whether it has increments before the end of a trial.
let canBeOnline (rule: Rule) =
    match rule.Credit with
    | BackwardInTime -> false
    | Local { Modulator = { Signal = TrialReward } } -> false
    | _ -> true

let private needsReward (rule: Rule) =
    rule.Readout.IsTdLambda
    || trace rule
       |> Option.exists (fun t ->
           match t.Modulator.Signal with
           | TaskReward
           | RewardError
           | TemporalDifference _ -> true
           | _ -> false)

/// The readout that it names as its modulator.
let private namedReadout rule =
    trace rule
    |> Option.bind (fun t ->
        match t.Modulator.Signal with
        | ReadoutValue name
        | TemporalDifference(name, _) -> Some name
        | _ -> None)

/// The area that it names as its modulator, with the least number of its units, and that of areas that receive them.
let private namedArea rule =
    trace rule
    |> Option.bind (fun t ->
        match t.Modulator.Signal with
        | UnitRate(name, unit, _) -> Some(name, unit + 1, None)
        | AreaRates(name, weights, _) ->
            Some(name, Array2D.length2 weights, Some(Array2D.length1 weights))
        | _ -> None)

let private needsFeedback (rule: Rule) =
    rule.Error = DeclaredFeedback
    && (match trace rule with
        | Some t -> t.Modulator.Signal = FeedbackError
        | None -> ErrorPaths.usesError rule)

/// Whether its modulator refers to units of an area by their indices.
let namesUnits rule = Option.isSome (namedArea rule)

/// A small circuit with everything that a rule can need.
let private sample (rule: Rule) dt =
    let named = namedArea rule
    let units = named |> Option.bind (fun (_, _, post) -> post) |> Option.defaultValue 3
    let a = area "a" units |> noise 0.1 |> tau 20.0<ms>
    let y = readout "y" 1

    let others = [
        match named with
        | Some(name, units, _) when name <> a.Name -> area name units
        | _ -> ()
    ]

    let values = [
        match namedReadout rule with
        | Some name when name <> y.Name -> readout name 1
        | _ -> ()
    ]

    let circuit =
        Circuit.empty
        |> areas (a :: others)
        |> inputs [ input "x" 1 ]
        |> readouts (y :: values)
        |> projections [
            a --> a |> learningRate 0.01
            input "x" 1 --> a |> learningRate 0.01
            a --> y |> learningRate 0.01
            for value in values do
                a --> value
        ]
        |> feedback [ errorOf y --> a ]

    experiment "sample" circuit (arraysTask 1 (plainly (1 + values.Length)) 4 false [])
    |> Experiment.rule rule
    |> Experiment.dt dt
    |> trials 1

/// The durations of a step in which the rule can be tried; raises an argument exception with the rule's problems if
/// there is none.
let durations rule =
    let problems dt =
        match Check.experiment (sample rule dt) with
        | Ok _ -> []
        | Error problems -> problems

    match [ 1.0<ms>; 0.5<ms>; 2.0<ms>; 0.1<ms> ] |> List.filter (problems >> List.isEmpty) with
    | [] ->
        problems 1.0<ms>
        |> Problem.report $"the rule {rule.Name} cannot be tried"
        |> String.concat "\n"
        |> invalidArg (nameof rule)
    | usable -> usable

/// Enough trials for the rule to change a weight twice, and one more.
let private enough (rule: Rule) =
    match rule.Update, rule.Readout with
    | EveryTrials(k, _), _ -> 2 * k + 1
    | _, RidgeRegression(_, _, k) -> 2 * k + 1
    | _ -> 3

let isValid experiment =
    match Check.experiment experiment with
    | Ok _ -> true
    | Error _ -> false

let hasPlastic (experiment: Experiment) =
    experiment.Circuit.Projections
    |> List.exists (fun p -> Circuits.isPlastic p && isChangedBy experiment.Rule p)

/// The circuit with an area and a readout of the names that the rule has for its modulator, where some fit.
let private withNamed (rule: Rule) (circuit: Circuit) : Circuit =
    let rename before after (name: string) = if name = before then after else name

    let readoutTo after (circuit: Circuit) =
        match circuit.Readouts |> List.tryFind (fun readout -> readout.Outputs = 1) with
        | Some found when circuit.Readouts |> List.forall (fun other -> other.Name <> after) ->
            Circuit.rename (rename found.Name after) circuit
        | _ -> circuit

    let areaTo after units (circuit: Circuit) =
        match circuit.Areas |> List.tryFind (fun area -> area.Units >= units) with
        | Some found when circuit.Areas |> List.forall (fun other -> other.Name <> after) ->
            Circuit.rename (rename found.Name after) circuit
        | _ -> circuit

    let circuit =
        match namedReadout rule with
        | Some name -> readoutTo name circuit
        | None -> circuit

    match namedArea rule with
    | Some(name, units, _) -> areaTo name units circuit
    | None -> circuit

/// The experiment with the rule in place of its own, and with everything that the rule needs.
let fit (rule: Rule) (experiment: Experiment) : Experiment =
    let circuit = withNamed rule experiment.Circuit

    let noisy (area: Area) =
        if needsNoise rule && area.Noise = 0.0 then
            { area with Noise = 0.3 }
        else
            area

    let told =
        if needsFeedback rule && List.isEmpty circuit.Feedback then
            [
                for readout in circuit.Readouts do
                    for area in circuit.Areas -> errorOf readout --> area
            ]
        else
            circuit.Feedback

    let able = {
        circuit with
            Areas = List.map noisy circuit.Areas
            Feedback = told
    }

    let learns k (projection: Projection) =
        let isKept = (int experiment.Seed + k) % 4 = 0

        if isKept || not (canLearn able rule projection) then
            frozen projection
        else
            {
                projection with
                    Plasticity = Learning(if k % 2 = 0 then 0.02 else 0.1)
            }

    let fitting = {
        experiment with
            Circuit = {
                able with
                    Projections = List.mapi learns able.Projections
            }
            Rule = rule
            Trials = enough rule
            Stopping = Stopping.never
    }

    match experiment.Task.Kind with
    | Periodic _ when needsReward rule -> {
        fitting with
            Task =
                arraysTask
                    (channelsIn able)
                    (askedOf able)
                    (stepsOf experiment)
                    false
                    experiment.Task.Events
      }
    | _ -> fitting

/// Draws again until the condition holds; after so many draws it returns the last.
let rec private suchThat attempts condition gen =
    gen
    |> Gen.bind (fun drawn ->
        if attempts = 0 || condition drawn then
            Gen.constant drawn
        else
            suchThat (attempts - 1) condition gen)

/// Random experiments that learn by the rule, in areas of at most so many units, prepared for a law.
let experiments most prepare (rule: Rule) : Gen<Experiment> =
    Gen.elements (durations rule)
    |> Gen.bind (Circuits.experimentOf most)
    |> Gen.map (fit rule >> prepare)
    |> suchThat 200 (fun experiment -> hasPlastic experiment && isValid experiment)

let private awaited (circuit: Circuit) =
    circuit.Projections
    |> List.choose (fun p ->
        match p.Opening with
        | AtEvent event -> Some event
        | _ -> None)
    |> List.distinct

/// Experiments in given circuits; raises an argument exception with the problems of one that is not valid.
let inCircuits make prepare (rule: Rule) : Gen<Experiment> =
    gen {
        let! number = Gen.choose (0, 1_000_000)
        let! dt = Gen.elements (durations rule |> List.truncate 1)
        let! steps = Gen.choose (1, 12)
        let circuit: Circuit = make number

        let task =
            arraysTask (channelsIn circuit) (askedOf circuit) steps false (awaited circuit)

        let declared = {
            (experiment $"circuit-{number}" circuit task) with
                Rule = rule
                Dt = dt
                Trials = enough rule
                Seed = int64 number
        }

        match Check.experiment declared with
        | Ok _ -> ()
        | Error problems ->
            Problem.report $"circuit {number}" problems
            |> String.concat "\n"
            |> invalidArg (nameof make)

        return prepare declared
    }

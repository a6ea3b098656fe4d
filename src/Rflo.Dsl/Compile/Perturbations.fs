namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra

/// Words for perturbations: `silence cortex |> during "delay"`.
[<AutoOpen>]
module Perturbations =

    let private always kind : Perturbation = {
        Kind = kind
        Steps = PerturbedSteps.All
        Trials = PerturbedTrials.All
    }

    /// `silence cortex`, `silence cortex["excitatory"]` or `silence cortex[[3; 5]]` holds the signal of those units at 0.
    let silence (units: IUnits) =
        always (PerturbationKind.Silence units.Units)

    /// `clamp cortex (Course.constant 0.3)` holds the signal of its units there.
    let clamp (units: IUnits) course =
        always (PerturbationKind.Clamp(units.Units, course))

    /// `stimulate cortex (Course.constant 0.3)` adds that current to each of its units.
    let stimulate (units: IUnits) course =
        always (PerturbationKind.Stimulate(units.Units, course, 0.0))

    /// `disturb cortex 0.2` adds noise of that standard deviation, in steps of 1 ms, to the current of each of its units, from streams of its own.
    let disturb (units: IUnits) deviation =
        always (PerturbationKind.Stimulate(units.Units, Course.Constant 0.0, deviation))

    /// `kick cortex (Kick.add 0.5) |> during "go"` changes the state of its units once, at the end of the first step of those.
    let kick (units: IUnits) change =
        always (PerturbationKind.Kick(units.Units, change))

    /// `lesion cortex[[3; 5]]` takes these units out of the circuit for whole trials.
    let lesion (units: IUnits) =
        always (PerturbationKind.Lesion units.Units)

    /// `scaleProjection "cortex->m1" 0.0` multiplies the currents of that projection; 0 cuts it.
    let scaleProjection name factor =
        always (PerturbationKind.ScaleProjection(name, factor))

    /// `replaceWeights "cortex->m1" before["cortex->m1"] |> during "go"` gives that projection other weights, shape (post, pre), in an
    /// evaluation: those of another stage of the training, of another network, or changed ones. Delay and gate stay. Neither Dale's law
    /// nor the connections that it declares bind them.
    let replaceWeights name (weights: Matrix<float>) =
        always (PerturbationKind.ReplaceWeights(name, weights))

    /// `silence cortex |> during "delay"` acts in all steps of that phase, or in those that the task marks with an event of that name.
    let during event (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Steps = PerturbedSteps.During event
    }

    /// `silence cortex |> betweenTimes 200.0<ms> 300.0<ms>` acts between these times of a trial.
    let betweenTimes from until (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Steps = PerturbedSteps.Between(from, until)
    }

    /// `silence cortex |> afterOnset "delay" 50.0<ms> 100.0<ms>` acts for 100 ms, from 50 ms after that phase or event begins.
    let afterOnset event after lasting (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Steps = PerturbedSteps.After(event, after, lasting)
    }

    /// `silence cortex |> inFraction 0.3` acts in three trials of ten, each drawn independently; all perturbations with that
    /// fraction act in the same trials.
    let inFraction fraction (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Trials = PerturbedTrials.Drawn(fraction, "")
    }

    /// `silence cortex |> inFractionOf "late" 0.3` draws trials of its own: those of the key "late".
    let inFractionOf key fraction (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Trials = PerturbedTrials.Drawn(fraction, key)
    }

    /// `silence cortex |> inTrials (fun trial -> trial >= 1000)` acts in the trials for whose number, from 0, that is true. A run's
    /// identity does not contain the function: give the experiment another name where the function changes.
    let inTrials choice (perturbation: Perturbation) : Perturbation = {
        perturbation with
            Trials = PerturbedTrials.Chosen choice
    }

/// Perturbations as text.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Perturbation =

    let private units =
        function
        | PerturbedUnits.Whole area -> area
        | PerturbedUnits.Population(area, population) -> $"{area}[{population}]"
        | PerturbedUnits.Some(area, units) ->
            let list = units |> List.map string |> String.concat ","
            $"{area}[{list}]"

    let private course =
        function
        | Course.Constant value -> string value
        | Course.Steps values -> $"a course of {values.Length} steps"
        | Course.OfUnits values ->
            $"a course of {values.GetLength 0} steps and {values.GetLength 1} units"

    let private change (kick: Kick) =
        let values = kick.Values |> List.map string |> String.concat ", "
        let how = if kick.Adds then "by" else "to"

        match kick.State with
        | None -> $"{how} {values}"
        | Some name -> $"{name} {how} {values}"

    let private kind =
        function
        | PerturbationKind.Silence of' -> $"silence {units of'}"
        | PerturbationKind.Clamp(of', at) -> $"clamp {units of'} at {course at}"
        | PerturbationKind.Stimulate(of', Course.Constant 0.0, noise) when noise <> 0.0 ->
            $"disturb {units of'} with noise {string noise}"
        | PerturbationKind.Stimulate(of', by, 0.0) -> $"stimulate {units of'} with {course by}"
        | PerturbationKind.Stimulate(of', by, noise) ->
            $"stimulate {units of'} with {course by} and noise {string noise}"
        | PerturbationKind.Kick(of', by) -> $"kick {units of'} {change by}"
        | PerturbationKind.Lesion of' -> $"lesion {units of'}"
        | PerturbationKind.ScaleProjection(name, factor) -> $"scale {name} by {string factor}"
        | PerturbationKind.ReplaceWeights(name, _) -> $"replace the weights of {name}"

    let private steps =
        function
        | PerturbedSteps.All -> ""
        | PerturbedSteps.During event -> $" during {event}"
        | PerturbedSteps.Between(from, until) ->
            $" between {string (float from)} and {string (float until)} ms"
        | PerturbedSteps.After(event, after, lasting) ->
            $" for {string (float lasting)} ms from {string (float after)} ms after the onset of {event}"

    let private trials =
        function
        | PerturbedTrials.All -> ""
        | PerturbedTrials.Drawn(fraction, "") -> $" in a fraction {string fraction} of trials"
        | PerturbedTrials.Drawn(fraction, key) ->
            $" in a fraction {string fraction} of trials drawn by {key}"
        | PerturbedTrials.Chosen _ -> " in trials that a function chooses"

    /// One phrase, such as "silence cortex during delay".
    let words (perturbation: Perturbation) =
        kind perturbation.Kind + steps perturbation.Steps + trials perturbation.Trials

/// Perturbations as types of the core.
[<RequireQualifiedAccess>]
module internal PerturbationCompile =

    open Rflo.Core

    /// The units as an end of projections, for which indices can be found.
    let endOf =
        function
        | PerturbedUnits.Whole area -> Some(OfArea area)
        | PerturbedUnits.Population(area, population) -> Some(OfPopulation(area, population))
        | PerturbedUnits.Some _ -> None

    /// The units that it acts on, in order; none where it acts on a projection.
    let unitsOf (perturbation: Perturbation) =
        match perturbation.Kind with
        | PerturbationKind.Silence units
        | PerturbationKind.Clamp(units, _)
        | PerturbationKind.Stimulate(units, _, _)
        | PerturbationKind.Kick(units, _)
        | PerturbationKind.Lesion units -> Some units
        | PerturbationKind.ScaleProjection _
        | PerturbationKind.ReplaceWeights _ -> None

    /// Its time course, where it has one.
    let courseOf (perturbation: Perturbation) =
        match perturbation.Kind with
        | PerturbationKind.Clamp(_, course)
        | PerturbationKind.Stimulate(_, course, _) -> Some course
        | _ -> None

    /// The indices of the units; none for all of the area.
    let private chosen circuit units : int[] | null =
        match units with
        | PerturbedUnits.Some(_, units) -> Array.ofList units
        | named ->
            match endOf named |> Option.map (Wiring.resolve circuit) with
            | Some(Ok resolved) -> Option.toObj resolved.Units
            | _ -> invalidOp "units that were checked are unknown"

    let private course =
        function
        | Course.Constant value -> TimeCourse.Constant value
        | Course.Steps values -> TimeCourse.OfSteps values
        | Course.OfUnits values ->
            TimeCourse.OfUnits(Array.ofSeq (Seq.cast<float> values), values.GetLength 1)

    let private window dt (events: string list) =
        let steps duration =
            int (System.Math.Round(duration / dt: float))

        let event name = List.findIndex ((=) name) events

        function
        | PerturbedSteps.All -> PerturbationWindow.WholeTrial
        | PerturbedSteps.During name -> PerturbationWindow.AtEvent(event name)
        | PerturbedSteps.Between(from, until) -> PerturbationWindow.Between(steps from, steps until)
        | PerturbedSteps.After(name, after, lasting) ->
            PerturbationWindow.After(event name, steps after, steps lasting)

    let private trials =
        function
        | PerturbedTrials.All -> TrialChoice.All
        | PerturbedTrials.Drawn(fraction, key) -> TrialChoice.Drawn(fraction, key)
        | PerturbedTrials.Chosen choice -> TrialChoice.Where choice

    /// The projections whose weights are replaced, with those weights, in order. Each becomes a projection of its own behind
    /// those of the circuit, which is cut wherever the perturbation does not act.
    let replaced (experiment: Experiment) = [
        for perturbation in experiment.Perturbations do
            match perturbation.Kind with
            | PerturbationKind.ReplaceWeights(name, weights) -> name, weights
            | _ -> ()
    ]

    /// `projection` with these weights and nothing that could change them.
    let withWeights (weights: Matrix<float>) (projection: Projection) = {
        projection with
            Label = Some $"{Wiring.label projection} replaced"
            Weights =
                if SparseWeights.isStored weights then
                    GivenSparse(SparseWeights.ofMatrix true (fun _ _ _ -> true) weights)
                else
                    Given(weights.ToArray())
            Connectivity = Dense
            SelfConnections = true
            Plasticity = Frozen
            Balanced = false
            Bounds = None
            Decay = 0.0
            L1 = 0.0
            L2 = 0.0
    }

    /// Compiles a checked perturbation.
    /// <param name="noise">The noise of a step in an area, from its standard deviation in steps of 1 ms.</param>
    let perturbation
        (noise: Area -> float -> float)
        (experiment: Experiment)
        (declared: Perturbation)
        : PerturbationSpec list =
        let circuit = experiment.Circuit
        let window = window experiment.Dt experiment.Task.Events declared.Steps
        let trials = trials declared.Trials

        let area name =
            circuit.Areas |> List.find (fun area -> area.Name = name)

        let id (units: PerturbedUnits) =
            AreaId(circuit.Areas |> List.findIndex (fun area -> area.Name = units.Area))

        let place name =
            circuit.Projections |> List.tryFindIndex (fun one -> Wiring.label one = name)

        /// The place of the projection that takes its place.
        let replacement name =
            replaced experiment
            |> List.tryFindIndex (fun (other, _) -> other = name)
            |> Option.map (fun k -> circuit.Projections.Length + k)

        match declared.Kind with
        | PerturbationKind.Silence units -> [
            Silence(id units, chosen circuit units, Window = window, Trials = trials)
          ]
        | PerturbationKind.Clamp(units, at) -> [
            Clamp(id units, chosen circuit units, course at, Window = window, Trials = trials)
          ]
        | PerturbationKind.Stimulate(units, by, deviation) -> [
            Stimulate(
                id units,
                chosen circuit units,
                course by,
                Noise = noise (area units.Area) deviation,
                Window = window,
                Trials = trials
            )
          ]
        | PerturbationKind.Kick(units, kick) ->
            let state =
                match kick.State, (area units.Area).Dynamics with
                | Some name, OfModel model -> model.States |> Seq.findIndex ((=) name)
                | _ -> 0

            [
                KickStates(
                    id units,
                    chosen circuit units,
                    Array.ofList kick.Values,
                    Adds = kick.Adds,
                    State = state,
                    Window = window,
                    Trials = trials
                )
            ]
        | PerturbationKind.Lesion units -> [
            Lesion(id units, chosen circuit units, Window = window, Trials = trials)
          ]
        | PerturbationKind.ScaleProjection(name, factor) -> [
            for place in Option.toList (place name) @ Option.toList (replacement name) ->
                ScaleProjection(ProjectionId place, factor, Window = window, Trials = trials)
          ]
        | PerturbationKind.ReplaceWeights(name, _) -> [
            for place, inside, outside in
                [
                    Option.get (place name), 0.0, 1.0
                    Option.get (replacement name), 1.0, 0.0
                ] ->
                ScaleProjection(
                    ProjectionId place,
                    inside,
                    Otherwise = outside,
                    Window = window,
                    Trials = trials
                )
          ]

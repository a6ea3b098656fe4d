namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open CheckValues

/// What is wrong with a perturbation.
module internal CheckPerturbations =

    /// The number of units that a perturbation takes, if all of them exist.
    let private units (area: Area) (circuit: Circuit) =
        function
        | PerturbedUnits.Some(_, units) ->
            match units |> List.filter (fun unit -> unit < 0 || unit >= area.Units) with
            | [] when List.isEmpty units ->
                Error [ NotAllowed("the number of units", "0", "at least 1") ]
            | [] when List.distinct units <> units ->
                Error [
                    Contradiction("a unit is named twice", "name each unit once")
                ]
            | [] -> Ok units.Length
            | wrong when area.Units > 0 ->
                Error [
                    for unit in List.distinct wrong ->
                        NotAllowed("a unit", string unit, $"in 0 .. {string (area.Units - 1)}")
                ]
            | _ -> Error []
        | named ->
            PerturbationCompile.endOf named
            |> Option.map (Wiring.resolve circuit)
            |> Option.defaultValue (Error [])
            |> Result.map _.Size

    let private courseValues =
        function
        | Course.Constant value -> [| value |]
        | Course.Steps values -> values
        | Course.OfUnits values -> Array.ofSeq (Seq.cast<float> values)

    /// The number of steps of a course; none where it is constant.
    let private courseSteps =
        function
        | Course.Constant _ -> None
        | Course.Steps values -> Some values.Length
        | Course.OfUnits values -> Some(values.GetLength 0)

    let private course precision count window (course: Course) = [
        match course with
        | Course.OfUnits values when values.GetLength 1 <> count ->
            WrongShape("the time course", shapeOf values, $"(steps, {count}), one column a unit")
        | _ -> ()

        match courseSteps course, window with
        | Some 0, _ -> NotAllowed("the number of steps of the time course", "0", "at least 1")
        | Some given, Some steps when given <> steps ->
            WrongLength("the time course", given, steps, "the steps in which it acts")
        | _ -> ()

        match courseValues course |> Array.tryFind (isFinite precision >> not) with
        | Some wrong -> yield! finiteIn precision "a number of the time course" wrong
        | None -> ()
    ]

    let private nothing what =
        Contradiction($"it changes nothing: {what}", "leave it out")

    /// A time from the beginning of a trial, or from an event: any whole number of steps.
    let private moment field dt (time: float<ms>) = [
        if time <> 0.0<ms> then
            yield! Steps.faults field dt time
    ]

    let private event (task: Task) name = [
        if not (List.contains name task.Events) then
            Unknown(EventName, name, task.Events)
    ]

    /// Faults of the steps in which it acts, and the number of these steps where it is the same in all trials.
    let private steps (dt: float<ms> option) longest (task: Task) (steps: PerturbedSteps) =
        let beyond field (time: float<ms>) until = [
            match dt, longest with
            | Some dt, Some longest when
                (if until then
                     time / dt > float longest + 0.5
                 else
                     time / dt > float longest - 0.5)
                ->
                let trial = string (float longest * float dt)
                let allowed = if until then "at most" else "less than"

                NotAllowed(
                    field,
                    $"{string (float time)} ms",
                    $"{allowed} {trial} ms, the longest trial"
                )
            | _ -> ()
        ]

        match steps with
        | PerturbedSteps.All -> [], longest
        | PerturbedSteps.During name -> event task name, None
        | PerturbedSteps.Between(from, until) ->
            let faults = [
                yield! moment "the beginning" dt from
                yield! Steps.faults "the end" dt until
            ]

            if not (List.isEmpty faults) then
                faults, None
            elif not (from < until) then
                [
                    NotAllowed(
                        "the beginning",
                        $"{string (float from)} ms",
                        $"before the end, {string (float until)} ms"
                    )
                ],
                None
            else
                let beyond = beyond "the beginning" from false @ beyond "the end" until true

                List.truncate 1 beyond,
                dt |> Option.map (fun dt -> int (Math.Round((until - from) / dt: float)))
        | PerturbedSteps.After(name, after, lasting) ->
            let faults = [
                yield! event task name
                yield! moment "the time after the onset" dt after
                yield! Steps.faults "the duration" dt lasting
            ]

            if List.isEmpty faults then
                beyond "the time after the onset" after false,
                dt |> Option.map (fun dt -> int (Math.Round(lasting / dt: float)))
            else
                faults, None

    let private trials =
        function
        | PerturbedTrials.Drawn(0.0, _) -> [ nothing "it acts in no trial" ]
        | PerturbedTrials.Drawn(fraction, _) -> probability "the fraction of trials" fraction
        | PerturbedTrials.All
        | PerturbedTrials.Chosen _ -> []

    let private kickFaults precision (area: Area) count (kick: Kick) = [
        match area.Dynamics, kick.State with
        | WinnerTakeAll _, _ ->
            Contradiction(
                $"{area.Name} is a winner-take-all area, whose state is its choice",
                $"clamp its units, such as clamp {area.Name}[[0]] (Course.constant 1.0)"
            )
        | OfModel model, Some name when not (Seq.contains name model.States) ->
            let states = String.concat ", " model.States
            NotAllowed("the state", name, $"one of {states}, those of {model}")
        | (Leaky | CurrentForm), Some name ->
            Contradiction(
                $"its state is called {name}, and the units of {area.Name} have one, without a name",
                "leave Kick.ofState out"
            )
        | _ -> ()

        if kick.Values.Length <> 1 && kick.Values.Length <> count then
            WrongLength("the kick", kick.Values.Length, count, "one number a unit, or one for all")

        for value in kick.Values |> List.filter (isFinite precision >> not) |> List.truncate 1 do
            yield! finiteIn precision "a number of the kick" value

        if kick.Adds && not kick.Values.IsEmpty && List.forall ((=) 0.0) kick.Values then
            nothing "it adds 0"
    ]

    /// Rules and time constants that cannot learn where states are held or kicked.
    let private learners (experiment: Experiment) (area: Area) (perturbation: Perturbation) = [
        let cuts, moves =
            match perturbation.Kind with
            | PerturbationKind.Silence _
            | PerturbationKind.Clamp _
            | PerturbationKind.Lesion _ -> true, true
            | PerturbationKind.Kick(_, kick) -> not kick.Adds, true
            | _ -> false, false

        if moves && Option.isSome (Wiring.tauRate experiment area) then
            Contradiction(
                $"the time constants of {area.Name} learn, which is not possible where states are held or kicked",
                "leave learnTau out, or stimulate"
            )

        let followers =
            experiment.Circuit.Projections
            |> List.filter (fun projection -> Wiring.areaOf projection.Target = Some area.Name)
            |> List.choose (Wiring.plasticity experiment)
            |> List.filter (fun (rate, rule) -> rate > 0.0 && rule.Credit.IsTowardCurrents)

        match perturbation.Kind, followers with
        | PerturbationKind.Lesion _, (_, rule) :: _ ->
            RuleCannot(
                rule.Name,
                $"learn onto {area.Name}, whose units are lesioned and have no current",
                "silence them, or test with the lesion"
            )
        | _ -> ()

        let kernl =
            experiment.Circuit.Projections
            |> List.choose (Wiring.plasticity experiment)
            |> List.tryPick (fun (rate, rule) ->
                match rule.Credit with
                | LearnedSensitivity _ when rate > 0.0 -> Some rule.Name
                | _ -> None)

        match kernl with
        | Some name when cuts ->
            RuleCannot(
                name,
                "learn where the states of units are held or set: it perturbs the states of all units",
                "take another rule, or stimulate"
            )
        | _ -> ()
    ]

    let private ofUnits
        (experiment: Experiment)
        window
        (perturbation: Perturbation)
        (area: Area)
        count
        = [
        let precision = experiment.Precision

        match perturbation.Kind with
        | PerturbationKind.Clamp(_, held) -> yield! course precision count window held
        | PerturbationKind.Stimulate(_, added, noise) ->
            yield! course precision count window added
            yield! notNegativeIn precision "the noise" noise

            if noise = 0.0 && Array.forall ((=) 0.0) (courseValues added) then
                nothing "it adds 0"
        | PerturbationKind.Kick(_, kick) -> yield! kickFaults precision area count kick
        | PerturbationKind.Lesion _ ->
            if perturbation.Steps <> PerturbedSteps.All then
                Contradiction(
                    "a lesion is for whole trials",
                    "leave the time out, or silence the units"
                )

            match area.Initial with
            | CarriedOver _ ->
                Contradiction(
                    $"the rates of {area.Name} are carried from trial to trial, and a lesion acts before a trial begins",
                    "silence the units"
                )
            | _ -> ()
        | _ -> ()

        yield! learners experiment area perturbation
    ]

    /// The faults of a replacement of weights.
    let private replacement
        isEvaluation
        (experiment: Experiment)
        (earlier: Perturbation list)
        name
        (weights: Matrix<float>)
        = [
        let isReplaced (other: Perturbation) =
            match other.Kind with
            | PerturbationKind.ReplaceWeights(other, _) -> other = name
            | _ -> false

        if not isEvaluation then
            Contradiction(
                "weights are replaced in evaluations, and this is a training",
                "list it in the Perturbations of an Evaluation"
            )

        if List.exists isReplaced earlier then
            Contradiction(
                $"an earlier perturbation replaces the weights of {name} too",
                "evaluate each by itself"
            )

        let projection =
            experiment.Circuit.Projections
            |> List.tryFind (fun one -> Wiring.label one = name)

        match projection with
        | None ->
            Unknown(ProjectionName, name, experiment.Circuit.Projections |> List.map Wiring.label)
        | Some projection ->
            let sizeOf part =
                Wiring.resolve experiment.Circuit part |> Result.map _.Size

            match sizeOf projection.Target, sizeOf projection.Source with
            | Ok post, Ok pre when (weights.RowCount, weights.ColumnCount) <> (post, pre) ->
                WrongShape(
                    "the weights",
                    shape weights.RowCount weights.ColumnCount,
                    $"{shape post pre}, (post, pre)"
                )
            | _ -> ()

        match
            weights.Enumerate(Zeros.AllowSkip)
            |> Seq.tryFind (isFinite experiment.Precision >> not)
        with
        | Some wrong -> yield! finiteIn experiment.Precision "a weight" wrong
        | None -> ()
    ]

    /// The faults of a perturbation, which depend on those declared before it.
    let perturbation
        isEvaluation
        (experiment: Experiment)
        dt
        longest
        (earlier: Perturbation list)
        (perturbation: Perturbation)
        =
        [
            if List.contains perturbation earlier then
                Contradiction("an earlier perturbation is the same", "leave one of them out")

            let faults, window = steps dt longest experiment.Task perturbation.Steps

            match PerturbationCompile.unitsOf perturbation, perturbation.Kind with
            | Some some, _ ->
                match Wiring.findArea experiment.Circuit some.Area with
                | Ok area ->
                    match units area experiment.Circuit some with
                    | Ok count -> yield! ofUnits experiment window perturbation area count
                    | Error faults -> yield! faults
                | Error faults -> yield! faults
            | None, PerturbationKind.ScaleProjection(name, factor) ->
                let known = experiment.Circuit.Projections |> List.map Wiring.label

                if not (List.contains name known) then
                    Unknown(ProjectionName, name, known)

                yield! finiteIn experiment.Precision "the factor" factor

                if factor = 1.0 then
                    nothing "the factor is 1"
            | None, PerturbationKind.ReplaceWeights(name, weights) ->
                yield! replacement isEvaluation experiment earlier name weights
            | None, _ -> ()

            yield! faults
            yield! trials perturbation.Trials
        ]
        |> List.distinct

namespace Rflo.Dsl

open CheckValues
open CheckRules

/// What is wrong with a probe.
module internal CheckProbes =

    let private faultsOf =
        function
        | Ok _ -> []
        | Error faults -> faults

    /// A rule that a probe compares must be able to learn every plastic projection onto an area.
    let private watches (experiment: Experiment) (rule: Rule) = [
        yield! name [] rule.Name
        yield! schedule experiment.Precision experiment.Dt rule
        yield! rewardArrives experiment rule

        let targets =
            experiment.Circuit.Projections
            |> List.filter (fun p -> Option.isSome (Wiring.plasticity experiment p))
            |> List.choose (fun p ->
                match p.Target with
                | OfArea area
                | OfPopulation(area, _) ->
                    Result.toOption (Wiring.findArea experiment.Circuit area)
                | _ -> None)
            |> List.distinct

        if rule.Credit.IsTowardCurrents then
            RuleCannot(
                rule.Name,
                "be compared: least squares change weights and have no increments",
                "compare other rules"
            )

        for target in targets do
            yield! ontoArea experiment.Circuit rule target
            yield! modulatorArrives experiment.Circuit rule target
    ]

    /// Whether the weights of a projection change; `learningRate 0.0` changes none.
    let private moves (experiment: Experiment) (projection: Projection) =
        match Wiring.plasticity experiment projection with
        // A rate that is not a number is reported as a problem of the projection.
        | Some(rate, _) -> rate <> 0.0
        | None -> false

    /// Whether the projection learns by least squares, which have no increments to compare.
    let private isBySquares (experiment: Experiment) (projection: Projection) =
        Wiring.plasticity experiment projection
        |> Option.exists (fun (_, rule) -> rule.Credit.IsTowardCurrents)

    /// Whether Dale's law constrains a projection, as far as the declaration determines it.
    let private isSigned (circuit: Circuit) (projection: Projection) =
        match Wiring.areaOf projection.Source, projection.Target with
        | _, OfReadout _
        | None, _ -> false
        | Some name, _ ->
            match Wiring.findArea circuit name with
            | Ok area -> Option.isSome area.Dale
            | Error _ -> false

    /// Whether some connections of a projection may be missing: a density below 1 may still draw all of them.
    let private mayMiss (circuit: Circuit) (projection: Projection) =
        Wiring.sparesSelf projection
        || match projection.Connectivity, projection.Weights with
           | _, OneToOne _ ->
               match Wiring.resolve circuit projection.Target with
               | Ok target -> target.Size > 1
               | Error _ -> true
           | _, (GivenSparse _ | ReadFrom _) -> true
           | Density fraction, _ -> fraction < 1.0
           | Mask mask, _ -> mask |> Seq.cast<bool> |> Seq.exists not
           | Dense, _ -> false

    /// Why a probe can measure nothing in the circuit, and what to declare.
    let private nothingToMeasure (experiment: Experiment) probe =
        let circuit = experiment.Circuit

        let all predicate =
            List.forall predicate circuit.Projections

        let isOfReadout (p: Projection) = p.Target.IsOfReadout

        match probe with
        | Probe.SpectralRadius area when
            Result.isOk (Wiring.findArea circuit area)
            && all (fun p -> not (Wiring.isRecurrent p && Wiring.areaOf p.Target = Some area))
            ->
            Some(
                $"no projection runs from {area} to itself",
                $"declare one, such as {area} --> {area}"
            )
        // Where nothing at all learns, the problem is reported for the experiment.
        | Probe.Angle _
        | Probe.WeightChange when CheckRules.changesNothing experiment -> None
        | Probe.Angle _ when
            all (fun p -> isOfReadout p || not (moves experiment p) || isBySquares experiment p)
            ->
            Some(
                "no weights onto an area learn",
                "let some learn, such as cortex --> cortex |> learningRate 0.03"
            )
        | Probe.WeightChange when all (moves experiment >> not) ->
            Some("no weights learn", "let some learn, such as |> learningRate 0.03")
        | Probe.Dale when all (isSigned circuit >> not) ->
            Some(
                "Dale's law holds no projection onto an area",
                "give an area that projects to one the law, such as |> dale 0.8"
            )
        | Probe.Masks when all (mayMiss circuit >> not) ->
            Some(
                "every projection has all its connections",
                "leave some out, such as |> density 0.1"
            )
        | _ -> None

    /// Columns that metrics.csv, and the table of a sweep, may have without probes.
    let private columns = [
        "trial"
        "loss"
        "seconds"
        "steps"
        "reward"
        "point"
        "status"
    ]

    /// The faults of a probe, which depend on those declared before it.
    let probe (experiment: Experiment) (earlier: Watched list) (watched: Watched) =
        [
            let own = Probe.name watched.Probe

            if earlier |> List.exists (fun other -> Probe.name other.Probe = own) then
                Contradiction(
                    "an earlier probe measures the same or has its name",
                    "leave one of them out, or give its rule another name"
                )

            if watched.Every < 1 then
                NotAllowed("the interval", $"{string watched.Every} trials", "at least 1 trial")

            yield! CheckLanes.multiple experiment "the interval in trials" watched.Every

            match nothingToMeasure experiment watched.Probe with
            | Some(lacking, remedy) ->
                Contradiction(
                    $"it has nothing to measure: {lacking}",
                    $"{remedy}, or leave the probe out"
                )
            | None -> ()

            match watched.Probe with
            | Probe.Angle(rule, reference) ->
                match rule with
                | Some rule -> yield! watches experiment rule
                | None -> ()

                yield! watches experiment reference
            | Probe.SpectralRadius area
            | Probe.ParticipationRatio area
            | Probe.Rates area -> yield! faultsOf (Wiring.findArea experiment.Circuit area)
            | Probe.Validation trials -> yield! atLeastOne "the number of test trials" trials
            | Probe.Own own -> yield! name columns own.Name
            | Probe.WeightChange
            | Probe.Dale
            | Probe.Masks -> ()
        ]
        |> List.distinct

namespace Rflo.Dsl

open CheckValues
open CheckRules

/// What is wrong with a probe.
module internal CheckProbes =

    let private faultsOf =
        function
        | Ok _ -> []
        | Error faults -> faults

    /// A rule that watches must be able to learn every plastic projection onto an area.
    let private watches (experiment: Experiment) (rule: Rule) = [
        yield! name [] rule.Name
        yield! schedule experiment.Dt rule
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

        for target in targets do
            yield! ontoArea experiment.Circuit rule target
    ]

    /// Columns of metrics.csv that runs have without probes.
    let private columns = [ "trial"; "loss"; "seconds"; "reward" ]

    /// The faults of a probe, beside those before it.
    let probe (experiment: Experiment) (earlier: Watched list) (watched: Watched) =
        [
            let own = Probe.name watched.Probe

            if earlier |> List.exists (fun other -> Probe.name other.Probe = own) then
                Contradiction(
                    "an earlier probe measures the same or has its name",
                    "leave one of them out, or give its rule another name"
                )

            if watched.Every < 1 then
                NotAllowed("the interval", $"{watched.Every} trials", "at least 1 trial")

            match watched.Probe with
            | Probe.Angle(rule, reference) ->
                match rule with
                | Some rule -> yield! watches experiment rule
                | None -> ()

                yield! watches experiment reference
            | Probe.SpectralRadius area
            | Probe.ParticipationRatio area
            | Probe.Rates area -> yield! faultsOf (Wiring.findArea experiment.Circuit area)
            | Probe.Own own -> yield! name columns own.Name
            | Probe.WeightChange
            | Probe.Dale
            | Probe.Masks -> ()
        ]
        |> List.distinct

/// Mistakes in what is measured beside training.
module Rflo.Dsl.Tests.SpoiledProbes

open Rflo.Dsl
open Rflo.Dsl.Tests.Planting

/// One more probe, which has this fault.
let private wrong every probe fault experiment =
    let index, spoiled = withProbe every (probe experiment) experiment
    spoiled |> inProbe index fault [] []

let private numbered (e: Experiment) =
    Probe.custom $"planted.{e.Probes.Length}" (fun _ -> 0.0)

let all = [
    kind "probe that is never read" (fun e -> [
        for every in [ 0; -5 ] do
            e
            |> wrong
                every
                numbered
                (notAllowed "the interval" $"{every} trials" "at least 1 trial")
    ])
    kind "probe of an area that is not there" (fun e -> [
        let ghost = area "ghost" 3

        for probe in
            [
                Probe.spectralRadius
                Probe.participationRatio
                Probe.rates
            ] do
            if e.Probes |> List.forall (fun other -> other.Probe <> probe ghost) then
                e |> wrong 2 (fun _ -> probe ghost) (unknown AreaName areaNames)
    ])
    kind "probe without a name" (fun e -> [
        if e.Probes |> List.forall (fun other -> Probe.name other.Probe <> "") then
            e |> wrong 1 (fun _ -> Probe.custom "" (fun _ -> 0.0)) (always (BadName ""))
    ])
    kind "probe with the name of another column" (fun e -> [
        for name in [ "trial"; "loss"; "seconds" ] do
            if e.Probes |> List.forall (fun other -> Probe.name other.Probe <> name) then
                e
                |> wrong 1 (fun _ -> Probe.custom name (fun _ -> 0.0)) (always (NameTaken name))
    ])
    kind "probe that is there already" (fun e -> [
        let once = e |> probe 3 [ numbered e ]

        once
        |> wrong
            5
            (fun _ -> numbered e)
            (always (
                Contradiction(
                    "an earlier probe measures the same or has its name",
                    "leave one of them out, or give its rule another name"
                )
            ))
    ])
    kind "probe by a rule without a name" (fun e -> [
        // A rule of nothing but rates can watch any circuit.
        let nameless = { Rule.hebb with Name = "" }

        // Otherwise it has nothing to measure either.
        let learns =
            e.Circuit.Projections
            |> List.exists (fun p ->
                not p.Target.IsOfReadout
                && match p.Plasticity with
                   | Learning rate -> rate > 0.0 && e.Rule.Learns = Everything
                   | LearningBy(rate, rule) -> rate > 0.0 && rule.Learns = Everything
                   | Frozen -> false)

        if
            learns
            && e.Probes |> List.forall (fun other -> Probe.name other.Probe <> "angle /hebb")
        then
            e |> wrong 1 (fun _ -> Probe.angleOf nameless Rule.hebb) (always (BadName ""))
    ])
]

/// Mistakes in what stands around a circuit.
module Rflo.Dsl.Tests.SpoiledExperiments

open Rflo.Dsl
open Rflo.Dsl.Tests.Planting

let all = [
    kind "experiment without a name" (fun e -> [
        { e with Name = "" } |> inExperiment 0 (always (BadName "")) [ "name" ] []
    ])
    kind "dt that is no duration" (fun e -> [
        for dt in [ 0.0<ms>; -1.0<ms>; nan * 1.0<ms>; infinity * 1.0<ms> ] do
            { e with Dt = dt }
            |> inExperiment 1 (notAllowed "dt" $"{float dt} ms" "finite and more than 0 ms") [
                "dt"
            ] []
    ])
    kind "negative number of trials" (fun e -> [
        { e with Trials = -3 }
        |> inExperiment 2 (notAllowed "the number of trials" "-3" "at least 0") [ "trials" ] []
    ])
    kind "unknown precision" (fun e -> [
        { e with Precision = enum 7 }
        |> inExperiment 3 (notAllowed "precision" "7" "one of Double, Single") [ "precision" ] []
    ])
    kind "BPTT online" (fun e -> [
        if e.Rule.Credit = BackwardInTime then
            {
                e with
                    Rule = { e.Rule with Update = Online }
            }
            |> inExperiment
                4
                (always (
                    RuleCannot(
                        e.Rule.Name,
                        "update online, since it looks back over a whole trial",
                        "use TrialEnd, or rtrl online"
                    )
                )) [ "rule" ] []
    ])
    kind "updates every 0 trials" (fun e -> [
        {
            e with
                Rule = {
                    e.Rule with
                        Update = EveryTrials(0, Sum)
                }
        }
        |> inExperiment 4 (notAllowed "the number of trials between updates" "0" "at least 1") [
            "rule"
        ] []
    ])
    kind "nothing learns" (fun e -> [
        { e with Trials = 5 }
        |> withCircuit (fun c -> {
            c with
                Projections = c.Projections |> List.map frozen
        })
        |> inExperiment 5 (always NothingLearns) [ "learning" ] [ "trials" ]
    ])
]

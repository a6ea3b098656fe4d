/// Probes in the language: no run feels them, and what they measure has a name.
module Rflo.Dsl.Tests.ProbeTests

open System
open Expecto
open Rflo.Dsl
open Rflo.Testing
open Rflo.Testing.Meaning
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid

let private cortex = area "cortex" 6 |> noise 0.1 |> dale 0.5
let private y = readout "y" 1

/// Any rule can train it: there is noise, feedback and reward.
let private network =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> density 0.8 |> learningRate 0.01
        bias --> cortex |> learningRate 0.01
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.01
    ]
    |> feedback [ errorOf y --> cortex ]

let private plan =
    Task.ofArrays
        (Array2D.zeroCreate 20 0)
        (Array2D.init 20 1 (fun t _ -> sin (2.0 * Math.PI * float (t + 1) / 20.0)))
    |> Task.rewarded [| for t in 1..20 -> float (t % 3) |]
    |> experiment "watched" network
    |> trials 7

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private exactly (values: float seq) =
    values |> Seq.map BitConverter.DoubleToInt64Bits |> List.ofSeq

let private bits (trained: Trained) =
    exactly trained.Losses, trained.Final |> Map.map (fun _ w -> exactly (w.Enumerate()))

let private everything (areas: Area list) = [
    Probe.weightChange
    Probe.dale
    Probe.masks
    Probe.custom "constant" (fun _ -> 1.0)

    for area in areas do
        Probe.spectralRadius area
        Probe.participationRatio area
        Probe.rates area
]

/// A probe that has nothing to measure is refused.
let private measures experiment one =
    Result.isOk (Check.experiment (experiment |> probe 1 [ one ]))

/// Rules that can learn all that is plastic onto areas, and so can watch.
let private watchers (experiment: Experiment) =
    let plastic =
        experiment.Circuit.Projections
        |> List.filter (fun p -> Circuits.isPlastic p && not p.Target.IsOfReadout)

    // Not every task gives rewards.
    let ofRewards = [
        Rule.rewardHebb
        Rule.rewardHebbBaseline
        Rule.rewardHebbLiteral
        Rule.rewardDelta
    ]

    Rule.all
    |> List.filter (fun rule ->
        not (List.contains rule ofRewards)
        && List.forall (canLearn experiment.Circuit rule) plastic)

let private watchedBy rules experiment =
    experiment
    |> probe 2 (everything experiment.Circuit.Areas |> List.filter (measures experiment))
    |> probe 1 [
        for rule in rules do
            if measures experiment (Probe.angle rule) then
                Probe.angle rule
    ]
    |> probe 3 [
        for rule in rules do
            if measures experiment (Probe.angleOf rule Rule.hebb) then
                Probe.angleOf rule Rule.hebb
    ]

let private moments rule = [
    rule
    {
        rule with
            Optimizer = Optimizer.momentum 0.9
    }
    {
        rule with
            Optimizer = Optimizer.adam
            Clip = Clip.Each 0.1
            Schedule = Schedule.inverse 3.0
    }
    {
        rule with
            Update = EveryTrials(2, Mean)
    }
    { rule with Update = Online }
]

let private unfelt =
    testList "the run does not feel them" [
        for rule in Rule.all do
            test $"that learns by {rule.Name}, however it updates" {
                let allowed =
                    moments rule
                    |> List.map (fun rule -> { plan with Rule = rule })
                    |> List.filter (Check.experiment >> Result.isOk)

                Numbers.isGreaterThan allowed.Length 3 "ways to update"

                for experiment in allowed do
                    let watched = train (watchedBy Rule.all experiment)
                    Expect.equal (bits watched) (bits (train experiment)) $"{experiment.Rule}"

                    Expect.isEmpty watched.ProbeFailures "what failed"
            }

        test "but for one that throws: the run ends before that trial, and says which" {
            let left = ref 2

            let broken _ =
                left.Value <- left.Value - 1

                if left.Value = 0 then
                    invalidOp "a mistake of its author"

                1.0

            let trained = train (plan |> probe 1 [ Probe.custom "broken" broken ])

            Expect.equal
                (string trained.Status)
                "failed at trial 1, in the probe broken: a mistake of its author"
                "status"

            Expect.equal
                (Map.toList trained.ProbeFailures)
                [ "broken", "trial 1: a mistake of its author" ]
                "what failed"

            let whole = train (plan |> trials 1)
            Expect.equal (bits trained) (bits whole) "as after the trial before"
        }

        testPropertyWithConfig (config 100) "whatever the circuit" (fun (Valid experiment) ->
            let watched = train (watchedBy (watchers experiment) experiment)
            Expect.equal (bits watched) (bits (train experiment)) "bits")
    ]

let private names =
    testList "what they measure" [
        test "has the names of the parts, and the trials in which it was measured" {
            let trained =
                plan
                |> rule Rule.bptt
                |> probe 3 [
                    Probe.angle Rule.rtrl
                    Probe.angleOf Rule.rflo Rule.bptt
                    Probe.spectralRadius cortex
                    Probe.participationRatio cortex
                    Probe.rates cortex
                    Probe.weightChange
                    Probe.dale
                    Probe.masks
                ]
                |> probe 2 [ Probe.custom "loss-again" _.Activity.Loss ]
                |> train

            let expected =
                Set [
                    for pair in [ "own/rtrl"; "rflo/bptt" ] do
                        for block in [ ""; " cortex->cortex"; " bias->cortex" ] do
                            $"angle {pair}{block}"
                            $"ratio {pair}{block}"

                    "spectral-radius cortex"
                    "participation-ratio cortex"
                    "mean-rate cortex"
                    "saturation cortex"

                    for block in [ "cortex->cortex"; "bias->cortex"; "cortex->y" ] do
                        $"change {block}"
                        $"change-since-last {block}"

                    "dale-zeros-excitatory cortex->cortex"
                    "dale-zeros-inhibitory cortex->cortex"
                    "dale-violations cortex->cortex"
                    "mask-present cortex->cortex"
                    "mask-violations cortex->cortex"
                    "loss-again"
                ]

            Expect.equal (trained.Probes |> Map.toSeq |> Seq.map fst |> Set) expected "columns"

            for KeyValue(name, series) in trained.Probes do
                let every = if name = "loss-again" then 2 else 3
                Expect.equal series.Trials [| 0..every..6 |] name

            Expect.equal
                trained.Probes["loss-again"].Values
                [| for trial in 0..2..6 -> trained.Losses[trial] |]
                "one's own"

            Expect.all
                trained.Probes["angle own/rtrl"].Values
                (fun angle -> angle < 1e-5)
                "BPTT is RTRL"

            Expect.all
                trained.Probes["angle rflo/bptt"].Values
                (fun angle -> angle > 1.0 && angle < 120.0)
                "RFLO is not"
        }

        test "is told of the last weights" {
            let trained =
                plan
                |> probe 2 [
                    Probe.weightChange
                    Probe.custom "weight" (fun seen -> seen.Weights["cortex->y"][0, 3])
                    Probe.custom "rate" (fun seen -> seen.Activity.Rates["cortex"][19, 2])
                ]
                |> train

            let last name = Array.last trained.Probes[name].Values
            let moved = trained.Final["cortex->y"] - trained.Initial["cortex->y"]

            Expect.floatClose
                Accuracy.veryHigh
                (last "change cortex->y")
                (moved.FrobeniusNorm())
                "moved"

            let final = trained.Final["cortex->y"]
            Expect.equal (last "weight") final[0, 3] "weight"
            Expect.isTrue (Double.IsFinite(last "rate")) "rate"
        }

        test "costs memory that is known beforehand" {
            let bytes experiment =
                (Memory.plan experiment).BytesOf Rflo.Core.BufferPurpose.Influence

            let watched = plan |> probe 1 [ Probe.angle Rule.rtrl ]
            Expect.equal (bytes plan) 0L "RFLO has none"

            Numbers.isGreaterThanOrEqual (bytes watched) (6L * 34L * 8L) "RTRL's tensor beside it"
        }
    ]

/// The columns of a probe in the core, which refuses none.
let private columns (experiment: Experiment) (spec: Rflo.Core.ProbeSpec) =
    match Check.experiment experiment with
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")
    | Ok checked' ->
        let session = Run.session (Compile.experiment checked')
        session.Watch [| spec |]
        session.Metrics.Probes.Count

let private silent =
    testList "a probe that has nothing to measure is refused" [
        testPropertyWithConfig (config 60) "and no other" (fun (Valid experiment) ->
            let circuit = experiment.Circuit

            let mayBeWhole =
                circuit.Projections
                |> List.exists (fun p ->
                    match p.Connectivity, p.Weights with
                    | Density _, _
                    | _, (ReadFrom _ | GivenSparse _) -> true
                    | _ -> false)

            for probe', spec in
                [
                    Probe.weightChange, (Rflo.Core.WeightChangeProbe 1: Rflo.Core.ProbeSpec)
                    Probe.dale, Rflo.Core.DaleProbe 1
                    Probe.masks, Rflo.Core.MaskProbe 1
                ] do
                let any = columns experiment spec > 0
                let isTaken = measures experiment probe'

                // A density may draw every connection, and weights in a sparse form may be full.
                if any || not (probe' = Probe.masks && mayBeWhole) then
                    Expect.equal isTaken any (Probe.name probe')

            let plastic =
                circuit.Projections
                |> List.exists (fun p -> Circuits.isPlastic p && not p.Target.IsOfReadout)

            if not plastic then
                Expect.isFalse (measures experiment (Probe.angle Rule.hebb)) "an angle"

            for a in circuit.Areas do
                let onto =
                    circuit.Projections
                    |> List.exists (fun p ->
                        let isOf finish =
                            finish = OfArea a.Name
                            || match finish with
                               | OfPopulation(name, _) -> name = a.Name
                               | _ -> false

                        isOf p.Source && isOf p.Target)

                Expect.equal
                    (measures experiment (Probe.spectralRadius a))
                    onto
                    $"the spectral radius of {a.Name}")

        test "in words that say what is missing" {
            let bare =
                circuit [ area "cortex" 6 --> y |> learningRate 0.01 ]
                |> fun circuit -> experiment "bare" circuit plan.Task

            let texts probes =
                match Check.experiment (bare |> probe 1 probes) with
                | Ok _ -> []
                | Error problems -> problems |> List.map Problem.text

            Expect.equal
                (texts [
                    Probe.weightChange
                    Probe.spectralRadius cortex
                    Probe.angle Rule.hebb
                    Probe.dale
                    Probe.masks
                ])
                [
                    "probe spectral-radius cortex: it has nothing to measure: no projection runs from cortex to itself; declare one, such as cortex --> cortex, or leave the probe out"
                    "probe angle own/hebb: it has nothing to measure: no weights onto an area learn; let some learn, such as cortex --> cortex |> learningRate 0.03, or leave the probe out"
                    "probe dale: it has nothing to measure: Dale's law holds no projection onto an area; give an area that projects to one the law, such as |> dale 0.8, or leave the probe out"
                    "probe masks: it has nothing to measure: every projection has all its connections; leave some out, such as |> density 0.1, or leave the probe out"
                ]
                "problems"
        }
    ]

[<Tests>]
let tests = testList "probes" [ unfelt; names; silent ]

/// Rules that change some projections only: what is left out is as it was, bit for bit.
module Rflo.Dsl.Tests.AblationTests

open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid
open Rflo.Testing.Meaning

let private groups = [ OnlyReadouts; OnlyRecurrent; OnlyInputs ]

let private cortex = area "cortex" 6
let private premotor = area "premotor" 5
let private cue = input "cue" 2
let private hand = readout "hand" 2

/// Something of everything, and an output that is fed back.
let private network =
    Circuit.empty
    |> areas [ premotor; cortex ]
    |> inputs [ cue ]
    |> readouts [ hand ]
    |> projections [
        cue --> premotor |> learningRate 0.1
        bias --> cortex |> learningRate 0.1
        premotor --> premotor |> learningRate 0.1
        premotor --> cortex |> learningRate 0.1
        hand --> cortex |> learningRate 0.1
        cortex --> hand |> learningRate 0.1
        bias --> hand |> learningRate 0.1
    ]
    |> feedback [ errorOf hand --> premotor; errorOf hand --> cortex ]

let private plan =
    let wave t k = sin (float (t + 3 * k))

    experiment
        "ablation"
        network
        (Task.ofArrays (Array2D.init 12 2 wave) (Array2D.init 12 2 (fun t k -> 2.0 * wave t k)))
    |> trials 4

let private changed experiment =
    match Run.train experiment with
    | Ok trained ->
        Expect.equal trained.Status.End RunEnd.Completed (string trained.Status)

        [
            for p in experiment.Circuit.Projections do
                let name = Projection.name p

                if trained.Initial[name] <> trained.Final[name] then
                    name
        ]
    | Error problems -> failtestf "%A" (problems |> List.map Problem.text)

let private moved = [
    OnlyReadouts, [ "cortex->hand"; "bias->hand" ]
    OnlyRecurrent, [ "premotor->premotor"; "premotor->cortex"; "hand->cortex" ]
    OnlyInputs, [ "cue->premotor"; "bias->cortex" ]
]

let private helpers = [
    OnlyReadouts, Rule.readoutOnly
    OnlyRecurrent, Rule.recurrentOnly
    OnlyInputs, Rule.inputOnly
]

/// The bits of every weight after a run, however it ended.
let private after experiment ready =
    let compiled = Compile.experiment ready
    let session = Run.session compiled

    let before = [|
        for k in 0 .. compiled.Projections.Length - 1 -> session.Weights(ProjectionId k)
    |]

    session.Run experiment.Trials |> ignore

    let after = [|
        for k in 0 .. compiled.Projections.Length - 1 -> session.Weights(ProjectionId k)
    |]

    let bits = Array.map (Array.map System.BitConverter.DoubleToInt64Bits)
    bits before, bits after

[<Tests>]
let tests =
    testList "ablations" [
        for learns, only in helpers do
            for rule in
                [
                    Rule.rflo
                    Rule.bptt
                    Rule.rtrl
                    Rule.kfRtrl
                    {
                        Rule.rflo with
                            Update = Online
                            Optimizer = Optimizer.adam
                    }
                    {
                        Rule.rflo with
                            Readout = RecursiveLeastSquares(1.0, 1.0, 1)
                    }
                    {
                        Rule.bptt with
                            Readout = RidgeRegression(1.0, 2.0<ms>, 1)
                    }
                ] do
                test
                    $"{learns} of {rule.Name}, {rule.Readout}, {rule.Update}, moves that group and no other" {
                    let expected = moved |> List.find (fst >> (=) learns) |> snd

                    Expect.equal
                        (changed (plan |> Experiment.rule (only rule)))
                        (network.Projections
                         |> List.map Projection.name
                         |> List.filter (fun name -> List.contains name expected))
                        "what changed"
                }

        test "everything is the sum of the groups" {
            Expect.equal
                (changed plan)
                (network.Projections |> List.map Projection.name)
                "all of it changes"
        }

        test "time constants and initial states learn with everything, and with no group alone" {
            let learns = {
                plan with
                    Circuit =
                        (network, [ "premotor"; "cortex" ])
                        ||> List.fold (fun circuit name ->
                            circuit |> Circuit.mapArea name (learnTau 0.1 >> learnInitial 0.1))
            }

            let movedBy (rule: Rule) =
                match Run.train (learns |> Experiment.rule rule) with
                | Error problems -> failtestf "%A" (problems |> List.map Problem.text)
                | Ok trained -> [
                    for KeyValue(name, matrix) in trained.Final do
                        if
                            (name.StartsWith "tau " || name.StartsWith "start ")
                            && trained.Initial[name] <> matrix
                        then
                            name
                  ]

            for rule in [ Rule.rflo; Rule.bptt; Rule.rtrl ] do
                Expect.equal
                    (movedBy rule)
                    [
                        "start cortex"
                        "start premotor"
                        "tau cortex"
                        "tau premotor"
                    ]
                    $"all by {rule.Name}"

                for learns, only in helpers do
                    Expect.equal (movedBy (only rule)) [] $"{learns} by {rule.Name}"
        }

        testPropertyWithConfig
            (config 100)
            "what a rule leaves out stays as it was, bit for bit"
            (fun (Valid experiment) ->
                for learns in groups do
                    let ablated = {
                        experiment with
                            Rule = { experiment.Rule with Learns = learns }
                    }

                    match Check.experiment ablated with
                    | Error problems ->
                        // Nothing else may be wrong than that nothing is left.
                        for problem in problems do
                            match problem with
                            | {
                                  Part = InExperiment
                                  Fault = RuleCannot _
                              } -> ()
                            | _ -> failtest (Problem.text problem)
                    | Ok ready ->
                        let before, after = after ablated ready

                        for k, p in List.indexed ablated.Circuit.Projections do
                            if p.Plasticity.IsLearning && groupOf p <> learns then
                                Expect.equal after[k] before[k] (Projection.name p))
    ]

/// Rules from a function, in the language.
module Rflo.Dsl.Tests.OwnRuleTests

open Expecto
open Rflo.Core
open Rflo.Dsl

let private mine = Rule.define "RFLO by hand" ByHand.rflo

let private network hasFeedback =
    let cortex, y = area "cortex" 10 |> tau 10.0<ms>, readout "y" 1

    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.05
        bias --> cortex |> weights (gaussian 0.1) |> learningRate 0.02
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.05
    ]
    |> feedback [
        if hasFeedback then
            errorOf y --> cortex
    ]

let private plan learned =
    experiment "own" (network true) (Task.periodic 40.0<ms> [ harmonic 1 1.0 ])
    |> rule learned
    |> trials 30

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> problems |> List.map Problem.text

let private final experiment =
    match Run.train experiment with
    | Ok trained ->
        Expect.isTrue trained.Status.IsWell "it ends well"
        trained
    | Error problems -> failtest $"{problems}"

[<Tests>]
let tests =
    testList "rules of one's own" [
        test "RFLO by hand learns what RFLO learns, by either path, online and at ends of trials" {
            for error in [ DeclaredFeedback; SymmetricPath ] do
                for update in [ Online; TrialEnd; EveryTrials(4, Mean) ] do
                    let as' rule =
                        final (
                            plan {
                                rule with
                                    Error = error
                                    Update = update
                            }
                        )

                    let own, core = as' mine, as' Rule.rflo

                    for KeyValue(name, weights) in core.Final do
                        let difference = (own.Final[name] - weights).FrobeniusNorm()
                        Numbers.isLessThan difference 1e-10 $"{name}, {error}, {update}"
        }

        test "one that reads errors is refused where none arrives, and one that reads none is not" {
            let without learned = {
                plan learned with
                    Circuit = network false
            }

            Expect.isNonEmpty (problems (without mine)) "it would learn nothing"

            Expect.isEmpty
                (problems (without (Rule.defineUnsupervised "Hebb by hand" (fun _ _ -> ()))))
                "it needs none"
        }

        test "its name is what it is known by, so it has one" {
            Expect.exists
                (problems (plan (Rule.define " " ByHand.rflo)))
                _.Contains("the description of a rule of your own")
                "no name"

            Expect.equal (Rule.define "a" ByHand.rflo) (Rule.define "a" ByHand.rflo) "one name"
            Expect.notEqual (Rule.define "a" ByHand.rflo) (Rule.define "b" ByHand.rflo) "two names"
        }

        test "one that throws ends the run by name" {
            let broken =
                Rule.define "broken" (fun _ now ->
                    if now.Trial = 2 then
                        failwith "no trial 2")

            match Run.train (plan broken) with
            | Error problems -> failtest $"{problems}"
            | Ok trained ->
                Expect.equal trained.Status.End RunEnd.Failed "it fails"

                Expect.stringContains
                    trained.Status.Where
                    "the rule broken in area cortex: no trial 2"
                    "by name"
        }

        test "a learner sees whole trials" {
            let seen = ResizeArray<float>()

            let learner =
                Rule.defineLearner "of losses" (fun _ -> {
                    new AreaLearner() with
                        member _.ObserveStep _ = ()
                        member _.ObserveTrial last = seen.Add last.TrialLoss
                })

            let trained = final (plan learner)
            Expect.sequenceEqual (Seq.skip (seen.Count - 30) seen) trained.Losses "their losses"
        }
    ]

module Rflo.Testing.Tests.GenerateTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing

let private sample count gen =
    Gen.sampleWithSeed (Rnd 7UL) 10 count gen |> List.ofArray

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> Problem.report "random" problems

let private valid experiment =
    Expect.isEmpty (problems experiment) "problems"

[<Tests>]
let tests =
    testList "generators" [
        test "experiments are valid, and so is what is smaller" {
            for experiment in sample 60 Generate.experiments do
                valid experiment

                for smaller in Generate.smaller experiment |> Seq.truncate 10 do
                    valid smaller
        }

        test "experiments of a rule learn by it" {
            for rule in
                [
                    Rule.rflo
                    Rule.nodePerturbation
                    Rule.rewardHebb
                    Rule.force
                ] do
                for experiment in sample 20 (Generate.experimentsOf rule) do
                    valid experiment
                    Expect.equal experiment.Rule rule "rule"

                    Expect.exists
                        experiment.Circuit.Projections
                        (fun p -> p.Plasticity <> Frozen)
                        "something learns"
        }

        test "tasks fit the circuit" {
            for circuit in sample 20 Generate.circuits do
                for task in sample 3 (Generate.tasks circuit) do
                    // Gates may wait for events that such a task does not have.
                    let open' = {
                        circuit with
                            Projections = circuit.Projections |> List.map (gate Always)
                    }

                    valid (experiment "fits" (Circuit.freeze open') task |> trials 0)
        }

        test "weights and trials have the shapes that were asked for" {
            for weights in sample 20 (Generate.weights 3 2) do
                Expect.equal (weights.GetLength 0, weights.GetLength 1) (3, 2) "shape"

            let trials = sample 40 (Generate.trials 2 1)

            for trial in trials do
                let steps = trial.Targets.GetLength 0
                Expect.equal (trial.Inputs.GetLength 0) steps "steps"
                Expect.equal (trial.Inputs.GetLength 1, trial.Targets.GetLength 1) (2, 1) "widths"

                for shorter in Generate.shorter trial do
                    Numbers.isLessThan (shorter.Targets.GetLength 0) steps "shorter"

            Expect.exists trials _.Mask.IsSome "some have a mask"
        }

        test "FsCheck finds them as arbitrary values" {
            let map = ArbMap.defaults |> ArbMap.mergeWith<Arbitraries>

            let holds: Experiment -> Circuit -> TrialData -> bool =
                fun experiment circuit trial ->
                    List.isEmpty (problems experiment)
                    && not (List.isEmpty circuit.Areas)
                    && trial.Targets.GetLength 0 > 0

            let config =
                Config.QuickThrowOnFailure
                    .WithArbitrary([ typeof<Arbitraries> ])
                    .WithMaxTest(20)
                    .WithQuietOnSuccess(true)

            Check.One(config, holds)
            Expect.isNotNull (box (map.ArbFor<Circuit>())) "in a map too"
        }
    ]

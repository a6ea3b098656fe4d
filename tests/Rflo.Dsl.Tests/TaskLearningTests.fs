/// Circuits learn tasks of phases, each beside a control that cannot.
module Rflo.Dsl.Tests.TaskLearningTests

open Expecto
open Rflo.Dsl

let private cortex = area "cortex" 40

/// A network that learns by that rule; deaf, it is told of its errors but hears nothing.
let private network channels outputs isDeaf rate =
    let x = input "x" channels
    let y = readout "y" outputs
    let hearing = if isDeaf then constant 0.0 else gaussian 1.0

    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.2) |> learningRate rate
        x --> cortex |> weights hearing
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate rate
    ]
    |> feedback [ errorOf y --> cortex ]

let private train learningRule channels outputs isDeaf rate task count =
    let learner =
        experiment "learn" (network channels outputs isDeaf rate) task
        |> rule learningRule
        |> trials count

    match Run.train learner with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let private last count (trained: Trained) =
    Array.average trained.Losses[trained.Losses.Length - count ..]

/// The share of right decisions in tests with learning off.
let private rightOf task count (trained: Trained) =
    match Run.perform trained task count with
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))
    | Ok shown ->
        let decisions = List.choose Measure.decision shown
        let right = decisions |> List.filter (fun (asked, chosen) -> asked = chosen)
        float right.Length / float decisions.Length

[<Tests>]
let tests =
    testList "learning tasks of phases" [
        test "RFLO learns to decide by noisy evidence, and cannot without hearing it" {
            let task =
                Task.perceptualDecision {
                    PerceptualDecision.standard with
                        Stimulus = fixedFor 50.0<ms>
                        Decision = fixedFor 30.0<ms>
                        Coherences = [ 0.5 ]
                }

            let hears = train Rule.rflo 3 2 false 0.1 task 400
            let deaf = train Rule.rflo 3 2 true 0.1 task 400
            let right, chance = rightOf task 200 hears, rightOf task 200 deaf
            Numbers.isGreaterThan right 0.9 "right"
            Numbers.isLessThan chance 0.65 "without hearing"
            Numbers.isLessThan (last 100 hears) (0.8 * last 100 deaf) "loss"
        }

        test "BPTT learns a flip-flop of one bit, and cannot without hearing it" {
            let task = Task.flipFlop { FlipFlop.standard with Bits = 1 }
            let hears = train Rule.bptt 1 1 false 0.1 task 400
            let deaf = train Rule.bptt 1 1 true 0.1 task 400
            Numbers.isLessThan (last 100 hears) (0.4 * last 100 deaf) "loss"
        }
    ]

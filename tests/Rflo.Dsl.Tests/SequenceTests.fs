/// The loop of cortex, basal ganglia and thalamus learns a sequence of syllables in two stages (Murray 2019, Fig 4), at a
/// small size: which forms of the reward rule learn it, and under which condition.
module Rflo.Dsl.Tests.SequenceTests

open Expecto
open Rflo.Dsl

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let private perform trained task count =
    match Run.perform trained task count with
    | Ok activities -> activities
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let private moves = {
    Syllables.standard with
        Move = 100.0<ms>
        Bounds = Some(0.0, 1.0)
}

let private cortex = Modules.syllables 40 4 0.01

/// The first stage, trained once for all tests.
let private syllables =
    lazy (train (experiment "syllables" cortex (Task.syllables moves) |> trials 3000))

let private square = moves |> Syllables.inOrder [ 0; 1; 2; 3 ]
let private chosen = square |> Syllables.chosenBy "striatum"

/// Without a workspace, no choice is barred.
let private anywhere = { chosen with Bounds = None }

let private learned rule task =
    let loop =
        cortex
        |> Circuit.withWeights syllables.Value.Final
        |> Modules.sequenced rule 2.0 0.1

    train (experiment "sequence" loop (Task.syllables task) |> trials 1000)

/// How many of ten chained trials without a teacher make all three transitions.
let private performs task trained =
    perform trained (Task.syllables task) 10
    |> List.filter (fun activity -> Array.sum activity.Rewards = 3.0)
    |> List.length

[<Tests>]
let tests =
    testList "a sequence of syllables" [
        test "syllables are learned: taught one after another, each goes its way" {
            let first = syllables.Value

            let mean from =
                Array.average first.Losses[from .. from + 99]

            Numbers.isLessThan (mean 2900) (0.3 * mean 0) "loss"

            for taught in perform first (Task.syllables square) 3 do
                let path =
                    Measure.path
                        { square with Bounds = None }
                        1.0<ms>
                        (0.0, 0.0)
                        taught.Outputs["velocity"]

                for k in 0..3 do
                    let (x0, y0), (x1, y1) = path[100 * k], path[100 * k + 100]
                    let dx, dy = square.Directions[k]
                    let along = (x1 - x0) * dx + (y1 - y0) * dy
                    let length = sqrt ((x1 - x0) ** 2.0 + (y1 - y0) ** 2.0)
                    Numbers.isGreaterThan (along / length) 0.9 $"direction of syllable {k}"
        }

        test "the loop performs it with no teacher; a closed gate, or no learning, fails" {
            let second = learned Rule.rewardHebb chosen
            Expect.equal (performs chosen second) 10 "chained trials"

            for name in Map.keys syllables.Value.Final do
                Expect.equal second.Final[name] syllables.Value.Final[name] $"{name} is frozen"

            let shut =
                second.Experiment.Circuit
                |> Circuit.mapProjection "cortex->striatum" (gate (every 1e6<ms>))

            Expect.equal
                (performs chosen {
                    second with
                        Experiment = {
                            second.Experiment with
                                Circuit = shut
                        }
                })
                0
                "closed gate"

            Expect.equal (performs chosen { second with Final = second.Initial }) 0 "untrained"
        }

        test "the literal rule, current for winner, does not learn it" {
            Expect.equal (performs chosen (learned Rule.rewardHebbLiteral chosen)) 0 "performed"
        }

        test
            "with every choice allowed, the plain rule does not learn it; a baseline and the delta rule do" {
            Expect.equal (performs anywhere (learned Rule.rewardHebb anywhere)) 0 "plain"

            Expect.equal
                (performs anywhere (learned Rule.rewardHebbBaseline anywhere))
                10
                "baseline"

            Expect.equal (performs anywhere (learned Rule.rewardDelta anywhere)) 10 "delta"
        }

        test "weights of a run go where their names are, and nowhere else" {
            let wired = cortex |> Circuit.withWeights syllables.Value.Final
            Expect.equal (Circuit.projectionNames wired) (Circuit.projectionNames cortex) "names"
            let again = train (experiment "again" wired (Task.syllables moves) |> trials 0)
            Expect.equal again.Initial syllables.Value.Final "weights"
            Expect.equal (Circuit.withWeights Map.empty cortex) cortex "none"
        }
    ]

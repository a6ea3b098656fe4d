/// Test trials while a run trains: no bit of it depends on them, unless a choice looks at them.
module Rflo.Dsl.Tests.ValidationTests

open System
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Dsl

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

/// A short decision that a few dozen trials teach.
let private decision coherence =
    Task.perceptualDecision {
        PerceptualDecision.standard with
            Coherences = [ coherence ]
            Fixation = fixedFor 2.0<ms>
            Stimulus = fixedFor 10.0<ms>
            Decision = fixedFor 5.0<ms>
    }

let private plain =
    let a = area "a" 16 |> tau 5.0<ms>
    let x = input "x" 3
    let y = readout "y" 2

    let network =
        Circuit.empty
        |> areas [ a ]
        |> inputs [ x ]
        |> readouts [ y ]
        |> projections [
            x --> a |> weights (gaussian 1.0) |> learningRate 0.02
            a --> a |> weights (gaussian 1.0) |> learningRate 0.02
            a --> y |> weights (uniformScaled 0.1) |> learningRate 0.02
        ]

    experiment "validated" network (decision 0.5)
    |> rule {
        Rule.bptt with
            Optimizer = Optimizer.adam
            Update = EveryTrials(4, Mean)
    }
    |> trials 60

let private bits (values: float seq) =
    values |> Seq.map BitConverter.DoubleToInt64Bits |> List.ofSeq

let private weightBits (weights: Map<string, MathNet.Numerics.LinearAlgebra.Matrix<float>>) =
    weights |> Map.map (fun _ w -> bits (w.Enumerate()))

let private losses (trained: Trained) = trained.Probes["validation loss"]

let private performances (trained: Trained) =
    trained.Probes["validation performance"]

let private shown weights task count =
    ok (Run.performWith weights plain task count)

let private texts experiment =
    match Check.experiment experiment with
    | Ok _ -> ""
    | Error problems -> problems |> List.map Problem.text |> String.concat "; "

[<Tests>]
let tests =
    testList "validation" [
        test "changes no bit of what learns, whatever is run at once" {
            let bare = ok (Run.train plain)
            let validated = ok (plain |> validate 7 5 |> Run.train)
            Expect.equal (weightBits validated.Final) (weightBits bare.Final) "weights"
            Expect.equal (bits validated.Losses) (bits bare.Losses) "losses"
            Expect.equal (losses validated).Trials [| for k in 1..8 -> 7 * k - 1 |] "when"
        }

        test "is the mean of test trials by the weights of the moment" {
            let trained = ok (plain |> validate 20 6 |> Run.train)
            let trials = shown trained.Final plain.Task 6
            Expect.equal (losses trained).Trials [| 19; 39; 59 |] "when"

            Expect.equal
                (losses trained).Values[2]
                (trials |> List.map _.Loss |> List.fold (+) 0.0 |> fun sum -> sum / 6.0)
                "loss"

            Expect.equal
                (performances trained).Values[2]
                (trials |> List.averageBy _.Performance)
                "performance"

            let earlier = ok (plain |> Experiment.trials 40 |> validate 20 6 |> Run.train)

            Expect.equal
                (losses earlier).Values[1]
                (losses trained).Values[1]
                "the same test trials in a shorter run"
        }

        test "counts the trials alone that have a loss, and a performance" {
            let task =
                Task.ofTrials 6.0<ms> (fun _ stream ->
                    let isMasked = stream.Chance 0.5

                    {
                        Inputs = Array2D.create 6 3 1.0
                        Targets = Array2D.init 6 2 (fun _ k -> float k)
                        Mask = Some(Array2D.create 6 2 (if isMasked then 0.0 else 1.0))
                        Events = []
                        Rewards = None
                        Conditions = []
                    })
                |> Task.scored Score.Decision

            let trained =
                ok ({ plain with Task = task } |> Experiment.trials 8 |> validate 8 12 |> Run.train)

            let found = ok (Run.perform trained task 12)
            let scored = found |> List.filter (fun shown -> not (Double.IsNaN shown.Loss))
            Numbers.isLessThan scored.Length 12 "some have no target"

            Numbers.isLessThan
                (abs ((losses trained).Values[0] - (scored |> List.averageBy _.Loss)))
                1e-12
                "loss"

            Expect.equal
                (performances trained).Values[0]
                (scored |> List.averageBy _.Performance)
                "performance"
        }

        test "stops, and keeps the best weights, where it is asked to" {
            let every = plain |> validate 5 10
            let whole = ok (every |> byValidation |> keepBest |> Run.train)
            let values = (losses whole).Values
            let best = Array.min values
            let ofBest = shown whole.Best plain.Task 10

            Numbers.isLessThan
                (abs (best - List.averageBy (fun (shown: Activity) -> shown.Loss) ofBest))
                1e-12
                "the best weights have the smallest validation loss"

            Numbers.isLessThanOrEqual best (Array.last values) "no larger than the last"

            // A target between the first value and the smallest is reached at the first validation below it.
            let target = 0.5 * (values[0] + best)
            let place = values |> Array.findIndex (fun value -> value <= target)
            let stopped = ok (every |> byValidation |> stopAtLoss target |> Run.train)
            Expect.equal stopped.Status.End RunEnd.Stopped "by its loss"
            Expect.equal stopped.Losses.Length (5 * (place + 1)) "as soon as it is reached"
            Expect.stringContains stopped.Status.Where "validation loss" "says why"
            Expect.equal (bits stopped.Losses) (bits whole.Losses[.. stopped.Losses.Length - 1]) ""

            Expect.equal
                (ok (Behavior.test whole plain.Task 3)).Length
                3
                "tests of a run that looks at validations"

            let reached = (performances whole).Values |> Array.max
            let first = (performances whole).Values |> Array.findIndex ((=) reached)
            let right = ok (every |> stopAtPerformance reached |> Run.train)
            Expect.equal right.Losses.Length (5 * (first + 1)) "by its performance"
            Expect.stringContains right.Status.Where "validation performance" "says why"
        }

        test "patience counts trials since the best validation" {
            // Nothing learns well at a rate of 0: the first validation stays the best.
            let still = {
                plain with
                    Circuit =
                        plain.Circuit
                        |> Circuit.mapProjection "a->y" (learningRate 1e-300)
                        |> Circuit.mapProjection "a->a" frozen
                        |> Circuit.mapProjection "x->a" frozen
                    Rule = { Rule.rflo with Update = TrialEnd }
            }

            let still = {
                still with
                    Circuit =
                        still.Circuit
                        |> feedback [
                            errorOf (Circuit.readout "y" still.Circuit)
                            --> Circuit.area "a" still.Circuit
                        ]
            }

            let run = ok (still |> validate 5 4 |> byValidation |> patience 13 |> Run.train)
            Expect.equal run.Losses.Length 18 "5 trials, and 13 more"
            Expect.stringContains run.Status.Where "no smaller validation loss for 13" "says why"
        }

        test "goes on from a checkpoint as if it had never stopped" {
            let whole = plain |> validate 6 4 |> byValidation |> keepBest |> patience 1000

            let begin' () =
                match Check.experiment whole with
                | Ok ready -> Run.start ready
                | Error problems -> failtest $"%A{List.map Problem.text problems}"

            let ending (running: Run.Running) =
                let status = Run.go (fun _ _ -> ()) CancellationToken.None running
                Run.finish running status

            let straight = ending (begin' ())

            for stop in [ 5; 6; 33 ] do
                let first = begin' ()
                first.Session.Run stop |> ignore
                let second = begin' ()
                second.Session.Restore(first.Session.Capture())

                Expect.equal
                    second.Session.Metrics.BestTrial
                    first.Session.Metrics.BestTrial
                    $"which was the best, {stop}"

                let again = ending second
                Expect.equal (weightBits again.Final) (weightBits straight.Final) $"final, {stop}"
                Expect.equal (weightBits again.Best) (weightBits straight.Best) $"best, {stop}"

                Expect.equal
                    (bits (losses again).Values)
                    (bits (losses straight).Values)
                    $"validations, {stop}"
        }

        test "a curriculum is passed by it, of the stage in hand" {
            let easy, hard = decision 3.0, decision 0.1

            let taught =
                {
                    plain with
                        Task = Task.curriculum [ easy, PerformanceAbove 0.7 ] hard
                }
                |> validate 5 20

            let trained = ok (Run.train taught)
            let stages = Measure.stages taught.Task trained
            let passed = (performances trained).Values |> Array.findIndex (fun p -> p > 0.7)
            Expect.equal (stages |> Array.findIndex ((=) 1)) (5 * (passed + 1)) "as soon as it is"

            Expect.equal
                (ok (Behavior.test trained taught.Task 3)).Length
                3
                "tests of a run that looks at validations"

            let alone = ok ({ plain with Task = easy } |> validate 5 20 |> Run.train)

            Expect.equal
                (performances alone).Values[..passed]
                (performances trained).Values[..passed]
                "before, of the first stage"

            let byLoss =
                {
                    plain with
                        Task = Task.curriculum [ easy, ValidationLossBelow 1e3 ] hard
                }
                |> validate 5 2

            Expect.equal
                (Measure.stages byLoss.Task (ok (Run.train byLoss)) |> Array.findIndex ((=) 1))
                5
                "by its loss"
        }

        test "what looks at none is refused, and so is a performance that no task defines" {
            Expect.stringContains (texts (byValidation plain)) "byValidation needs a validation" ""

            Expect.stringContains
                (texts (stopAtPerformance 0.9 plain))
                "stopAtPerformance needs a validation, and none is declared; declare one, such as |> validate 50 100"
                ""

            let curriculum = {
                plain with
                    Task = Task.curriculum [ decision 0.5, PerformanceAbove 0.7 ] (decision 0.1)
            }

            Expect.stringContains (texts curriculum) "performanceAbove needs a validation" ""

            for performance in [ 0.0; -0.5; 1.5; nan; infinity ] do
                Expect.stringContains
                    (texts (plain |> validate 5 5 |> stopAtPerformance performance))
                    "the performance to stop at is"
                    $"{performance}"

            Expect.equal
                (texts (plain |> validate 5 5 |> stopAtPerformance 1.0))
                ""
                "all right can be reached"

            for performance in [ -0.1; 1.0; nan ] do
                let curriculum = {
                    plain with
                        Task =
                            Task.curriculum
                                [ decision 0.5, PerformanceAbove performance ]
                                (decision 0.1)
                }

                Expect.stringContains
                    (texts (curriculum |> validate 5 5))
                    "the performance above which"
                    $"{performance}"

            let unscored = {
                plain with
                    Task = { plain.Task with Score = None }
            }

            Expect.stringContains
                (texts (unscored |> validate 5 5 |> stopAtPerformance 0.9))
                "the task defines none"
                ""

            let inside = {
                plain with
                    Task = Task.mixture [ curriculum.Task, 1.0 ]
            }

            Expect.stringContains (texts (inside |> validate 5 5)) "within a mixture" ""
            Expect.stringContains (texts (plain |> validate 5 0)) "the number of test trials" ""
            Expect.stringContains (texts (plain |> validate 0 5)) "the interval" ""
        }
    ]

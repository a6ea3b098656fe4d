/// The advice after a divergence names what the run has, and what can have been the cause.
module Rflo.Host.Tests.AdviceTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Host
open Rflo.Testing

let private diverged trial (experiment: Experiment) =
    match
        Run.train {
            experiment with
                Trials = 0
                Probes = []
        }
    with
    | Ok trained ->
        Some(
            Advice.ofRun {
                trained with
                    Experiment = experiment
                    Status = RunStatus(RunEnd.Diverged, trial, 1, "area a")
            }
        )
    | Error _ -> None

let private y = readout "y" 1
let private reservoir = area "res" 20

let private network onto =
    Circuit.empty
    |> areas [ reservoir ]
    |> readouts [ y ]
    |> projections [
        reservoir --> reservoir |> weights (gaussian 0.8)
        reservoir --> y |> onto
    ]

let private wave = Task.periodic 20.0<ms> [ (1, 1.0) ]

let private said trial experiment =
    match diverged trial experiment with
    | Some text -> text
    | None -> failtest "problems"

let private has (text: string) (words: string) = text.Contains words

[<Tests>]
let tests =
    testList "advice" [
        test "names a learning rate where something learns by one, and the part" {
            for experiment in Generate.experiments |> Gen.sampleWithSeed (Rnd 43299UL) 12 120 do
                match diverged 3 experiment with
                | None -> ()
                | Some text ->
                    let byRate =
                        experiment.Circuit.Projections
                        |> List.filter (fun projection ->
                            match projection.Plasticity with
                            | Frozen -> false
                            | Learning rate ->
                                rate > 0.0
                                && (not projection.Target.IsOfReadout
                                    || experiment.Rule.Readout.IsDeltaRule)
                            | LearningBy(rate, rule) ->
                                rate > 0.0
                                && (not projection.Target.IsOfReadout || rule.Readout.IsDeltaRule))

                    if
                        byRate.IsEmpty
                        && experiment.Circuit.Areas
                           |> List.forall (fun area ->
                               area.TauRate.IsNone && area.InitialRate.IsNone)
                    then
                        Expect.isFalse (has text "learning rate") text

                    let isScoped =
                        experiment.Circuit.Projections
                        |> List.exists (fun projection ->
                            match projection.Plasticity with
                            | LearningBy(_, rule) -> rule.Learns <> Everything
                            | _ -> experiment.Rule.Learns <> Everything)

                    if not isScoped then
                        for projection in byRate do
                            Expect.stringContains
                                text
                                $"{Projection.name projection} "
                                "the projection"
        }

        test "under recursive least squares is about what they have, and no learning rate" {
            let rule = {
                Rule.force with
                    Readout = RecursiveLeastSquares(1.0, 0.99, 1)
            }

            let text =
                experiment "e" (network (learningRate 1.0)) wave
                |> Experiment.rule rule
                |> said 0

            Expect.isFalse (has text "learning rate") text
            Expect.isFalse (has text "gain") "rates of tanh are bounded"

            Expect.stringContains
                text
                "raise the forgetting of the recursive least squares of res->y to 1 (it is 0.99"
                "forgetting"

            Expect.stringContains
                text
                "raise the alpha of the recursive least squares of res->y (it is 1)"
                "alpha"
        }

        test "under full-FORCE is about its least squares too" {
            let x, y = input "x" 1, readout "y" 1
            let teacher, learner = area "teacher" 6, area "learner" 6

            let rule = {
                Rule.fullForce "teacher" with
                    Credit = TowardCurrents("teacher", 2.0, 0.5, 1)
            }

            let text =
                experiment
                    "e"
                    (circuit [
                        x --> learner
                        teacher --> teacher
                        learner --> learner |> learnBy rule 1.0
                        learner --> y
                    ])
                    (Task.ofArrays (Array2D.create 20 1 1.0) (Array2D.create 20 1 0.0))
                |> said 0

            Expect.isFalse (has text "learning rate") text

            Expect.stringContains
                text
                "raise the forgetting of the recursive least squares of learner->learner to 1 (it is 0.5"
                "forgetting"

            Expect.stringContains
                text
                "raise the alpha of the recursive least squares of learner->learner (it is 2)"
                "alpha"
        }

        test "under ridge regression is about its alpha" {
            let text =
                experiment "e" (network (learningRate 1.0)) wave
                |> Experiment.rule Rule.ridge
                |> said 5

            Expect.isFalse (has text "learning rate") text
            Expect.stringContains text "raise the alpha of the ridge regression of res->y" "alpha"
        }

        test "before anything has learned is about no learning" {
            let loud = {
                network (learningRate 0.1) with
                    Areas = [
                        {
                            reservoir with
                                Transfer = Transfer.Relu
                        }
                    ]
            }

            let trialEnd = experiment "e" loud wave |> Experiment.rule Rule.rflo
            let text = said 0 trialEnd
            Expect.isFalse (has text "learning rate") text
            Expect.stringContains text "lower the gain (res->res 0.8)" "gain"
            Expect.stringContains (said 4 trialEnd) "lower the learning rate (res->y 0.1)" "later"
            let online = trialEnd |> Experiment.update online
            Expect.stringContains (said 0 online) "lower the learning rate (res->y 0.1)" "online"
            let still = experiment "e" (network id) wave |> Experiment.rule Rule.rflo

            Expect.stringContains
                (said 0 (still |> Experiment.trials 0))
                "check the inputs"
                "nothing learns"
        }

        test "names a decay that a weight cannot keep to, and updates that can be clipped" {
            let heavy = network (learningRate 0.5 >> decay 3.0)
            let text = experiment "e" heavy wave |> Experiment.rule Rule.bptt |> said 4
            Expect.stringContains text "lower the decay (res->y 3)" "decay"

            Expect.stringContains
                text
                "clip the updates of bptt (Rule.bptt |> Rule.clip (Clip.Each 1.0))"
                "clip"

            for rule', typed in
                [
                    Rule.bpttRandom, "Rule.bpttRandom"
                    Rule.tbptt, "Rule.tbptt"
                    Rule.reverseKfRtrl, "Rule.reverseKfRtrl"
                    { Rule.rtrl with Name = "mine" }, "yourRule"
                ] do
                let text = experiment "e" heavy wave |> Experiment.rule rule' |> said 4
                Expect.stringContains text $"({typed} |> Rule.clip (Clip.Each 1.0))" typed

            let light = network (learningRate 0.5 >> decay 1e-3)
            Expect.isFalse (has (experiment "e" light wave |> said 4) "decay") "a light decay"
        }
    ]

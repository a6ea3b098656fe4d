/// Evaluation: trials that training has not shown, in which nothing changes.
module Rflo.Dsl.Tests.EvaluationTests

open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

/// A reservoir of more units than there are trials: its readout can learn any answers by heart.
let private byHeart =
    let reservoir = area "reservoir" 60 |> tau 2.0<ms>
    let x = input "x" 20
    let y = readout "y" 1

    let network =
        Circuit.empty
        |> areas [ reservoir ]
        |> inputs [ x ]
        |> readouts [ y ]
        |> projections [
            x --> reservoir |> weights (gaussian 1.0)
            reservoir --> reservoir |> weights (gaussian 0.9)
            reservoir --> y |> weights (constant 0.0) |> learningRate 1.0
        ]

    // A random pattern, and a random answer that has nothing to do with it.
    let task =
        Task.ofTrials 4.0<ms> (fun _ stream ->
            let pattern = Array.init 20 (fun _ -> stream.Gaussian())
            let answer = if stream.Chance 0.5 then 1.0 else -1.0

            {
                Inputs = Array2D.init 4 20 (fun _ k -> pattern[k])
                Targets = Array2D.init 4 1 (fun t _ -> if t = 3 then answer else 0.0)
                Mask = Some(Array2D.init 4 1 (fun t _ -> if t = 3 then 1.0 else 0.0))
                Events = []
                Rewards = None
                Conditions = []
            })

    experiment "by-heart" network task
    |> rule {
        Rule.ridge with
            Readout = RidgeRegression(1e-9, 0.0<ms>, 10)
    }
    |> trials 10

let private right shown =
    let decisions = List.choose Measure.decision shown

    decisions
    |> List.averageBy (fun (asked, chosen) -> if asked = chosen then 1.0 else 0.0)

let private losses shown =
    shown |> List.map (fun (activity: Activity) -> activity.Loss)

let private trained = lazy (ok (Run.train byHeart))

let private parts (activity: Activity) =
    activity.Loss,
    activity.Inputs.ToArray(),
    activity.Targets.ToArray(),
    activity.Rates |> Map.map (fun _ rates -> rates.ToArray())

/// Whether a task draws its trials, instead of showing the same or what its number says.
let rec private draws (task: Task) =
    match task.Kind with
    | Standard _ -> true
    | _ -> false

[<Tests>]
let tests =
    testList "evaluation" [
        test "what was learned by heart is right on the training's trials, and at chance on others" {
            let trained = trained.Value

            let on = {
                Evaluation.standard with
                    TrainingTrials = true
            }

            let shown how count =
                ok (Run.evaluate how trained.Final trained.Experiment byHeart.Task count)

            Expect.equal (right (shown on 10)) 1.0 "the training's trials"

            let others = right (ok (Run.perform trained byHeart.Task 200))
            Numbers.isGreaterThan others 0.36 "others"
            Numbers.isLessThan others 0.64 "others"
        }

        test "begins anywhere, and shows the same trials every time" {
            let trained = trained.Value

            let from first count =
                Run.evaluate
                    {
                        Evaluation.standard with
                            First = first
                    }
                    trained.Final
                    trained.Experiment
                    byHeart.Task
                    count
                |> ok
                |> List.map parts

            Expect.equal (from 0 6) (from 0 6) "again"
            Expect.equal (from 4 2) (List.skip 4 (from 0 6)) "from trial 4"
            Expect.equal (List.distinct (from 0 6)).Length 6 "each another"

            Expect.equal (parts trained.After) (List.head (from 0 1)) "what the run left of it"
        }

        testPropertyWithConfig
            (config 60)
            "shows what no training shows of a task that draws, and the same when repeated"
            (fun (Valid experiment) ->
                let e = { experiment with Trials = 0 }
                let left = ok (Run.train e)

                let show how =
                    ok (Run.evaluate how left.Final e e.Task 4)
                    |> List.map (fun shown -> shown.Inputs.ToArray(), shown.Targets.ToArray())

                let tested = show Evaluation.standard
                Expect.equal (show Evaluation.standard) tested "again"

                if draws e.Task then
                    let practiced = show Evaluation.onTrainingTrials

                    for trial in tested do
                        Expect.isFalse (List.contains trial practiced) "a training trial")

        test
            "nothing learns in it, weights, time constants and initial states, whatever it is given" {
            let c = area "c" 12 |> learnTau 5.0 |> learnInitial 5.0
            let y = readout "y" 1

            let network =
                Circuit.empty
                |> areas [ c ]
                |> readouts [ y ]
                |> projections [
                    c --> c |> weights (gaussian 1.5) |> learningRate 0.3
                    c --> y |> weights (uniformScaled 1.0) |> learningRate 0.3
                ]
                |> feedback [ errorOf y --> c ]

            let wave = Task.periodic 40.0<ms> [ harmonic 1 1.0 ]
            let trained = ok (Run.train (experiment "taus" network wave |> trials 10))

            Expect.isTrue
                (trained.TimeConstants["c"] |> Array.exists (fun tau -> abs (tau - 10.0) > 0.01))
                "they were learned"

            Expect.isTrue
                (trained.InitialStates["c"]
                 |> Array.exists (fun start -> abs (start - 0.1) > 0.01))
                "initial states were learned"

            for shown in
                [
                    Run.perform trained wave 4
                    Run.performWith trained.Final trained.Experiment wave 4
                ] do
                let shown = losses (ok shown)
                Expect.allEqual shown shown.Head "the same trial four times"

                Expect.equal
                    shown.Head
                    trained.After.Loss
                    "with the time constants and initial states that were learned"

            let untrained = ok (Run.performWith trained.Initial trained.Experiment wave 1)
            Expect.equal (losses untrained) [ trained.Before.Loss ] "the first ones"

            let still = Circuit.freeze network

            Expect.isEmpty
                (ok (Run.train (experiment "still" still wave |> trials 0))).TimeConstants
                "frozen"

            match Run.train (experiment "still" still wave) with
            | Error [ _ ] -> ()
            | other -> failtest $"nothing learns: {other}"
        }

        test "noise is the model's or none, exploration off or on" {
            let c = area "c" 6 |> noise 0.5
            let choice = winnerTakeAll "choice" 3 |> explore 1.0

            let network =
                Circuit.empty
                |> areas [ c; choice ]
                |> projections [ c --> choice |> weights (constant 0.0) ]

            let still = Task.ofArrays (Array2D.zeroCreate 30 0) (Array2D.zeroCreate 30 0)
            let e = experiment "noisy" network still |> trials 0

            let show how =
                ok (Run.evaluate how Map.empty e still 1) |> List.head

            let standard = Evaluation.standard
            let plain = show standard
            let quiet = show { standard with Noise = false }
            let exploring = show { standard with Exploration = true }

            let changes (activity: Activity) =
                activity.Rates["choice"].EnumerateRows() |> Seq.distinct |> Seq.length
            // Without noise a unit only decays.
            Expect.isTrue
                (Seq.pairwise (quiet.Rates["c"].Column(0)) |> Seq.forall (fun (a, b) -> b < a))
                "none"

            Expect.isFalse
                (Seq.pairwise (plain.Rates["c"].Column(0)) |> Seq.forall (fun (a, b) -> b < a))
                "noise"

            Expect.equal
                (exploring.Rates["c"].ToArray())
                (plain.Rates["c"].ToArray())
                "the same noise"

            Expect.equal (changes plain) 1 "greedy"
            Numbers.isGreaterThan (changes exploring) 1 "exploring"
        }

        test "goes on from trial to trial where an area does, and begins as a run does" {
            let memory = area "memory" 1 |> tau 2.0<ms> |> initial (carriedOver 1.0)

            let network =
                Circuit.empty
                |> areas [ memory ]
                |> projections [ memory --> memory |> weights (constant 0.0) ]

            let still steps =
                Task.ofArrays (Array2D.zeroCreate steps 0) (Array2D.zeroCreate steps 0)

            let rates steps count =
                let e = experiment "memory" network (still steps) |> trials 0

                ok (Run.evaluate Evaluation.standard Map.empty e (still steps) count)
                |> List.collect (fun shown ->
                    List.ofArray (shown.Rates["memory"].ToRowMajorArray()))

            // Half of it is left after each step.
            let expected = [ for t in 1..12 -> 0.5 ** float t ]

            for steps in [ 12; 4; 1 ] do
                Expect.equal (rates steps (12 / steps)) expected $"trials of {steps} steps"
        }

        test "of a curriculum shows the last task" {
            let asking value =
                Task.ofArrays (Array2D.zeroCreate 3 0) (Array2D.create 3 1 value)

            let c = area "c" 3
            let y = readout "y" 1

            let network =
                Circuit.empty
                |> areas [ c ]
                |> readouts [ y ]
                |> projections [ c --> y |> learningRate 0.1 ]

            let inner = Task.curriculum [ asking 1.0, AfterTrials 5 ] (asking 2.0)
            let task = Task.blocks [ asking 7.0, 1; inner, 1 ]
            let trained = ok (Run.train (experiment "staged" network task |> trials 1))

            let asked =
                ok (Run.perform trained task 4) |> List.map (fun shown -> shown.Targets[0, 0])

            Expect.equal asked [ 7.0; 2.0; 7.0; 2.0 ] "asked"
        }

        test "says what is wrong with what it is asked" {
            let trained = trained.Value

            let refuse how count =
                Run.evaluate how trained.Final trained.Experiment byHeart.Task count

            for result in
                [
                    refuse Evaluation.standard -1
                    refuse { Evaluation.standard with First = -1 } 1
                ] do
                match result with
                | Error [ problem ] ->
                    Expect.stringContains (Problem.text problem) "at least 0" "message"
                | other -> failtest $"{other}"

            let throwing =
                Task.ofTrials 4.0<ms> (fun k stream ->
                    if k = 2 then
                        failwith "no such trial"

                    match byHeart.Task.Kind with
                    | TaskKind.Drawn drawn -> drawn.Draw k stream
                    | _ -> failwith "not drawn")

            match Run.perform trained throwing 4 with
            | Error [ problem ] ->
                Expect.stringContains (Problem.text problem) "test trial 2" "trial"
                Expect.stringContains (Problem.text problem) "no such trial" "reason"
            | other -> failtest $"{other}"
        }
    ]

/// No word is dropped: words in any order make the same experiment, in which each shows, or the check refuses them.
module Rflo.Dsl.Tests.WordTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid

/// A word with its arguments. Of words of one slot, the last said stands, so a sequence has one of each slot.
type private Word<'part> = {
    Name: string
    Slot: string
    On: 'part -> 'part
}

let private word name slot on = { Name = name; Slot = slot; On = on }

let private x = input "x" 1
let private y = readout "y" 1

let private task =
    Task.ofArrays (Array2D.create 12 1 0.5) (Array2D.init 12 1 (fun t _ -> float t / 12.0))

let private around (a: Area) (inner: Projection) =
    Circuit.empty
    |> areas [ a ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [ x --> a; inner; a --> y |> learningRate 0.02 ]
    |> feedback [ errorOf y --> a ]

// Everything of an experiment that words can change, as text.

let private matrixText (matrix: MathNet.Numerics.LinearAlgebra.Matrix<float>) =
    string (
        matrix.ToArray()
        |> Seq.cast<float>
        |> Seq.map (sprintf "%.9g")
        |> String.concat " "
    )

let private text (experiment: Experiment) =
    match Check.experiment experiment with
    | Error problems -> Error(List.map Problem.text problems)
    | Ok ready ->
        let compiled = Compile.experiment ready

        Ok [
            experiment.Name
            $"%A{experiment.Trials} %A{experiment.Stopping} %A{experiment.Dt}"
            yield! Rendering.render compiled
            yield! Circuit.describe experiment.Circuit
            $"{experiment.Rule.Optimizer} {experiment.Rule.Clip} {experiment.Rule.Schedule}"
            experiment.Task.Name
            String.concat " " experiment.Task.Events

            for watched in experiment.Probes do
                $"{Probe.name watched.Probe} %d{watched.Every}"

            for one in compiled.Graph.Perturbations do
                $"{one.GetType().Name} {one.Window.From} {one.Window.To} {one.Trials.Fraction}"

            match compiled.Task with
            | :? IClosedLoopTask as loop -> String.concat " " loop.Watches
            | _ -> ()

            match
                Run.train {
                    experiment with
                        Trials = 0
                        Precision = Precision.Double
                }
            with
            | Ok trained ->
                let shown = trained.Before
                matrixText shown.Inputs
                matrixText shown.Targets
                matrixText shown.Mask
                shown.Rewards |> Array.map (sprintf "%.9g") |> String.concat " "
            | Error _ -> ()
        ]

// The law.

let private sequences (words: Word<'part> list) =
    let slots = words |> List.groupBy _.Slot |> List.map snd

    gen {
        let! chosen = Gen.collectToList Gen.elements slots
        let! order = Gen.shuffle chosen
        let! count = Gen.choose (1, min 5 order.Length)
        let kept = Array.truncate count order
        let! again = Gen.shuffle kept
        return List.ofArray kept, List.ofArray again
    }

let private apply words part =
    words |> List.fold (fun part word -> word.On part) part

let private names words =
    words |> List.map _.Name |> String.concat " |> "

/// Draws so many sequences, each said of a part that is drawn; at least some must be accepted, or nothing would be proved.
let private noneIsDropped count least (words: Word<'part> list) (parts: 'part list) declare =
    let mutable accepted = 0

    let drawn =
        Gen.zip (Gen.elements parts) (sequences words)
        |> Gen.sampleWithSeed (Rnd 1307UL) 5 count

    for part, (order, other) in drawn do
        let said words = text (declare (apply words part))

        match said order, said other with
        | Error _, Error _ -> ()
        | Ok one, Ok two ->
            accepted <- accepted + 1
            Expect.equal two one $"{names order}, and in another order {names other}"

            for left in order do
                match
                    said (
                        List.except [ left.Name ] (List.map _.Name order)
                        |> List.map (fun name -> List.find (fun w -> w.Name = name) order)
                    )
                with
                | Ok less -> Expect.notEqual less one $"{names order}: {left.Name} shows"
                | Error _ -> ()
        | one, two ->
            failtest $"{names order} is %A{Result.isOk one}, {names other} is %A{Result.isOk two}"

    Numbers.isGreaterThan accepted least "sequences that are accepted"

let private areaWords = [
    word "tau" "tau" (tau 20.0<ms>)
    word "taus" "tau" (taus [| 3.0<ms>; 4.0<ms>; 5.0<ms>; 6.0<ms> |])
    word "transfer" "transfer" (transfer relu)
    word "noise" "noise" (noise 0.1)
    word "initial" "initial" (initial (resetTo [| 0.1; 0.2; 0.3; 0.4 |]))
    word "learnTau" "learnTau" (learnTau 0.1)
    word "learnInitial" "learnInitial" (learnInitial 0.1)
    word "recordStates" "recordStates" recordStates
    word "dale" "dale" (dale 0.5)
    word "population" "population" (population "left" [ 0; 1 ])
    word "currentForm" "currentForm" currentForm
    word "units" "units" (units (UnitModel.lif 0.5))
    word "penalties" "penalties" (penalties [ Penalty.l2 0.1 ])
    word "explore" "explore" (explore 0.3)
]

let private ofArea (a: Area) =
    experiment "areas" (around a (a --> a)) task |> trials 2

let private projectionWords = [
    word "uniform" "weights" (weights (uniform -0.5 0.4))
    word "constant" "weights" (weights (constant 0.25))
    word "oneToOne" "weights" (weights (oneToOne 0.5))
    word
        "ofMatrix"
        "weights"
        (weights (
            ofMatrix (Array2D.init 4 4 (fun i j -> (if j < 2 then 0.1 else -0.1) * float (1 + i)))
        ))
    word "density" "density" (density 0.6)
    word "mask" "mask" (mask (Array2D.init 4 4 (fun i j -> (i + j) % 4 > 0)))
    word "noSelf" "noSelf" noSelf
    word "balanced" "balanced" balanced
    word "delay" "delay" (delay 3.0<ms>)
    word "gate" "gate" (gate (every 4.0<ms>))
    word "learningRate" "learningRate" (learningRate 0.02)
    word "learnBy" "learningRate" (learnBy Rule.hebb 0.03)
    word "bounds" "bounds" (bounds -0.45 0.45)
    word "decay" "decay" (decay 0.1)
    word "l1" "l1" (l1 0.1)
    word "l2" "l2" (l2 0.1)
    word "label" "label" (label "inner")
]

let private valves = area "a" 4 |> dale 0.5

let private ofProjection p =
    experiment "projections" (around valves p) task |> trials 2

let private four = area "a" 4

let private experimentWords = [
    word "rule" "rule" (rule Rule.eprop)
    word "rule rtrl" "rule" (rule Rule.rtrl)
    word "update" "update" (update online)
    word "update every" "update" (update (everyTrials 3))
    word "optimizer" "optimizer" (optimizer Optimizer.adam)
    word "clip" "clip" (clip (Clip.Each 0.01))
    word "schedule" "schedule" (schedule (Schedule.inverse 3.0))
    word "trials" "trials" (trials 7)
    word "seed" "seed" (seed 5)
    word "dt" "dt" (dt 0.5<ms>)
    word "precision" "precision" (precision Precision.single)
    word "stopAtLoss" "stopAtLoss" (stopAtLoss 1e-3)
    word "patience" "patience" (patience 9)
    word "lossWindow" "lossWindow" (lossWindow 7)
    word "lanes" "lanes" (lanes 2)
    word "lanesSum" "lanes" (lanesSum 2)
    word "keepBest" "keepBest" keepBest
    word "validate" "validate" (validate 5 3)
    word "probe" "probe" (probe 2 [ Probe.weightChange ])
    word "perturb" "perturb" (perturb [ silence four[[ 1 ]] |> betweenTimes 2.0<ms> 4.0<ms> ])
]

let private taskWords = [
    word
        "masked"
        "masked"
        (Task.masked (Array2D.init 12 1 (fun t _ -> if t % 3 = 0 then 0.0 else 0.5)))
    word "marked" "marked" (Task.marked [ "go", [ 2; 5 ] ])
    word "rewarded" "rewarded" (Task.rewarded (Array.create 12 0.7))
    word "watching" "watching" (Task.watching [ "a" ])
    word "judged" "judged" (Task.judged (fun _ _ -> 0.3))
    word "named" "named" (Task.named "other")
]

let private step (now: Moment) = float now.Step / 12.0

/// A task of each kind, of one channel and one output, 12 steps of 1 ms.
let private taskKinds =
    let drawn =
        Task.ofTrials 12.0<ms> (fun _ _ -> {
            Inputs = Array2D.create 12 1 0.5
            Targets = Array2D.create 12 1 0.25
            Mask = None
            Events = []
            Rewards = None
            Conditions = []
        })

    let phased =
        Task.phased 1 1 [ phase "all" (fixedFor 12.0<ms>) ] ignore (fun () now -> {
            Input = [| 0.5 |]
            Target = [| float now.Step / 12.0 |]
            Mask = [||]
            Events = []
        })

    let loop =
        Task.closedLoop 1 1 12.0<ms> [| 0.0 |] (fun _ _ _ -> ()) (fun now _ -> {
            Input = [| step now |]
            Target = [| 0.5 |]
            Mask = [||]
            Events = []
        })

    let custom = {
        new ITask with
            member _.Inputs = 1
            member _.Outputs = 1
            member _.MaxSteps = 12
            member _.Events = 0

            member _.Fill(_, _, into) =
                into.Steps <- 12
                into.Inputs.AsSpan().Fill 0.5
                into.Targets.AsSpan().Fill 0.25
                into.Mask.AsSpan().Fill 1.0
                into.Rewards.AsSpan().Clear()
    }

    [
        task
        drawn
        phased
        loop
        Task.custom custom
        Task.blocks [ drawn, 1; phased, 2 ]
        Task.mixture [ loop, 0.5; drawn, 0.5 ]
        Task.curriculum [ drawn, AfterTrials 1 ] phased
    ]

let private ofTask task =
    experiment "tasks" (around valves (valves --> valves)) task |> trials 2

[<Tests>]
let tests =
    testList "words" [
        test "of areas show in any order, or are refused" {
            noneIsDropped 150 30 areaWords [ area "a" 4; relay "a" 4; winnerTakeAll "a" 4 ] ofArea
        }

        test "of projections show in any order, or are refused" {
            noneIsDropped 250 50 projectionWords [ valves --> valves ] ofProjection
        }

        test "of experiments show in any order, or are refused" {
            noneIsDropped
                100
                90
                experimentWords
                [ ofProjection (valves --> valves |> learningRate 0.01) ]
                id
        }

        test "of tasks show in any order, or are refused" {
            noneIsDropped 100 10 taskWords taskKinds ofTask
        }

        test "a mask counts in tasks of every kind, and is refused in another shape" {
            let half = Array2D.init 12 1 (fun t _ -> if t < 6 then 0.0 else 1.0)

            for kind in taskKinds do
                let masked = kind |> Task.masked half

                match Run.train (ofTask masked |> trials 0) with
                | Ok trained ->
                    Expect.equal (trained.Before.Mask.ToArray()) half $"{kind.Name}: mask"
                | Error problems -> failtest $"{kind.Name}: %A{problems}"

                for rows, columns in [ 11, 1; 13, 1; 12, 2 ] do
                    match
                        Check.experiment (
                            ofTask (kind |> Task.masked (Array2D.create rows columns 1.0))
                        )
                    with
                    | Ok _ -> failtest $"{kind.Name} takes a mask of {rows} by {columns}"
                    | Error problems ->
                        for problem in problems do
                            Expect.stringContains
                                (Problem.text problem)
                                $"the shape of the mask is ({rows}, {columns}); it must be (12, 1)"
                                kind.Name
        }

        test "a mask is multiplied by the mask of the trials, in every trial" {
            let phased =
                Task.phased 1 1 [ phase "all" (fixedFor 12.0<ms>) ] ignore (fun () now -> {
                    Input = [| 0.5 |]
                    Target = [| 0.0 |]
                    Mask = [| (if now.Step % 2 = 0 then 0.5 else 0.0) |]
                    Events = []
                })
                |> Task.masked (Array2D.create 12 1 0.5)

            match Trials.show 1.0<ms> 1L phased [ 0; 1; 2 ] with
            | Ok views ->
                for view in views do
                    Expect.equal
                        view.Mask
                        (Array2D.init 12 1 (fun t _ -> if t % 2 = 1 then 0.25 else 0.0))
                        $"trial {view.Trial}"
            | Error problems -> failtest $"%A{problems}"
        }

        test "learning keeps a rule of its own" {
            let kept = valves --> valves |> learnBy Rule.hebb 0.1 |> learningRate 0.2
            Expect.equal kept.Plasticity (LearningBy(0.2, Rule.hebb)) "at the new rate"

            Expect.equal
                (kept |> frozen |> learningRate 0.3).Plasticity
                (Learning 0.3)
                "until frozen"
        }

        test "an update that a copied record leaves behind is refused" {
            let one = ofProjection (valves --> valves |> learningRate 0.01) |> update online

            Expect.equal
                (text { one with Rule = Rule.rtrl } |> Result.mapError List.head)
                (Error
                    "experiment: its update is online, and that of its rule is trialEnd; set the rule by the word rule, such as |> rule Rule.bptt, which keeps the update")
                "said"
        }

        test "an ablation of an ablation is the last one, by name too" {
            Expect.equal
                (Rule.readoutOnly (Rule.recurrentOnly Rule.bptt))
                (Rule.readoutOnly Rule.bptt)
                "as one"

            Expect.equal (Rule.inputOnly Rule.rtrl).Name "rtrl-inputs" "name"
        }

        test "a second function is applied to what the first returns" {
            let factor =
                Rule.the Rate
                |> Rule.map "twice" ((*) 2.0)
                |> Rule.map "less" (fun r -> r - 1.0)

            Expect.equal (factor.Map.Value.Apply.Invoke 3.0) 5.0 "both"
            Expect.equal factor.Map.Value.Name "less of twice" "by name"
        }

        test "arrays are copied" {
            let w = Array2D.create 4 4 0.1
            let m = Array2D.create 4 4 true
            let constants = Array.create 4 10.0<ms>
            let rates = Array.create 4 0.1
            let b = Array2D.create 4 1 0.3
            let inputs, targets = Array2D.create 12 1 0.5, Array2D.create 12 1 0.5
            let counts, rewards = Array2D.create 12 1 1.0, Array.create 12 0.0
            let a = area "a" 4 |> taus constants |> initial (resetTo rates)

            let declared =
                experiment
                    "copies"
                    (Circuit.empty
                     |> areas [ a ]
                     |> Circuit.inputs [ x ]
                     |> readouts [ y ]
                     |> projections [
                         x --> a |> mask (Array2D.create 4 1 true)
                         a --> a |> weights (ofMatrix w) |> mask m |> learningRate 0.1
                         a --> y
                     ]
                     |> feedback [ errorOf y --> a |> through (feedbackMatrix b) ])
                    (Task.ofArrays inputs targets |> Task.masked counts |> Task.rewarded rewards)
                |> trials 2

            let before = text declared
            Expect.isOk before "valid"
            w[1, 1] <- 9.0
            m[0, 0] <- false
            constants[2] <- 99.0<ms>
            rates[1] <- 8.0
            b[3, 0] <- 7.0
            inputs[3, 0] <- 6.0
            targets[3, 0] <- 5.0
            counts[0, 0] <- 0.0
            rewards[0] <- 4.0
            Expect.equal (text declared) before "as it was"
        }
    ]

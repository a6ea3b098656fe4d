module Rflo.Dsl.Tests.RunTests

open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid

let private y = readout "y" 1
let private fifty = area "cortex" 50

/// The periodic task of the paper's second figure, learnt by one area.
let private periodic (cortex: Area) =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]
    |> fun network ->
        experiment
            "periodic"
            network
            (Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ])

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private shapeOf (matrix: Matrix<float>) = matrix.RowCount, matrix.ColumnCount

let private bits (trained: Trained) =
    List.ofArray trained.Losses, trained.Final |> Map.map (fun _ weights -> weights.ToArray())

let private small = {
    periodic (area "cortex" 6) with
        Trials = 20
}

let private twoAreas =
    let left = area "left" 3 |> dale (1.0 / 3.0)
    let right = area "right" 20
    let cue = input "cue" 2
    let z = readout "z" 2

    Circuit.empty
    |> areas [ left; right ]
    |> inputs [ cue ]
    |> readouts [ y; z ]
    |> projections [
        cue --> left
        left --> right |> learningRate 0.01
        right --> right |> density 0.1 |> label "sparse" |> learningRate 0.01
        left --> y |> learningRate 0.01
        right --> z |> learningRate 0.01
    ]
    |> feedback [
        errorOf y --> left
        errorOf z --> right
        errorOf y --> right
    ]
    |> fun network ->
        experiment
            "two"
            network
            (Task.ofArrays
                (Array2D.create 7 2 0.5)
                (Array2D.init 7 3 (fun t k -> float (t + 10 * k))))
        |> trials 5

let private shapes =
    let trained = lazy (train twoAreas)

    testList "what a run leaves" [
        test "is a loss, a time and an alignment for each trial" {
            let trained = trained.Value
            Expect.equal trained.Status.End RunEnd.Completed "end"
            Expect.equal trained.Losses.Length 5 "losses"
            Expect.equal trained.Seconds.Length 5 "seconds"

            Expect.all
                trained.Losses
                (fun loss -> loss > 0.0 && System.Double.IsFinite loss)
                "finite"

            Expect.equal
                [
                    for KeyValue(names, values) in trained.Alignments -> names, values.Length
                ]
                [ ("y", "left"), 5; ("z", "right"), 5 ]
                "y does not listen to right, so there is nothing to align"
        }

        test "is weights before and after, by name, as (post, pre)" {
            let expected =
                Map [
                    "cue->left", (3, 2)
                    "left->right", (20, 3)
                    "sparse", (20, 20)
                    "left->y", (1, 3)
                    "right->z", (2, 20)
                ]

            Expect.equal (trained.Value.Initial |> Map.map (fun _ w -> shapeOf w)) expected "before"
            Expect.equal (trained.Value.Final |> Map.map (fun _ w -> shapeOf w)) expected "after"
        }

        test "is a value, or an exception with every problem" {
            let trained = Run.train { small with Trials = 1 } |> Problem.orFail
            Expect.equal trained.Losses.Length 1 "a run"

            let wrong = {
                small with
                    Trials = -1
                    Dt = nan * 1.0<ms>
            }

            let problems =
                match Check.experiment wrong with
                | Error problems -> List.map Problem.text problems
                | Ok _ -> []

            Expect.hasLength problems 2 "of trials and of dt"

            Expect.throwsC (fun () -> Run.train wrong |> Problem.orFail |> ignore) (fun thrown ->
                Expect.equal thrown.Message (String.concat "\n" problems) "all")
        }

        test "keeps what is frozen and moves what learns" {
            for KeyValue(name, before) in trained.Value.Initial do
                Expect.equal (before.Equals(trained.Value.Final[name])) (name = "cue->left") name
        }

        test "moves no weight that does not exist, and flips no sign" {
            let trained = trained.Value
            let before, after = trained.Initial["sparse"], trained.Final["sparse"]

            for i in 0..19 do
                for j in 0..19 do
                    if before[i, j] = 0.0 then
                        Expect.equal after[i, j] 0.0 "absent"

            trained.Final["left->right"].EnumerateColumnsIndexed()
            |> Seq.iter (fun struct (j, column) ->
                Expect.isTrue
                    (column.ForAll(fun w -> if j = 0 then w >= 0.0 else w <= 0.0))
                    $"column {j}")
        }

        test "is the activity of the first trial before and after" {
            for activity in [ trained.Value.Before; trained.Value.After ] do
                Expect.equal (shapeOf activity.Inputs) (7, 2) "inputs"
                Expect.equal (shapeOf activity.Targets) (7, 3) "targets"
                Expect.equal (shapeOf activity.Mask) (7, 3) "mask"

                Expect.equal
                    (activity.Outputs |> Map.map (fun _ m -> shapeOf m))
                    (Map [ "y", (7, 1); "z", (7, 2) ])
                    "outputs"

                Expect.equal
                    (activity.Rates |> Map.map (fun _ m -> shapeOf m))
                    (Map [ "left", (7, 3); "right", (7, 20) ])
                    "rates"

                Expect.equal activity.Targets[2, 1] 12.0 "targets by step and output"

            Expect.equal
                trained.Value.Before.Loss
                trained.Value.Losses[0]
                "nothing was learnt before the first trial"

            Numbers.isLessThan trained.Value.After.Loss trained.Value.Before.Loss "better after"
        }

        test "has outputs that are weights times rates" {
            let trained = trained.Value
            let after = trained.After
            let expected = after.Rates["right"] * trained.Final["right->z"].Transpose()
            Numbers.isLessThan ((expected - after.Outputs["z"]).L2Norm()) 1e-12 "z = W h"
        }

        test "has a loss of half the mean squared error, summed over outputs" {
            let after = trained.Value.After
            let outputs = after.Outputs["y"].Append after.Outputs["z"]
            let squares = (after.Targets - outputs).PointwisePower(2.0).Enumerate() |> Seq.sum
            Expect.floatClose Accuracy.veryHigh after.Loss (squares / 14.0) "1/(2T)"
        }
    ]

/// The rules that follow an error down; the others are told of rewards, or of nothing.
let private descending = [
    Rule.rflo
    Rule.localSymmetric
    Rule.eprop
    Rule.snap1
    Rule.bptt
    Rule.bpttRandom
    Rule.rtrl
    Rule.rtrlRandom
]

let private improvement =
    testList "learning" [
        test "RFLO learns the periodic task, and its readout turns towards the feedback" {
            let trained = train (periodic fifty |> trials 1000)
            Numbers.isLessThan (trained.Losses[999] / trained.Losses[0]) 0.1 "loss"
            Numbers.isGreaterThan (trained.Alignments[("y", "cortex")][999]) 0.3 "alignment"
        }

        test "Dale's signs hold through 300 trials" {
            let trained = train (periodic (fifty |> dale 0.8) |> trials 300)
            Numbers.isLessThan trained.Losses[299] trained.Losses[0] "loss"

            for j in 0..49 do
                let column = trained.Final["cortex->cortex"].Column j

                Expect.isTrue
                    (column.ForAll(fun w -> if j < 40 then w >= 0.0 else w <= 0.0))
                    $"unit {j}"
        }

        for rule' in descending do
            test $"{rule'.Name} lowers the loss of a small network" {
                let trained = train (small |> rule rule' |> trials 200)
                Numbers.isLessThan trained.Losses[199] trained.Losses[0] "loss"
            }

        test "e-prop of leaky units takes the readout's own weights, whatever feedback is declared" {
            let after rule' = bits (train (small |> rule rule'))
            Expect.equal (after Rule.eprop) (after Rule.localSymmetric) "the symmetric local rule"
            Expect.notEqual (after Rule.eprop) (after Rule.rflo) "not random feedback"
        }

        test "a run that diverges keeps what it has" {
            let trained = train (small |> rule Rule.bptt |> trials 5)

            let wild =
                periodic (area "cortex" 6 |> transfer Transfer.identity |> tau 1.0<ms>)
                |> trials 50

            match Run.train wild with
            | Ok ended ->
                Expect.equal ended.Status.End RunEnd.Diverged "end"
                Expect.equal ended.Losses.Length (ended.Status.Trial + 1) "losses so far"
            | Error _ -> failtest "refused"

            Expect.equal trained.Status.End RunEnd.Completed "the other"
        }

        test "time constants learn, stay at or above dt, and are part of the result" {
            let wild rule' =
                periodic (area "cortex" 6 |> tau 5.0<ms> |> learnTau 5.0)
                |> trials 30
                |> keepBest
                |> rule rule'

            for rule' in [ Rule.rflo; Rule.snap1; Rule.bptt; Rule.rtrl ] do
                let ended = train (wild rule')
                let taus = ended.TimeConstants["cortex"]
                Expect.equal taus.Length 6 "one a unit"
                Expect.isTrue (taus |> Array.exists (fun tau -> abs (tau - 5.0) > 1e-3)) "changed"
                Expect.isTrue (taus |> Array.forall (fun tau -> tau >= 1.0)) "at or above dt"
                Expect.equal ended.BestTimeConstants["cortex"].Length 6 "best"

            // Nothing is learned yet, so they are those that were declared, in ms.
            let fine =
                train {
                    wild Rule.rflo with
                        Dt = 0.5<ms>
                        Trials = 0
                }

            for tau in Array.append fine.TimeConstants["cortex"] fine.BestTimeConstants["cortex"] do
                Numbers.isLessThan (abs (tau - 5.0)) 1e-9 "in ms at any dt"

            let fixed' = train (wild (Rule.recurrentOnly Rule.rflo))
            Expect.isEmpty fixed'.TimeConstants "a rule that changes recurrent weights only"
        }

        test "events and phases are in activity as the task shows them" {
            let task = Task.perceptualDecision PerceptualDecision.standard
            let see, choose = input "see" 3, readout "choose" 2
            let cortex = area "cortex" 5

            let declared =
                experiment
                    "decision"
                    (circuit [ see --> cortex; cortex --> choose |> learningRate 0.01 ])
                    task
                |> trials 0

            let ended = train declared

            match
                Run.evaluate Evaluation.onTrainingTrials ended.Initial declared task 5,
                Trials.show 1.0<ms> declared.Seed task [ 0..4 ]
            with
            | Ok found, Ok shown ->
                for activity, view in List.zip found shown do
                    Expect.equal activity.Events (Map.ofList view.Events) "events"
                    Expect.isNonEmpty activity.Events["decision"] "a phase"
                    Expect.hasLength activity.Events["decision.onset"] 1 "its onset"
            | found, shown -> failtest $"{found}, {shown}"

            Expect.isEmpty (train small).After.Events "a task without events"
        }

        test "states of units are in activity where they are recorded, and no number depends on it" {
            let model =
                UnitModel.define
                    "adapting"
                    [ "v"; "w" ]
                    (fun unit ->
                        let v, w = unit.Before[0], unit.Before[1]
                        unit.State[0] <- (1.0 - unit.Alpha) * v + unit.Alpha * (unit.Current - w)
                        unit.State[1] <- 0.9 * w + 0.1 * v
                        unit.A[0, 0] <- 1.0 - unit.Alpha
                        unit.A[0, 1] <- -unit.Alpha
                        unit.A[1, 0] <- 0.1
                        unit.A[1, 1] <- 0.9
                        unit.C[0] <- unit.Alpha)
                    (fun unit ->
                        let rate = tanh unit.State[0]
                        unit.G[0] <- 1.0 - rate * rate
                        rate)

            for change, names in
                [
                    units model, [ "cortex v"; "cortex w" ]
                    currentForm, [ "cortex x" ]
                ] do
                let run change' =
                    train (periodic (area "cortex" 6 |> change |> change') |> trials 5)

                let plain, recorded = run id, run recordStates
                Expect.isEmpty plain.After.States "off"
                Expect.equal recorded.Losses plain.Losses "the same run"
                Expect.equal (List.ofSeq recorded.After.States.Keys) names "names"
                let rates, states = recorded.After.Rates["cortex"], recorded.After.States

                // The core's tanh is its own, to the last places.
                Numbers.isLessThan
                    ((states[names.Head].Map(fun state -> tanh state) - rates).L2Norm())
                    1e-12
                    "the rates are those of the states"

                if names.Length > 1 then
                    let v, w = states["cortex v"], states["cortex w"]

                    for t in 1 .. v.RowCount - 1 do
                        for i in 0..5 do
                            Numbers.isLessThan
                                (abs (w[t, i] - (0.9 * w[t - 1, i] + 0.1 * v[t - 1, i])))
                                1e-12
                                "the second state follows from both"
        }

        test "initial states learn, and are part of the result" {
            let learning start rule' =
                periodic (area "cortex" 6 |> initial start |> learnInitial 5.0)
                |> trials 30
                |> keepBest
                |> rule rule'

            for rule' in [ Rule.rflo; Rule.snap1; Rule.bptt; Rule.tbptt; Rule.rtrl ] do
                for start in [ reset 0.1; drawnOnce 0.0 0.3 ] do
                    let ended = train (learning start rule')
                    let first = ended.Initial["start cortex"].Column(0).ToArray()
                    let states = ended.InitialStates["cortex"]
                    Expect.equal states.Length 6 "one a unit"
                    Expect.notEqual states first "changed"
                    Expect.equal (ended.Final["start cortex"].Column(0).ToArray()) states "final"
                    Expect.equal ended.BestInitialStates["cortex"].Length 6 "best"

                    if start = reset 0.1 then
                        Expect.equal first (Array.create 6 0.1) "they begin as they are declared"

            let fixed' = train (learning (reset 0.1) (Rule.recurrentOnly Rule.rflo))
            Expect.isEmpty fixed'.InitialStates "a rule that changes recurrent weights only"
        }

        test "a run stops where its loss reaches the target" {
            let whole = train (small |> trials 60)
            let target = whole.Losses[30]
            let ended = train (small |> trials 60 |> lossWindow 1 |> stopAtLoss target)
            Expect.equal ended.Status.End RunEnd.Stopped "end"

            Expect.equal
                ended.Losses
                whole.Losses[.. Array.findIndex (fun loss -> loss <= target) whole.Losses]
                "losses up to there"
        }

        test "a run stops when its loss falls no more" {
            let still = Circuit.mapProjection "cortex->cortex" (learningRate 0.0) small.Circuit

            let still = Circuit.mapProjection "cortex->y" (learningRate 0.0) still

            let ended =
                train ({ small with Circuit = still } |> trials 60 |> lossWindow 1 |> patience 7)

            Expect.equal ended.Status.End RunEnd.Stopped "end"
            Expect.equal ended.Losses.Length 8 "the first is the best, then 7 more"
        }

        test "the best weights are those that gave the smallest loss" {
            // Weights that learn fast enough to overshoot, so that the best are not the last.
            let wild = small |> trials 40 |> lossWindow 1 |> keepBest
            let ended = train wild
            let best = ended.Losses |> Array.indexed |> Array.minBy snd |> fst
            let until = train { wild with Trials = best }
            Numbers.isLessThan best 40 "trial"
            Expect.equal ended.Best until.Final "weights before that trial's update"
        }

        test "a gate at an event opens where the task marks it" {
            let source = area "source" 1 |> initial (reset 1.0) |> tau 1.0<ms>
            let target = relay "target" 1

            let network =
                Circuit.empty
                |> areas [ source; target ]
                |> projections [
                    bias --> source |> weights (constant 20.0)
                    source --> target |> weights (constant 3.0) |> gate (atEvent "go")
                ]

            let task =
                Task.ofArrays (Array2D.zeroCreate 5 0) (Array2D.zeroCreate 5 0)
                |> Task.marked [ "stop", [ 1 ]; "go", [ 2; 5 ] ]

            let rates =
                (train (experiment "gated" network task |> trials 0)).Before.Rates["target"]

            Expect.equal (rates.Column(0).ToArray()) [| 0.0; 3.0; 0.0; 0.0; 3.0 |] "open at 2 and 5"
        }
    ]

let private reproducible =
    testList "the same seed" [
        test "gives the same bits, another seed other numbers" {
            Expect.equal (bits (train small)) (bits (train small)) "same seed"
            Expect.notEqual (bits (train small)) (bits (train (small |> seed 2))) "other seed"
        }

        testPropertyWithConfig
            (config 100)
            "gives the same bits in any circuit"
            (fun (Valid experiment) ->
                let exactly (values: float seq) =
                    values |> Seq.map System.BitConverter.DoubleToInt64Bits |> List.ofSeq

                let once () =
                    let trained = train experiment

                    exactly trained.Losses,
                    trained.Final |> Map.map (fun _ w -> exactly (w.Enumerate()))

                Expect.equal (once ()) (once ()) "bits")

        test "learns nothing at rate 0, bit for bit" {
            let still =
                small.Circuit
                |> Circuit.mapProjection "cortex->cortex" (learningRate 0.0)
                |> Circuit.mapProjection "cortex->y" (learningRate 0.0)

            let trained = train { small with Circuit = still }
            Expect.equal trained.Final trained.Initial "weights"
            Expect.equal (Array.distinct trained.Losses).Length 1 "losses"
        }
    ]

[<Tests>]
let tests =
    testList "run" [
        shapes
        improvement
        reproducible

        test "what is wrong is said instead" {
            match Run.train (small |> trials -1) with
            | Error [ problem ] -> Expect.equal problem.Part InExperiment "part"
            | other -> failtest $"found {other}"
        }
    ]

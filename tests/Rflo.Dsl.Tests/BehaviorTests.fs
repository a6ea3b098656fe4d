/// What test trials show: conditions, when a trial is right, results by condition, psychometric curves.
module Rflo.Dsl.Tests.BehaviorTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Views

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private viewed task count =
    ok (Trials.show 1.0<ms> 7L task [ 0 .. count - 1 ])

/// The output that a row asks for: that with the largest target, or the sign of one.
let private askedIn (view: TrialView) row =
    if view.Targets.GetLength 1 = 1 then
        if view.Targets[row, 0] > 0.0 then 1 else 0
    else
        Seq.maxBy (fun k -> view.Targets[row, k]) [ 0 .. view.Targets.GetLength 1 - 1 ]

let private asked view =
    askedIn view (List.head (rowsOf "decision" view))

let private network inputs outputs =
    let a = area "a" 8 |> tau 5.0<ms>
    let x = input "x" inputs
    let y = readout "y" outputs

    Circuit.empty
    |> areas [ a ]
    |> Circuit.inputs [ x ]
    |> readouts [ y ]
    |> projections [
        x --> a |> weights (gaussian 1.0)
        a --> a |> weights (gaussian 1.0)
        a --> y |> weights (gaussian 1.0) |> learningRate 0.01
    ]

let private untrained inputs outputs task =
    experiment "untrained" (network inputs outputs) task
    |> trials 0
    |> Run.train
    |> ok

let private perceptual = Task.perceptualDecision PerceptualDecision.standard

/// A number is shown and asked for, and is a condition.
let private remembered draw at =
    Task.phased 1 1 [ phase "cue" (between 2.0<ms> 5.0<ms>) ] draw at

let private drawn (stream: RandomStream) =
    stream.Uniform(-1.0, 1.0), stream.Chance 0.3

let private conditioned =
    remembered drawn (fun (value, isLeft) _ -> {
        Input = [| value |]
        Target = [| (if isLeft then 1.0 else -1.0) |]
        Mask = [||]
        Events = []
    })
    |> Task.conditions [
        "value", drawn >> fst
        "left", drawn >> snd >> (fun left -> if left then 1.0 else 0.0)
    ]

let private tested performance conditions decision : TestedTrial = {
    Loss = 0.5
    Performance = performance
    Reward = 0.0
    Conditions = Map.ofList conditions
    Decision = decision
    ReactionSteps = None
}

/// Choices drawn from a curve.
let private choices seed count bias slope low high =
    let stream = Rflo.Core.RandomStream(seed, "choices")

    [
        for k in 0 .. count - 1 ->
            let x = float (k % 9 - 4) / 4.0
            let chance = low + (1.0 - low - high) / (1.0 + exp (-slope * (x - bias)))
            x, stream.Chance chance
    ]

let private few = {
    PsychometricFit.standard with
        Resamples = 40
}

let private isIn what (value: float) (estimate: Estimate) =
    Numbers.isLessThanOrEqual estimate.Low value $"{what}: {estimate}"
    Numbers.isLessThanOrEqual value estimate.High $"{what}: {estimate}"

[<Tests>]
let tests =
    testList "behavior" [
        testList "conditions" [
            test "of decisions speak for the output that is right" {
                for task, condition in
                    [
                        perceptual, "evidence"
                        Task.contextIntegration ContextIntegration.standard, "evidence"
                        Task.evidenceAccumulation EvidenceAccumulation.standard, "evidence"
                        Task.delayedDiscrimination DelayedDiscrimination.standard, "difference"
                        Task.intervalDiscrimination IntervalDiscrimination.standard, "difference"
                    ] do
                    let found = [
                        for view in viewed task 60 do
                            let evidence = view.Conditions[condition]

                            if evidence <> 0.0 then
                                Expect.equal
                                    (asked view)
                                    (if evidence > 0.0 then 1 else 0)
                                    $"{task.Name}"

                                evidence > 0.0
                    ]

                    Expect.equal (List.distinct found).Length 2 $"{task.Name}: both sides"
            }

            test "of standard tasks have these names in every trial" {
                for task, names in
                    [
                        Task.sine SineCommand.standard, [ "period" ]
                        Task.flipFlop FlipFlop.standard, []
                        Task.add AddTask.standard, []
                        Task.sensorimotorMap SensorimotorMap.standard, [ "sign" ]
                        Task.delayedMatch DelayedMatch.standard,
                        [ "sample-direction"; "test-direction"; "match"; "delay" ]
                        Task.delayedDiscrimination DelayedDiscrimination.standard,
                        [ "f1"; "f2"; "difference"; "delay" ]
                        perceptual, [ "side"; "coherence"; "evidence"; "stimulus" ]
                        Task.contextIntegration ContextIntegration.standard,
                        [ "context"; "motion"; "color"; "evidence" ]
                        Task.intervalDiscrimination IntervalDiscrimination.standard,
                        [ "difference"; "first"; "gap"; "second" ]
                        Task.evidenceAccumulation EvidenceAccumulation.standard,
                        [ "side"; "evidence"; "delay" ]
                        Task.readySetGo ReadySetGo.standard, [ "delay" ]
                        Task.periodic 10.0<ms> [ harmonic 1 1.0 ], []
                    ] do
                    for view in viewed task 3 do
                        Expect.equal
                            (set view.Conditions.Keys)
                            (set names)
                            $"{task.Name}, trial {view.Trial}"
            }

            test "of standard tasks are those of what they show" {
                for view in viewed perceptual 40 do
                    Expect.equal (int view.Conditions["side"]) (asked view) "side"

                    Expect.contains
                        PerceptualDecision.standard.Coherences
                        view.Conditions["coherence"]
                        "coherence"

                    let duration =
                        view.Phases
                        |> List.pick (fun (name, _, duration) ->
                            if name = "stimulus" then Some(float duration) else None)

                    Expect.equal view.Conditions["stimulus"] duration "the phase that varies"
                    Expect.isFalse (view.Conditions.ContainsKey "fixation") "one that does not"

                for view in viewed (Task.delayedMatch DelayedMatch.standard) 40 do
                    Expect.equal (view.Conditions["match"] = 1.0) (asked view = 0) "match"

                    Expect.equal
                        (view.Conditions["sample-direction"] = view.Conditions["test-direction"])
                        (asked view = 0)
                        "directions"

                for view in viewed (Task.sensorimotorMap SensorimotorMap.standard) 20 do
                    Expect.equal (view.Conditions["sign"] > 0.0) (asked view = 0) "sign"

                let silent =
                    Task.contextIntegration {
                        ContextIntegration.standard with
                            Noise = 0.0
                    }

                for view in viewed silent 40 do
                    let row = List.head (rowsOf "stimulus" view)
                    let context = int view.Conditions["context"]
                    near "the context's channel" 1.0 view.Inputs[row, 2 + context]
                    near "motion" (2.0 * view.Conditions["motion"]) view.Inputs[row, 0]
                    near "color" (2.0 * view.Conditions["color"]) view.Inputs[row, 1]
                    near "evidence" (2.0 * view.Conditions["evidence"]) view.Inputs[row, context]

                for view in viewed (Task.sine SineCommand.standard) 10 do
                    let period = view.Conditions["period"]
                    let row = List.head (rowsOf "wave" view) + 4
                    near "the sine" (sin (2.0 * Math.PI * 5.0 / period)) view.Targets[row, 0]

                for view in viewed (Task.readySetGo ReadySetGo.standard) 10 do
                    let peak = Seq.maxBy (fun t -> view.Targets[t, 0]) [ 0 .. steps view - 1 ]
                    near "the delay" (float (peak + 1 - 50) / 2.0) view.Conditions["delay"]
            }

            test "of a task of one's own are drawn again, and change no number of a trial" {
                let plain = { conditioned with Conditions = [] }

                for view, other in List.zip (viewed conditioned 40) (viewed plain 40) do
                    Expect.equal view.Inputs other.Inputs "the trial"
                    near "value" view.Inputs[0, 0] view.Conditions["value"]
                    Expect.equal (view.Conditions["left"] = 1.0) (view.Targets[0, 0] > 0.0) "left"
                    Expect.equal view.Conditions["cue"] (float (steps view)) "the phase"

                let ofFunction =
                    Task.ofTrials 3.0<ms> (fun _ stream -> {
                        Inputs = Array2D.create 3 1 (stream.Uniform(0.0, 1.0))
                        Targets = Array2D.create 3 1 (stream.Uniform(0.0, 1.0))
                        Mask = None
                        Events = []
                        Rewards = None
                        Conditions = []
                    })

                let said = ofFunction |> Task.conditions [ "first", (fun s -> s.Uniform(0.0, 1.0)) ]

                for view, other in List.zip (viewed said 10) (viewed ofFunction 10) do
                    Expect.equal view.Targets other.Targets "the trial"
                    Expect.equal view.Conditions["first"] view.Inputs[0, 0] "the first draw"
            }

            test "of several tasks are those of the one that makes the trial, with its place" {
                let mixed =
                    Task.blocks [
                        conditioned, 2
                        remembered ignore (fun () _ -> {
                            Input = [| 0.0 |]
                            Target = [| 0.0 |]
                            Mask = [||]
                            Events = []
                        }),
                        1
                    ]

                for k, view in List.indexed (viewed mixed 6) do
                    let isFirst = k % 3 < 2
                    Expect.equal view.Conditions["part"] (if isFirst then 0.0 else 1.0) "part"
                    Expect.equal (view.Conditions.ContainsKey "value") isFirst "value"
                    Expect.equal view.Conditions["cue"] (float (steps view)) "the phase of each"
            }

            test "are refused where they can mean nothing" {
                let refusal task =
                    match Trials.show 1.0<ms> 1L task [ 0 ] with
                    | Ok _ -> failtest "it was accepted"
                    | Error problems -> problems |> List.map Problem.text |> String.concat "; "

                let twice = conditioned |> Task.conditions [ "value", (fun _ -> 1.0) ]
                Expect.stringContains (refusal twice) "two conditions named value" "twice"

                let phase = conditioned |> Task.conditions [ "cue", (fun _ -> 1.0) ]
                Expect.stringContains (refusal phase) "two conditions named cue" "a phase"

                let throws = conditioned |> Task.conditions [ "x", (fun _ -> failwith "no x") ]
                Expect.stringContains (refusal throws) "no x" "throws"

                let several = Task.blocks [ conditioned, 1 ] |> Task.scored Score.Decision

                Expect.stringContains (refusal several) "give them to its parts" "several"

                let error = conditioned |> Task.scored (Score.ErrorBelow nan)
                Expect.stringContains (refusal error) "the error of a right trial" "error"
            }
        ]

        testList "performance" [
            test "of a decision is whether what was chosen was asked for" {
                for task, inputs, outputs in
                    [
                        perceptual, 3, 2
                        Task.contextIntegration ContextIntegration.standard, 4, 1
                        Task.mixture [ perceptual, 1.0 ], 3, 2
                    ] do
                    let shown = ok (Run.perform (untrained inputs outputs task) task 30)

                    let performances = [
                        for activity in shown do
                            let asked, chosen = (Measure.decision activity).Value

                            Expect.equal
                                activity.Performance
                                (if asked = chosen then 1.0 else 0.0)
                                task.Name

                            activity.Performance
                    ]

                    Expect.equal (List.distinct performances).Length 2 "right and wrong"
            }

            test "is none where a task or a trial defines none" {
                let task = Task.sine SineCommand.standard
                let sine = ok (Run.perform (untrained 2 1 task) task 2)
                Expect.all sine (fun shown -> Double.IsNaN shown.Performance) "sine"

                let equal = {
                    IntervalDiscrimination.standard with
                        First = fixedFor 40.0<ms>
                        Second = fixedFor 40.0<ms>
                }

                let task = Task.intervalDiscrimination equal
                let equal = ok (Run.perform (untrained 3 2 task) task 2)
                Expect.all equal (fun shown -> Double.IsNaN shown.Performance) "equal intervals"
            }

            test "by errors is that of the definition" {
                // The first step has no target.
                let masked =
                    remembered drawn (fun (value, isLeft) now -> {
                        Input = [| value |]
                        Target = [|
                            if now.IsOnset then nan
                            elif isLeft then 1.0
                            else -1.0
                        |]
                        Mask = [| if now.IsOnset then 0.0 else 1.0 |]
                        Events = []
                    })

                let shown score =
                    let task = masked |> Task.scored score
                    ok (Run.perform (untrained 1 1 task) task 20)

                let errors (activity: Activity) =
                    (activity.Outputs["y"] - activity.Targets).Enumerate()
                    |> Seq.tail
                    |> Seq.map abs

                for activity in shown (Score.ErrorBelow 1.0) do
                    Expect.equal
                        activity.Performance
                        (if Seq.average (errors activity) < 1.0 then 1.0 else 0.0)
                        "the mean error"

                let shares = [
                    for activity in shown (Score.ShareWithin 1.0) do
                        let expected =
                            errors activity |> Seq.averageBy (fun e -> if e < 1.0 then 1.0 else 0.0)

                        near "the share" expected activity.Performance
                        expected
                ]

                Numbers.isGreaterThan (List.distinct shares).Length 1 "shares differ"
            }
        ]

        testList "estimates" [
            test "are those of the textbooks" {
                let interval (estimate: Estimate) =
                    estimate.Value, estimate.Low, estimate.High

                let near3 what (a, b, c) (d, e, f) =
                    near what a d
                    Numbers.isLessThan (abs (b - e)) 1e-4 $"{what}: low {e}"
                    Numbers.isLessThan (abs (c - f)) 1e-4 $"{what}: high {f}"

                near3 "Wilson" (0.9, 0.82563, 0.94477) (interval (Estimate.proportion 90 100))
                near3 "Wilson of none" (0.0, 0.0, 0.27753) (interval (Estimate.proportion 0 10))
                near3 "Wilson of all" (1.0, 0.72247, 1.0) (interval (Estimate.proportion 10 10))
                // 2 +- 4.30265 / sqrt 3.
                near3 "t" (2.0, -0.48414, 4.48414) (interval (Estimate.mean [ 1.0; 2.0; nan; 3.0 ]))
                Expect.isTrue (Double.IsNaN (Estimate.mean []).Value) "of nothing"
                Expect.isTrue (Double.IsNaN (Estimate.mean [ 1.0 ]).Low) "of one"
            }

            test "of paired differences are those of Newcombe and of Student" {
                let pairs both lost won neither =
                    [
                        yield! List.replicate both (1.0, 1.0)
                        yield! List.replicate lost (1.0, 0.0)
                        yield! List.replicate won (0.0, 1.0)
                        yield! List.replicate neither (0.0, 0.0)
                    ]
                    |> List.unzip

                let shares counts = counts ||> Estimate.pairedDifference

                let near3 what (value, low, high) (found: Estimate) =
                    Numbers.isLessThan (abs (value - found.Value)) 1e-12 $"{what}: {found}"
                    Numbers.isLessThan (abs (low - found.Low)) 1e-5 $"{what}, low: {found}"
                    Numbers.isLessThan (abs (high - found.High)) 1e-5 $"{what}, high: {found}"

                // Computed by the formulas of the paper in another language; the second is correlated, the first is not after its correction.
                near3 "won" (0.2, 0.0569296, 0.3404276) (shares (pairs 36 2 12 0))
                near3 "won, correlated" (0.2, 0.0561564, 0.3292070) (shares (pairs 20 2 12 16))
                near3 "all won" (0.28, 0.1440826, 0.3963253) (shares (pairs 18 0 14 18))
                near3 "lost" (-0.28, -0.3963253, -0.1440826) (shares (pairs 18 14 0 18))
                near3 "the same" (0.0, -0.0570922, 0.0570922) (shares (pairs 40 0 0 10))

                // 2 +- 4.30265 / sqrt 3 of the differences 1, 2 and 3; the pair with NaN is none.
                let means = Estimate.pairedDifference [ 0.5; 0.5; nan; 1.0 ] [ 1.5; 2.5; 9.0; 4.0 ]

                Numbers.isLessThan (abs (means.Low + 0.48414)) 1e-4 "t, low"
                Numbers.isLessThan (abs (means.High - 4.48414)) 1e-4 "t, high"
                Expect.equal means.Trials 3 "pairs"
                Expect.equal (Estimate.pairedDifference [] []).Trials 0 "of nothing"

                Expect.throwsT<ArgumentException>
                    (fun () -> Estimate.pairedDifference [ 1.0 ] [] |> ignore)
                    "a number without its pair"
            }

            testPropertyWithConfig
                (config 200)
                "hold what they estimate, and a right trial is counted once"
                (fun (outcomes: bool list) ->
                    let estimate =
                        Estimate.ofScores [ for right in outcomes -> if right then 1.0 else 0.0 ]

                    if not (List.isEmpty outcomes) then
                        isIn "the share" estimate.Value estimate
                        Numbers.isGreaterThanOrEqual estimate.Low 0.0 "low"
                        Numbers.isLessThanOrEqual estimate.High 1.0 "high"
                        Expect.equal estimate.Trials outcomes.Length "trials")
        ]

        testList "psychometric curves" [
            test "parameters are those from which choices were drawn" {
                for seed in 1L .. 3L do
                    let fit = choices seed 3000 0.2 6.0 0.05 0.1 |> PsychometricFit.ofChoices few

                    let near what value margin (estimate: Estimate) =
                        let wide = {
                            estimate with
                                Low = estimate.Low - margin
                                High = estimate.High + margin
                        }

                        isIn what value wide
                        Numbers.isLessThan estimate.Low estimate.High $"{what} has an interval"

                    // An interval of 95 % misses one of twenty; the margin is a third of its usual width.
                    near "bias" 0.2 0.02 fit.Bias
                    near "slope" 6.0 1.0 fit.Slope
                    near "lapse low" 0.05 0.02 fit.LapseLow
                    near "lapse high" 0.1 0.02 fit.LapseHigh
                    Numbers.isLessThan (abs (fit.Bias.Value - 0.2)) 0.1 "bias"

                    for x, share in fit.Points do
                        let expected = 0.05 + 0.85 / (1.0 + exp (-6.0 * (x - 0.2)))
                        Numbers.isLessThan (abs (fit.At x - expected)) 0.06 $"the curve at {x}"
                        Expect.isTrue (abs (share.Value - expected) < 0.1) "the points"
            }

            test "the same choices give the same numbers" {
                let data = choices 1L 200 0.0 3.0 0.0 0.0

                Expect.equal
                    (PsychometricFit.ofChoices few data)
                    (PsychometricFit.ofChoices few data)
                    ""
            }

            test "evidence in other units is the same curve" {
                let data = choices 2L 600 0.1 4.0 0.02 0.02
                let fit = PsychometricFit.ofChoices few data

                let other =
                    PsychometricFit.ofChoices few [ for x, one in data -> 10.0 * x + 3.0, one ]

                Numbers.isLessThan
                    (abs (other.Bias.Value - (10.0 * fit.Bias.Value + 3.0)))
                    0.05
                    "bias"

                Numbers.isLessThan
                    (abs (10.0 * other.Slope.Value / fit.Slope.Value - 1.0))
                    0.02
                    "slope"
            }

            testPropertyWithConfig
                (config 40)
                "no choices make it fail"
                (fun (data: (int * bool) list) ->
                    let how = { few with Resamples = 4 }

                    let fit =
                        PsychometricFit.ofChoices how [ for x, one in data -> float (x % 3), one ]

                    for estimate in [ fit.LapseLow; fit.LapseHigh ] do
                        if not (List.isEmpty data) then
                            Numbers.isGreaterThanOrEqual estimate.Value 0.0 "a lapse"
                            Numbers.isLessThanOrEqual estimate.Value 0.25 "a lapse"

                    if not (List.isEmpty data) then
                        Expect.isTrue (Double.IsFinite fit.Slope.Value) "a slope"
                        let p = fit.At 0.5
                        Numbers.isGreaterThanOrEqual p 0.0 "a chance"
                        Numbers.isLessThanOrEqual p 1.0 "a chance")

            test "choices that the evidence separates have a slope, and flat ones none to speak of" {
                let data one = [ for k in 0..99 -> float (k % 5 - 2), one (k % 5 - 2) k ]
                let steep = PsychometricFit.ofChoices few (data (fun x _ -> x > 0))
                Numbers.isGreaterThan steep.Slope.Value 3.0 "steep"
                isIn "between the levels" 0.5 steep.Bias
                let flat = PsychometricFit.ofChoices few (data (fun _ k -> k / 5 % 2 = 0))
                Numbers.isLessThan (abs flat.Slope.Value) 0.1 "flat"
                let falling = PsychometricFit.ofChoices few (data (fun x _ -> x < 0))
                Numbers.isLessThan falling.Slope.Value -3.0 "falling"
            }
        ]

        testList "by condition" [
            testPropertyWithConfig
                (config 100)
                "no trial is lost, and each is in one group"
                (fun (data: (int * int * bool) list) ->
                    let trials = [
                        for c, asked, right in data ->
                            let asked = abs (asked % 3)

                            tested
                                (if right then 1.0 else 0.0)
                                [ "c", float (c % 4) ]
                                (Some(asked, (if right then asked else (asked + 1) % 3)))
                    ]

                    let groups = Behavior.by "c" trials

                    Expect.equal
                        (groups |> List.sumBy (fun (_, group) -> group.Trials))
                        trials.Length
                        ""

                    Expect.equal
                        (List.map fst groups)
                        (groups |> List.map fst |> List.distinct |> List.sort)
                        ""

                    let confusion = Behavior.confusion trials

                    Expect.equal
                        (confusion.Counts |> Seq.cast<int> |> Seq.sum)
                        trials.Length
                        "confusion"

                    let right =
                        Seq.sum (
                            seq {
                                for k in 0 .. confusion.Counts.GetLength 0 - 1 ->
                                    confusion.Counts[k, k]
                            }
                        )

                    Expect.equal
                        right
                        (data |> List.filter (fun (_, _, right) -> right) |> List.length)
                        "on the diagonal"

                    for value, group in groups do
                        let own = trials |> List.filter (fun trial -> trial.Condition "c" = value)

                        Expect.equal
                            group.Performance.Value
                            (own |> List.averageBy _.Performance)
                            "performance"

                        Expect.equal
                            (group.Choices
                             |> List.sumBy (fun (_, share) -> share.Value)
                             |> fun s -> Math.Round(s, 9))
                            1.0
                            "choices")

            test "a condition that no trial has is refused by name" {
                let trials = [ tested 1.0 [ "side", 0.0 ] None ]

                Expect.throwsC (fun () -> Behavior.by "coherence" trials |> ignore) (fun e ->
                    Expect.stringContains
                        e.Message
                        "no trial has a condition coherence (known: side)"
                        "")
            }

            test "a test is what the activities say, and shows held-out trials" {
                let trained = untrained 3 2 perceptual
                let trials = ok (Behavior.test trained perceptual 12)
                let activities = ok (Run.perform trained perceptual 12)
                Expect.equal trials (List.map Behavior.ofActivity activities) "the same trials"

                let practiced =
                    ok (
                        Behavior.testWith
                            Evaluation.onTrainingTrials
                            trained.Final
                            trained.Experiment
                            perceptual
                            12
                    )

                for trial in trials do
                    Expect.isFalse
                        (practiced |> List.exists (fun other -> other.Loss = trial.Loss))
                        "a trial of the training"
            }

            test "a reaction is the first step in which the chosen output leads by half" {
                let activity leads : Activity =
                    let matrix (rows: float list list) =
                        MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.DenseOfRows(
                            Seq.map Seq.ofList rows
                        )

                    {
                        Loss = 0.1
                        Conditions = Map.ofList [ "c", 1.0 ]
                        Performance = 1.0
                        Readouts = [ readout "y" 2 ]
                        Inputs = matrix [ [ 0.0 ]; [ 0.0 ]; [ 0.0 ]; [ 0.0 ]; [ 0.0 ] ]
                        Targets =
                            matrix [
                                [ 0.0; 0.0 ]
                                [ 1.0; 0.0 ]
                                [ 1.0; 0.0 ]
                                [ 1.0; 0.0 ]
                                [ 1.0; 0.0 ]
                            ]
                        Mask =
                            matrix [
                                [ 0.1; 0.1 ]
                                [ 1.0; 1.0 ]
                                [ 1.0; 1.0 ]
                                [ 1.0; 1.0 ]
                                [ 1.0; 1.0 ]
                            ]
                        Rewards = Array.zeroCreate 5
                        Events = Map.empty
                        Outputs = Map.ofList [ "y", matrix [ for lead in leads -> [ lead; 0.0 ] ] ]
                        Rates = Map.empty
                        States = Map.empty
                    }

                let steps leads =
                    (Behavior.ofActivity (activity leads)).ReactionSteps

                Expect.equal (steps [ 2.0; 0.1; 0.4; 0.5; 0.9 ]) (Some 3) "from the decision on"
                Expect.equal (steps [ 0.0; 0.1; 0.2; 0.3; 0.4 ]) None "never"

                let trials =
                    List.map Behavior.ofActivity [
                        activity [ 0.0; 0.0; 0.6; 0.6; 0.6 ]
                        activity [ 0.0; 0.0; 0.0; 0.0; 0.6 ]
                        // Wrong, and so left out.
                        activity [ 0.0; -0.6; -0.6; -0.6; -0.6 ]
                    ]

                match Behavior.chronometric 2.0<ms> "c" trials with
                | [ 1.0, time ] -> Expect.equal time.Value 6.0 "the mean of 4 and 8 ms"
                | found -> failtest $"%A{found}"
            }
        ]
    ]

/// Blocks, mixtures and curricula: which task makes a trial, that it is that task's own trial, and what is kept.
module Rflo.Dsl.Tests.CombinedTests

open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Views

let private constant name phases value =
    Task.phased 1 1 phases ignore (fun () now -> {
        Input = [| now.Stream.Gaussian() |]
        Target = [| value |]
        Mask = [||]
        Events = []
    })
    |> Task.named name

let private a = constant "a" [ phase "cue" (between 3.0<ms> 9.0<ms>) ] 1.0

let private b =
    constant
        "b"
        [
            phase "cue" (fixedFor 2.0<ms>)
            phase "go" (between 1.0<ms> 4.0<ms>)
        ]
        2.0

let private c = constant "c" [ phase "wait" (fixedFor 5.0<ms>) ] 3.0

/// What a trial shows, whoever made it: without the names of events that it does not mark.
let private bare (view: TrialView) =
    view.Inputs,
    view.Targets,
    view.Mask,
    view.Phases,
    view.Events
    |> List.filter (fun (_, steps) -> not (List.isEmpty steps))
    |> List.sort

let private alone seed number which =
    views seed (List.item which [ a; b; c ]) [ number ] |> List.head |> bare

let private bits (numbers: float[]) =
    Array.map System.BitConverter.DoubleToInt64Bits numbers

let private whichOf (view: TrialView) = int view.Targets[0, 0] - 1

let private blocksAndMixtures =
    testList "blocks and mixtures" [
        test "blocks follow each other, and begin again" {
            let task = Task.blocks [ a, 3; b, 1; c, 2 ]
            let shown = views 1L task [ 0..13 ]

            Expect.equal
                (List.map whichOf shown)
                [ 0; 0; 0; 1; 2; 2; 0; 0; 0; 1; 2; 2; 0; 0 ]
                "which"

            Expect.equal
                task.Events
                [
                    "cue"
                    "cue.onset"
                    "go"
                    "go.onset"
                    "wait"
                    "wait.onset"
                ]
                "events"

            for number, view in List.indexed shown do
                Expect.equal (bare view) (alone 1L number (whichOf view)) $"trial {number}"
        }

        test "a mixture draws each task as often as it should, and its own trial" {
            let task = Task.mixture [ a, 7.0; b, 2.0; c, 1.0 ]
            let shown = views 2L task [ 0..1999 ]

            for which, probability in [ 0, 0.7; 1, 0.2; 2, 0.1 ] do
                let often = shown |> List.filter (fun view -> whichOf view = which) |> List.length
                expectShare $"task {which}" probability often shown.Length

            for number in 0..99 do
                let view = shown[number]
                Expect.equal (bare view) (alone 2L number (whichOf view)) $"trial {number}"

            Expect.equal
                (views 2L task [ 99..-1..0 ] |> List.rev)
                (List.truncate 100 shown)
                "by number"
        }

        test "mixtures within a mixture draw for themselves" {
            let inner = Task.mixture [ a, 1.0; b, 1.0 ]
            let task = Task.mixture [ inner, 1.0; c, 1.0 ]
            let shown = views 3L task [ 0..1999 ]

            for which, probability in [ 0, 0.25; 1, 0.25; 2, 0.5 ] do
                let often = shown |> List.filter (fun view -> whichOf view = which) |> List.length
                expectShare $"task {which}" probability often shown.Length
        }

        testPropertyWithConfig
            (config 100)
            "one task in blocks, in a mixture or as a curriculum trains as it does alone, bit for bit"
            (fun (Valid experiment) ->
                let result task =
                    match Run.train { experiment with Task = task } with
                    | Ok trained -> [|
                        yield! trained.Losses
                        yield! trained.Rewards
                        for weights in Map.values trained.Final do
                            yield! weights.Enumerate()
                        yield! trained.After.Inputs.Enumerate()
                        yield! trained.After.Targets.Enumerate()
                      |]
                    | Error problems ->
                        failtest (String.concat "\n" (List.map Problem.text problems))

                let expected = result experiment.Task

                for task in
                    [
                        Task.blocks [ experiment.Task, 1 ]
                        Task.curriculum [] experiment.Task
                        // A mixture within a mixture draws otherwise than alone.
                        if not experiment.Task.Kind.IsMixture then
                            Task.mixture [ experiment.Task, 3.0 ]
                    ] do
                    Expect.sequenceEqual (bits (result task)) (bits expected) task.Name)
    ]

// Curricula.

let private cortex = area "cortex" 8 |> initial (carriedOver 0.1)
let private x = input "x" 1
let private y = readout "y" 1

let private network =
    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.2) |> learningRate 0.05
        x --> cortex |> weights (uniform -1.0 1.0)
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.05
    ]
    |> feedback [ errorOf y --> cortex ]

let private learn task count =
    experiment "staged" network task |> rule Rule.rflo |> trials count |> seed 3

let private trained experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

/// Asks the output for a number, and rewards every step that comes near.
let private rewarded value =
    Task.closedLoop 1 1 6.0<ms> [| 0.0 |] (fun _ _ _ -> ()) (fun _ memory ->
        memory[0] <- memory[0] + 1.0

        {
            Input = [| 1.0 |]
            Target = [| value |]
            Mask = [||]
            Events = []
        })
    |> Task.judged (fun now _ -> if abs (now.Outputs[0] - value) < 0.2 then 1.0 else 0.0)
    |> Task.named $"near {value}"

/// Where a run should have been in each trial, by the words of the criteria.
let private stagesByHand criteria (losses: float[]) (rewards: float[]) =
    let mutable stage, since = 0, 0

    [|
        for trial in 0 .. losses.Length - 1 do
            stage

            let lastOf (values: float[]) count =
                Array.average values[trial - count + 1 .. trial]

            let isPassed =
                match List.tryItem stage criteria with
                | None -> false
                | Some(AfterTrials count) -> trial + 1 - since >= count
                | Some(MeanLossBelow(loss, count)) ->
                    trial + 1 - since >= count && lastOf losses count < loss
                | Some(MeanRewardAbove(reward, count)) ->
                    trial + 1 - since >= count && lastOf rewards count > reward
                // Held by ValidationTests.
                | Some(ValidationLossBelow _)
                | Some(PerformanceAbove _) -> false

            if isPassed then
                stage <- stage + 1
                since <- trial + 1
    |]

let private criteria = [
    MeanRewardAbove(4.0, 3)
    AfterTrials 7
    MeanLossBelow(0.05, 5)
]

let private staged =
    Task.curriculum (List.zip [ rewarded 0.5; c; rewarded -0.5 ] criteria) (rewarded 1.0)

let private curricula =
    testList "curricula" [
        test "go on by reward, by number and by loss, as soon as they should and no sooner" {
            let run = trained (learn staged 400)
            let expected = stagesByHand criteria run.Losses run.Rewards
            Expect.equal (Measure.stages staged run) expected "stages"
            Expect.equal (Array.distinct expected) [| 0; 1; 2; 3 |] "all were reached"
            // What the last test shows is of the last stage.
            Expect.equal run.After.Targets[0, 0] 1.0 "the last task"
            Expect.equal run.Before.Targets[0, 0] 0.5 "the first task"
            // Stage 1 has 5 steps and no rewards, the others 6.
            let first = Array.findIndex ((=) 1) expected
            Expect.allEqual run.Rewards[first .. first + 6] 0.0 "no rewards"
            Expect.isTrue (run.Rewards[first - 1] > 4.0) "rewards"
        }

        test "are taken up where they were, bit for bit, from every trial" {
            let full = trained (learn staged 60)
            let stages = Measure.stages staged full
            Numbers.isGreaterThan (Array.distinct stages).Length 2 "several stages"

            let compiled =
                lazy
                    (match Check.experiment (learn staged 60) with
                     | Ok ready -> Compile.experiment ready
                     | Error _ -> failtest "wrong")

            let session () =
                match Check.experiment (learn staged 60) with
                | Ok ready -> Run.session (Compile.experiment ready)
                | Error _ -> failtest "wrong"

            for stop in 0..3..60 do
                let first = session ()
                first.Run stop |> ignore
                let second = session ()
                // A session that was elsewhere forgets it.
                second.Run((stop * 7) % 60) |> ignore
                second.Restore(first.Capture())
                second.Run(60 - stop) |> ignore
                Expect.equal (second.Metrics.CopyLosses()) full.Losses $"losses after {stop}"
                Expect.equal (Run.weights compiled.Value second) full.Final $"weights after {stop}"
        }

        test "do not hear of tests" {
            let ready = learn staged 40
            let full = trained ready

            match Check.experiment ready with
            | Error _ -> failtest "wrong"
            | Ok checked' ->
                let session = Run.session (Compile.experiment checked')

                for trial in 0..39 do
                    session.Run 1 |> ignore

                    for other in 0..4 do
                        session.Replay(trial + other) |> ignore

                Expect.equal (session.Metrics.CopyLosses()) full.Losses "losses"
        }

        test "may lie within one another" {
            let inner = Task.curriculum [ c, AfterTrials 3 ] b
            let task = Task.curriculum [ inner, AfterTrials 5 ] a
            let asked = ResizeArray()

            match Check.experiment (learn task 8) with
            | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))
            | Ok ready ->
                let session = Run.session (Compile.experiment ready)

                for trial in 0..7 do
                    asked.Add((session.Replay trial).Targets[0])
                    session.Run 1 |> ignore

                Expect.equal (List.ofSeq asked) [ 3.0; 3.0; 3.0; 2.0; 2.0; 1.0; 1.0; 1.0 ] "tasks"
        }
    ]

[<Tests>]
let tests = testList "tasks made of tasks" [ blocksAndMixtures; curricula ]

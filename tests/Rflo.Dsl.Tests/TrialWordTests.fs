/// Trials and steps by words say what the records of which they are made say, and what words say of a rule holds under any rule.
module Rflo.Dsl.Tests.TrialWordTests

open Expecto
open Rflo.Core
open Rflo.Dsl

let private ok =
    function
    | Ok value -> value
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private cortex = area "cortex" 6
let private cue = input "cue" 2
let private y = readout "y" 2

let private network =
    circuit [
        cue --> cortex |> learningRate 0.05
        cortex --> cortex |> learningRate 0.05
        cortex --> y |> learningRate 0.05
    ]
    |> feedback [ errorOf y --> cortex ]

let private steps = 9

let private plan task =
    experiment "words" network task |> trials 4

let private shown t k = 0.1 * float (t * (k + 1) % 5)
let private asked t k = 0.2 * float (t + k) - 0.5

let private same (first: Trained) (second: Trained) what =
    Expect.equal first.Losses second.Losses $"{what}: losses"
    Expect.equal first.Final second.Final $"{what}: weights"

let private trial =
    Trial.ofSteps steps (fun t -> [ shown t 0; shown t 1 ], [ asked t 0; asked t 1 ])

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

[<Tests>]
let tests =
    testList "trials by words" [
        test "are the arrays that a function of steps makes" {
            let inputs = Array2D.init steps 2 (fun row k -> shown (row + 1) k)
            let targets = Array2D.init steps 2 (fun row k -> asked (row + 1) k)
            Expect.equal trial (Trial.ofArrays inputs targets) "arrays"
            let byArrays = ok (Run.train (plan (Task.ofArrays inputs targets)))
            same byArrays (ok (Run.train (plan (Task.ofTrial trial)))) "of one trial"

            let drawn = Task.ofTrials (float steps * 1.0<ms>) (fun _ _ -> trial)
            same byArrays (ok (Run.train (plan drawn))) "of drawn trials"
        }

        test "have masks, rewards and events" {
            let mask = Array2D.init steps 2 (fun row k -> float ((row + k) % 2))
            let rewards = Array.init steps float

            let made =
                trial |> Trial.mask mask |> Trial.rewards rewards |> Trial.event "go" [ 2; 5 ]

            let task = Task.ofTrial made
            Expect.equal task.Events [ "go" ] "events of the task"

            let gated = network |> Circuit.mapProjection "cortex->cortex" (gate (atEvent "go"))

            let before = (ok (Run.train { plan task with Circuit = gated })).Before
            Expect.equal (before.Mask.ToArray()) mask "mask"
            Expect.equal before.Rewards rewards "rewards"

            // An event that never happens is no event.
            let never = Task.ofTrial (made |> Trial.event "stop" [])
            Expect.equal never.Events [ "go"; "stop" ] "named"

            Expect.equal
                (problems (plan never))
                [
                    "task: it names the event stop and marks no step with it; mark some, such as Task.marked [ \"stop\", [ 1 ] ], or leave the name out"
                ]
                "an event without a step in the one trial that there is"
        }

        test "say what they are about" {
            let task =
                Task.ofTrials (float steps * 1.0<ms>) (fun number stream ->
                    trial
                    |> Trial.condition "number" (float number)
                    |> Trial.condition "coherence" (stream.Uniform(0.0, 1.0)))

            let trained = ok (Run.train (plan task))

            for activity in ok (Run.perform trained task 5) do
                Expect.equal (List.ofSeq activity.Conditions.Keys) [ "coherence"; "number" ] "names"
                Expect.isTrue (activity.Conditions["coherence"] < 1.0) "a number of the trial"

            let fixedOne = trial |> Trial.condition "side" 1.0 |> Task.ofTrial
            let activity = ok (Run.perform (ok (Run.train (plan fixedOne))) fixedOne 2)

            for one in activity do
                Expect.equal one.Conditions (Map [ "side", 1.0 ]) "of the trial that there is"
        }

        test "of other conditions than the first are refused when they come" {
            let task =
                Task.ofTrials (float steps * 1.0<ms>) (fun number _ ->
                    if number = 2 then
                        trial
                    else
                        trial |> Trial.condition "side" 1.0)

            let run = ok (Run.train (plan task))
            Expect.equal run.Status.End RunEnd.Failed "end"
            Expect.stringContains run.Status.Where "it has no condition side" "reason"
        }

        test
            "of a function that fails are a problem of the check, and no exception of the declaration" {
            Expect.equal
                (problems (plan (Task.ofTrials 9.0<ms> (fun _ _ -> failwith "no file"))))
                [
                    "task: drawing trial 0 failed: no file; fix the function in the script"
                ]
                "said once"
        }
    ]

[<Tests>]
let maskTests =
    testList "masks of trials" [
        test "multiply, wherever each is said" {
            let weight step =
                Array2D.init 12 1 (fun t _ -> if t % step = 0 then 0.5 else 2.0)

            let own = weight 2

            let product a b =
                Array2D.mapi (fun t k weight -> weight * (b: float[,])[t, k]) a

            let trial =
                Trial.ofArrays (Array2D.zeroCreate 12 0) (Array2D.create 12 1 1.0)
                |> Trial.mask own

            let maskOf (task: Task) =
                match Trials.show 1.0<ms> 1L task [ 0 ] with
                | Ok [ view ] -> view.Mask
                | other -> failtest $"%A{other}"

            for name, task in
                [
                    "ofTrial", Task.ofTrial trial
                    "ofTrials", Task.ofTrials 12.0<ms> (fun _ _ -> trial)
                    "ofArrays", Task.ofArrays trial.Inputs trial.Targets |> Task.masked own
                ] do
                Expect.equal (maskOf task) own $"{name}: its own"

                Expect.equal
                    (maskOf (task |> Task.masked (weight 3)))
                    (product own (weight 3))
                    $"{name}: and another"

                Expect.equal
                    (maskOf (task |> Task.masked (weight 3) |> Task.masked (weight 5)))
                    (product (product own (weight 3)) (weight 5))
                    $"{name}: and a third"
        }

        test "of different shapes are refused" {
            let task =
                Task.ofTrials 12.0<ms> (fun _ _ -> Trial.ofSteps 12 (fun _ -> [], [ 1.0 ]))

            let wide = Array2D.create 12 2 1.0

            match
                Trials.show
                    1.0<ms>
                    1L
                    (task |> Task.masked (Array2D.create 12 1 1.0) |> Task.masked wide)
                    [ 0 ]
            with
            | Ok _ -> failtest "accepted"
            | Error problems ->
                Expect.equal
                    (List.map Problem.text problems)
                    [
                        "task: one mask is (12, 1) and another (12, 2); give all masks a row for each step of the longest trial and a column for each output"
                    ]
                    "said once"
        }
    ]

/// The weights that count in each step and output.
let private masked (step: int -> Step) =
    let task =
        Task.phased 2 2 [ phase "all" (fixedFor (float steps * 1.0<ms>)) ] ignore (fun () now ->
            step now.Step)

    (ok (Run.train (plan task |> trials 0))).Before.Mask

let private loopOf (step: int -> Step) =
    Task.closedLoop 2 2 (float steps * 1.0<ms>) [||] (fun _ _ _ -> ()) (fun now _ -> step now.Step)

let private step t =
    Step.ofArrays [| shown t 0; shown t 1 |] [| asked t 0; asked t 1 |]

[<Tests>]
let stepTests =
    testList "steps by words" [
        test "weigh all targets, or each" {
            let weights t = [| 0.5; float (t % 3) |]

            for name, made, expected in
                [
                    "none said", step, (fun _ _ -> 1.0)
                    "one for all", (fun t -> step t |> Step.mask 0.25), (fun _ _ -> 0.25)
                    "each",
                    (fun t -> step t |> Step.maskEach (weights t)),
                    (fun row k -> (weights (row + 1))[k])
                ] do
                let mask = masked made
                let inLoop = (ok (Run.train (plan (loopOf made) |> trials 0))).Before.Mask

                for row in 0 .. steps - 1 do
                    for k in 0..1 do
                        Expect.equal mask[row, k] (expected row k) $"{name}: phases"
                        Expect.equal inLoop[row, k] (expected row k) $"{name}: closed loop"
        }

        test "of a mask of another length, or of a target that counts and is no number, are refused" {
            let task made =
                Task.phased
                    2
                    2
                    [ phase "all" (fixedFor (float steps * 1.0<ms>)) ]
                    ignore
                    (fun () now -> made now.Step)

            Expect.equal
                (problems (plan (task (fun t -> step t |> Step.maskEach [| 1.0; 1.0; 1.0 |]))))
                [
                    "task: the length of the mask in phase all is 3; it must be 2, one number an output"
                ]
                "length"

            let half weights t =
                { step t with Target = [| 0.0; nan |] } |> Step.maskEach weights

            Expect.equal
                (problems (plan (task (half [| 1.0; 1.0 |]))))
                [
                    "task: the target of output 1 in step 1 of trial 0, in phase all is NaN; it must be finite, or the mask of the step 0"
                ]
                "a target"

            Expect.isEmpty (problems (plan (task (half [| 1.0; 0.0 |])))) "one that does not count"
        }

        test "mark events of their own beside those of phases" {
            let made t =
                if t = 3 then step t |> Step.event "choose" else step t

            let phases = [
                phase "early" (fixedFor 4.0<ms>)
                phase "late" (fixedFor 5.0<ms>)
            ]

            let task = Task.phased 2 2 phases ignore (fun () now -> made now.Step)

            let named = task |> Task.events (Phase.events phases @ [ "choose" ])

            let gated event =
                plan named
                |> fun plan -> {
                    plan with
                        Circuit =
                            network
                            |> Circuit.mapProjection "cortex->cortex" (gate (atEvent event))
                            |> Circuit.mapProjection "cortex->cortex" (delay 1.0<ms>)
                }

            let open' event =
                let plan = gated event |> trials 0
                let compiled = Compile.experiment (ok (Check.experiment plan))
                let buffer = Trial.For compiled.Task
                compiled.Task.Fill(0, RandomStream.OfTrial(1L, "task", 0), buffer)
                let kind = List.findIndex ((=) event) named.Events

                [
                    for t in 1..steps do
                        if buffer.Events[(t - 1) * named.Events.Length + kind] then
                            t
                ]

            Expect.equal (open' "choose") [ 3 ] "the step's own"
            Expect.equal (open' "late") [ 5..9 ] "a phase"
            Expect.equal (open' "late.onset") [ 5 ] "its onset"

            Expect.equal
                (problems (plan task))
                [
                    "task: no event is named choose (known: early, late, early.onset, late.onset)"
                ]
                "one that nothing names"
        }
    ]

[<Tests>]
let settingTests =
    testList "settings of an experiment's rule" [
        test "hold under the rule that is given last" {
            let by = plan (Task.ofTrial trial)

            let expected = {
                Rule.eprop with
                    Update = EveryTrials(3, Mean)
                    Optimizer = Optimizer.adam
                    Clip = Clip.All 0.5
                    Schedule = Schedule.inverse 2.0
            }

            let words =
                batch 3
                >> optimizer Optimizer.adam
                >> clip (Clip.All 0.5)
                >> schedule (Schedule.inverse 2.0)

            Expect.equal (by |> words |> rule Rule.eprop).Rule expected "words first"
            Expect.equal (by |> rule Rule.eprop |> words).Rule expected "words last"

            Expect.equal
                (Rule.eprop
                 |> Rule.update (everyTrials 3)
                 |> Rule.optimizer Optimizer.adam
                 |> Rule.clip (Clip.All 0.5)
                 |> Rule.schedule (Schedule.inverse 2.0))
                expected
                "words of rules"

            Expect.equal
                (Rule.eprop |> Rule.readoutsBy DeltaRule |> Rule.withErrorPath DeclaredFeedback)
                    .Error
                DeclaredFeedback
                "path"
        }

        test "are a problem where the record of the experiment has another rule" {
            let changed = {
                (plan (Task.ofTrial trial) |> optimizer Optimizer.adam) with
                    Rule = Rule.rflo
            }

            Expect.equal
                (problems changed)
                [
                    "experiment: its rule has another optimizer, clipping or schedule than its words optimizer, clip and schedule set; set the rule by the word rule, such as |> rule Rule.bptt, which keeps them"
                ]
                "said"
        }
    ]

/// Tasks made of tasks, as the core has them: what is copied, what is refused, who hears of what.
module Rflo.Core.Tests.CombinedTaskTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking

/// A task that writes its number everywhere, with events of its own kinds; it leaves the number of steps as it finds it.
type private Numbered(number: float, steps, inputs, outputs, events) =
    interface ITask with
        member _.Inputs = inputs
        member _.Outputs = outputs
        member _.MaxSteps = steps
        member _.Events = events
        member _.GivesRewards = number > 1.0

        member _.Fill(_, _, into) =
            into.Inputs.AsSpan().Fill number
            into.Targets.AsSpan().Fill(10.0 * number)
            into.Mask.AsSpan().Fill(0.1 * number)
            into.Rewards.AsSpan().Fill(100.0 * number)

            for t in 0 .. steps - 1 do
                for kind in 0 .. events - 1 do
                    into.Events[t * events + kind] <- (t % events = kind)

let private numbered number steps events =
    Numbered(number, steps, 2, 1, events) :> ITask

let private stream number =
    RandomStream.OfTrial(1L, "task", number)

let private refuses what (action: unit -> unit) =
    Expect.throwsC action (fun error ->
        Expect.isTrue (error :? ArgumentException) what
        Expect.stringContains error.Message what "message")

// ---- which task makes a trial -------------------------------------------------------------------

/// A mixture by its definition: the uniform number of a part of the trial's stream, looked up in the sums of the shares.
let private mixtures (weights: int list, part: string, seed: int) =
    let mixture = MixtureChoice([| for weight in weights -> float weight |], part)
    let sum = float (List.sum weights)
    let ends = weights |> List.scan (+) 0 |> List.tail |> List.map float

    for trial in 0L .. 49L do
        let given = RandomStream.OfTrial(int64 seed, "task", trial)
        let fresh = RandomStream.OfTrial(int64 seed, "task", trial)
        let draw = fresh.Part(part).Uniform(0, 1)
        let expected = ends |> List.findIndex (fun last -> draw * sum < last)
        Expect.equal (mixture.Choose(int trial, given)) expected $"trial {trial}, draw {draw}"
        Expect.equal (given.Uniform(0, 1)) (fresh.Uniform(0, 1)) "the task's own numbers stay"

let private anyMixture =
    Gen.zip3
        (Gen.nonEmptyListOf (Gen.choose (1, 9)))
        (Gen.elements [ "mixture"; "inner" ])
        (Gen.choose (1, 100_000))
    |> Arb.fromGen

/// A curriculum by its definition: the stage after each trial, of all losses and rewards of the stage in hand.
let private stagesOf (criteria: CurriculumStage list) history =
    let meanOfLast count (values: float list) =
        List.average (List.truncate count values)

    let isPassed (criterion: CurriculumStage) (trials: (float * float) list) =
        let scored = trials |> List.map fst |> List.filter (Double.IsNaN >> not)

        trials.Length >= criterion.Trials
        && meanOfLast criterion.Trials (List.map snd trials) > criterion.RewardAbove
        && (Double.IsPositiveInfinity criterion.LossBelow
            || scored.Length >= criterion.Trials
               && meanOfLast criterion.Trials scored < criterion.LossBelow)

    (([], 0), history)
    ||> List.scan (fun (trials, stage) outcome ->
        let trials = outcome :: trials

        if stage < criteria.Length && isPassed criteria[stage] trials then
            [], stage + 1
        else
            trials, stage)
    |> List.tail
    |> List.map snd

let private curricula (criteria: (int * float * float) list, history: (float * float) list) =
    let criteria = [
        for trials, loss, reward in criteria -> CurriculumStage(trials, loss, reward)
    ]

    let curriculum = CurriculumChoice(Array.ofList criteria)

    let stages = [
        for loss, reward in history do
            curriculum.Learned(loss, reward)
            curriculum.Stage
    ]

    Expect.equal stages (stagesOf criteria history) "the stage after each trial"

let private anyCurriculum =
    let criterion =
        Gen.zip3
            (Gen.choose (1, 4))
            (Gen.elements [ infinity; 0.5; 0.75 ])
            (Gen.elements [ -infinity; 0.5 ])

    // Eighths add up without rounding.
    let outcome =
        Gen.zip
            (Gen.elements [ 0.125; 0.25; 0.5; 0.875; nan ])
            (Gen.elements [ 0.0; 0.5; 0.625; 1.0 ])

    Gen.zip (Gen.nonEmptyListOf criterion) (Gen.listOfLength 60 outcome)
    |> Arb.fromGen

// ---- parts that look at the circuit -------------------------------------------------------------

/// A closed loop that writes what its state and the outputs make of a step; its state goes on from trial to trial.
type private Looping(number: float, steps, size) =
    let state = Array.init size (fun k -> number + float k)
    let sum () = number + Array.sum state

    interface IClosedLoopTask with
        member _.Inputs = 2
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 1
        member _.GivesRewards = true
        member _.Fill(_, _, into) = into.Inputs.AsSpan().Fill number
        member _.Watches = [||]
        member _.StateLength = size
        member _.SaveState saved = state.AsSpan().CopyTo saved
        member _.RestoreState saved = saved.CopyTo(state.AsSpan())

        member _.Before(now, trial) =
            trial.Inputs[2 * now.Step - 1] <- sum () + now.Outputs[0]
            trial.Events[now.Step - 1] <- now.Step % 2 = 0

        member _.After(now, trial) =
            for k in 0 .. size - 1 do
                state[k] <- 0.5 * state[k] + now.Outputs[0] + float k

            trial.Targets[now.Step - 1] <- sum ()
            trial.Mask[now.Step - 1] <- now.Outputs[0]
            trial.Rewards[now.Step - 1] <- 10.0 * sum ()

/// What a task shows of a trial, at each moment at which something of a step is used: before it and after it.
let private played (task: ITask) number =
    let trial = Trial(task.MaxSteps, task.Inputs, task.Outputs, task.Events)
    let given = stream (int64 number)
    let now = Moment(1, [||], [||])
    task.Fill(number, given, trial)

    let row t = [
        trial.Inputs[2 * t - 2]
        trial.Inputs[2 * t - 1]
        trial.Targets[t - 1]
        trial.Mask[t - 1]
        trial.Rewards[t - 1]
        float (Array.findIndex id (Array.append trial.Events[t - 1 .. t - 1] [| true |]))
    ]

    [
        for t in 1 .. trial.Steps do
            now.MoveTo(number, t, given)
            now.Outputs[0] <- float (t + number) / 8.0

            match task with
            | :? IClosedLoopTask as loop ->
                loop.Before(now, trial)
                row t
                now.Outputs[0] <- 1.0 / float (t + number)
                loop.After(now, trial)
            | _ -> row t

            row t
    ]

let private stateOf (task: ITask) =
    match task with
    | :? IClosedLoopTask as loop ->
        let state: float[] = Array.zeroCreate loop.StateLength
        loop.SaveState(Span state)
        state
    | _ -> [||]

/// Loops in blocks show, in each step, what each shows alone; and a combination goes on from what another saved.
let private loops (parts: (int * int) list) =
    let alone () : ITask list = [
        for k, (steps, size) in List.indexed parts ->
            // One of four is no loop.
            if size = 3 then
                numbered (float (k + 1)) steps 1
            else
                Looping(float (k + 1), steps, size)
    ]

    let combined () =
        let tasks = Array.ofList (alone ())

        CombinedTask.Of(
            tasks,
            [| for _ in tasks -> [| 0 |] |],
            1,
            BlockChoice [| for _ in tasks -> 1 |]
        )

    let each = alone ()
    let mutable task: ITask = combined ()

    for number in 0 .. 2 * parts.Length do
        let expected = played each[number % parts.Length] number
        Expect.equal (played task number) expected $"trial {number}"
        let state = stateOf task
        Expect.equal state (each |> Seq.collect stateOf |> Array.ofSeq) "state"
        task <- combined ()

        match task with
        | :? IClosedLoopTask as loop -> loop.RestoreState(ReadOnlySpan state)
        | _ -> ()

let private anyLoops =
    Gen.nonEmptyListOf (Gen.zip (Gen.choose (1, 5)) (Gen.choose (0, 3)))
    |> Arb.fromGen

[<Tests>]
let tests =
    testList "combined tasks" [
        test "a mixture draws in proportion to its weights, from a stream of its own" {
            forAll (cases 100 5_000) anyMixture mixtures
        }

        test "a stage of a curriculum is passed by its own last trials, and by no others" {
            forAll (cases 300 10_000) anyCurriculum curricula
        }

        test "loops in blocks are, in each step, what each is alone, and go on from their states" {
            forAll (cases 100 5_000) anyLoops loops
        }

        test "copy all that the chosen task's trial has, and leave nothing of the one before" {
            let long, short = numbered 1.0 6 2, numbered 2.0 4 3

            let task =
                CombinedTask.Of(
                    [| long; short |],
                    [| [| 0; 3 |]; [| 1; 2; 3 |] |],
                    4,
                    BlockChoice [| 2; 1 |]
                )

            Expect.equal task.MaxSteps 6 "longest"
            Expect.isTrue task.GivesRewards "one gives rewards"
            let into = Trial(6, 2, 1, 4)

            for trial in 0..7 do
                task.Fill(trial, stream (int64 trial), into)

                let number, steps, places =
                    if trial % 3 = 2 then
                        2.0, 4, [| 1; 2; 3 |]
                    else
                        1.0, 6, [| 0; 3 |]

                Expect.equal into.Steps steps "steps"
                Expect.allEqual into.Inputs[.. 2 * steps - 1] number "inputs"
                Expect.allEqual into.Targets[.. steps - 1] (10.0 * number) "targets"
                Expect.allEqual into.Mask[.. steps - 1] (0.1 * number) "mask"
                Expect.allEqual into.Rewards[.. steps - 1] (100.0 * number) "rewards"

                for t in 0 .. steps - 1 do
                    for kind in 0..3 do
                        Expect.equal
                            into.Events[4 * t + kind]
                            (places[t % places.Length] = kind)
                            $"event {kind} in row {t}"
        }

        test "refuse parts of other shapes, wrong events and wrong choices" {
            let one, two = numbered 1.0 6 1, numbered 2.0 4 1
            let wide = Numbered(3.0, 4, 3, 1, 1) :> ITask
            let tall = Numbered(3.0, 4, 2, 2, 1) :> ITask
            let blocks = BlockChoice [| 1; 1 |]
            let both = [| [| 0 |]; [| 0 |] |]

            let make (tasks: ITask[]) (events: int[][]) kinds choice () =
                CombinedTask.Of(tasks, events, kinds, choice) |> ignore

            refuses "tasks" (make [| one |] [| [| 0 |] |] 1 blocks)
            refuses "events" (make [| one; two |] [| [| 0 |] |] 1 blocks)
            refuses "inputs of task 1" (make [| one; wide |] both 1 blocks)
            refuses "outputs of task 1" (make [| one; tall |] both 1 blocks)
            refuses "events of task 1" (make [| one; two |] [| [| 0 |]; [| 0; 0 |] |] 1 blocks)
            refuses "event of task 1" (make [| one; two |] [| [| 0 |]; [| 1 |] |] 1 blocks)
            refuses "trials" (fun () -> BlockChoice [||] |> ignore)
            refuses "trials" (fun () -> BlockChoice [| 3; 0 |] |> ignore)
            refuses "weights" (fun () -> MixtureChoice [||] |> ignore)
            refuses "weights" (fun () -> MixtureChoice [| 1.0; 0.0 |] |> ignore)
            refuses "weights" (fun () -> MixtureChoice [| 1.0; infinity |] |> ignore)
            refuses "Trials" (fun () -> CurriculumChoice [| CurriculumStage 0 |] |> ignore)
            refuses "LossBelow" (fun () -> CurriculumChoice [| CurriculumStage(1, nan) |] |> ignore)

            refuses "RewardAbove" (fun () ->
                CurriculumChoice [| CurriculumStage(1, 1.0, nan) |] |> ignore)
        }

        test "a curriculum looks at the last trials of its stage, and at no others" {
            let curriculum =
                CurriculumChoice [| CurriculumStage(3, 0.5); CurriculumStage(2, 0.5) |]

            let after losses =
                for loss in losses do
                    curriculum.Learned(loss, 0.0)

                curriculum.Stage

            Expect.equal (after [ 0.1; 0.1 ]) 0 "too few"
            Expect.equal (after [ 1.4 ]) 0 "mean 0.53"
            Expect.equal (after [ 0.1 ]) 0 "mean 0.53 still: 0.1, 1.4, 0.1"
            Expect.equal (after [ 0.1 ]) 0 "the 1.4 counts"
            Expect.equal (after [ 0.1 ]) 1 "three good ones"
            Expect.equal (after [ 0.1 ]) 1 "those of the stage before do not count"
            Expect.equal (after [ 0.9 ]) 1 "0.5 is not below 0.5"
            Expect.equal (after [ 0.0 ]) 2 "0.45"
            Expect.equal (after [ 9.9; 0.0; nan ]) 2 "the last stays"
        }

        test "a curriculum goes on from what it saved" {
            let make () =
                CurriculumChoice [|
                    CurriculumStage(3, 0.5)
                    CurriculumStage(2, infinity, 1.0)
                |]

            let random = Random 5

            let history =
                Array.init 40 (fun _ -> random.NextDouble(), 2.0 * random.NextDouble())

            let whole = make ()
            let state: float[] = Array.zeroCreate whole.StateLength

            for loss, reward in history do
                let second = make ()
                whole.Save state
                second.Restore state
                whole.Learned(loss, reward)
                second.Learned(loss, reward)
                Expect.equal second.Stage whole.Stage "stage"
                let both: float[] = Array.zeroCreate second.StateLength
                second.Save both
                whole.Save state
                Expect.equal both state "state"

            Expect.equal whole.Stage 2 "it was passed"
        }

        test "a task that throws when it hears of a trial ends the run in that trial" {
            let task = {
                new IProgressTask with
                    member _.ProgressLength = 0
                    member _.SaveProgress _ = ()
                    member _.RestoreProgress _ = ()

                    member _.Learned(trial, _, _) =
                        if trial = 2 then
                            failwith "enough"
                interface ITask with
                    member _.Inputs = 0
                    member _.Outputs = 0
                    member _.MaxSteps = 3
                    member _.Events = 0
                    member _.Fill(_, _, into) = into.Steps <- 3
            }

            let builder = GraphBuilder()

            builder.AddArea(
                AreaSpec(Name = "a", Units = 1, Alpha = [| 0.5 |], InitialRates = [| 0.1 |])
            )
            |> ignore

            let session = Session.Create(builder.Build(), task, 1L)
            let status = session.Run 5

            Expect.equal
                (status.End, status.Trial, session.TrialsDone)
                (RunEnd.Failed, 2, 2)
                "where"

            Expect.stringContains (string status) "enough" "why"
        }
    ]

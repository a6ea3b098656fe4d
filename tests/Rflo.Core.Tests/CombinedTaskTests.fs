/// Tasks made of tasks, as the core has them: what is copied, what is refused, who hears of what.
module Rflo.Core.Tests.CombinedTaskTests

open System
open Expecto
open Rflo.Core

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

[<Tests>]
let tests =
    testList "combined tasks" [
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

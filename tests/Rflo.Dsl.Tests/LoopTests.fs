/// Rewards and closed-loop tasks, as a script declares them.
module Rflo.Dsl.Tests.LoopTests

open Expecto
open Rflo.Core
open Rflo.Dsl

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failtest (String.concat "\n" (List.map Problem.text problems))

let private cortex = area "cortex" 6 |> initial (carriedOver 0.1)
let private y = readout "y" 1

let private network =
    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ input "x" 1 ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.1
        input "x" 1 --> cortex |> weights (uniform -1.0 1.0)
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.1
    ]
    |> feedback [ errorOf y --> cortex ]

/// A cursor that the output pushes towards a goal that each trial draws; it stays where it is between trials.
let private cursor step =
    let start _ (stream: RandomStream) (memory: float[]) = memory[1] <- stream.Gaussian()
    Task.closedLoop 1 1 20.0<ms> [| 0.0; 0.0 |] start step

let private follow (now: Moment) (memory: float[]) =
    memory[0] <- memory[0] + 0.1 * now.Outputs[0]

    {
        Input = [| memory[0] |]
        Target = [| memory[1] - memory[0] |]
        Mask = [||]
        Events = []
    }

let private stuckIn trial step (now: Moment) memory =
    if (now.Trial, now.Step) = (trial, step) then
        failwith "the cursor is stuck"

    follow now memory

let private striatum = winnerTakeAll "striatum" 3

/// Three choices of which the second is right; decided in the third step.
let private choice rule =
    let network =
        Circuit.empty
        |> areas [ striatum ]
        |> inputs [ input "x" 1 ]
        |> projections [
            input "x" 1 --> striatum
            |> weights (ofMatrix (array2D [ [ 1.0 ]; [ 0.5 ]; [ 0.2 ] ]))
            |> gate (atEvent "decide")
            |> learnBy rule 10.0
        ]

    let step (now: Moment) _ =
        (now.Allowed "striatum")[0] <- false

        {
            Input = [| 2.0 |]
            Target = [||]
            Mask = [||]
            Events = if now.Step = 3 then [ "decide" ] else []
        }

    let task =
        Task.closedLoop 1 0 5.0<ms> [||] (fun _ _ _ -> ()) step
        |> Task.watching [ "striatum" ]
        |> Task.judged (fun now _ -> if now.Step = 3 then now.Rates("striatum")[1] else 0.0)
        |> Task.events [ "decide" ]

    experiment "choice" network task

[<Tests>]
let tests =
    testList "closed-loop tasks" [
        test "a cursor follows its outputs, from trial to trial" {
            let trained = train (experiment "cursor" network (cursor follow) |> trials 0)
            let after = trained.After
            let y = after.Outputs["y"].Column(0).ToArray()
            let x = after.Inputs.Column(0).ToArray()

            for t in 1..19 do
                Expect.floatClose Accuracy.high x[t] (x[t - 1] + 0.1 * y[t - 1]) $"step {t + 1}"

            let goal = RandomStream.OfTrial(1L, "task", RandomStream.TestTrial 0L).Gaussian()

            for t in 0..19 do
                Expect.floatClose Accuracy.high after.Targets[t, 0] (goal - x[t]) "target"
        }

        test "the same experiment trains twice to the same bits: no memory is shared between runs" {
            let plan = experiment "cursor" network (cursor follow) |> trials 10
            Expect.equal (train plan).Losses (train plan).Losses "losses"
        }

        test "a run ends in the step in which its task throws, with what it said" {
            let plan = experiment "cursor" network (cursor (stuckIn 2 7)) |> trials 10
            let trained = train plan

            Expect.equal
                (string trained.Status)
                "failed at trial 2, step 7, in the task: the cursor is stuck"
                "status"

            Expect.equal trained.Losses.Length 2 "trials before"
            Expect.equal trained.After.Inputs.RowCount 20 "tested all the same"
        }

        test "one that throws in its first trial leaves no activity, and says why" {
            let trained =
                train (experiment "cursor" network (cursor (stuckIn 0 2)) |> trials 10)

            Expect.equal (trained.Status.End, trained.Status.Step) (RunEnd.Failed, 2) "status"
            Expect.equal trained.Losses [||] "losses"
            Expect.equal trained.After.Inputs.RowCount 0 "activity"
        }

        test "a step of another length ends the run with the wording of a problem" {
            let step (now: Moment) memory =
                let data = follow now memory

                if now.Step = 5 then
                    { data with Target = [| 0.0; 1.0 |] }
                else
                    data

            let trained = train (experiment "cursor" network (cursor step) |> trials 3)

            Expect.stringEnds
                (string trained.Status)
                "the length of the targets of a step is 2; it must be 1, one number an output"
                "status"
        }

        test "a choice is barred, judged and learned in the step that makes it" {
            let trained = train (choice Rule.rewardHebb |> trials 2)
            Expect.equal trained.Rewards [| 1.0; 1.0 |] "rewards"
            Expect.equal trained.After.Rewards [| 0.0; 0.0; 1.0; 0.0; 0.0 |] "in step 3"
            // Twice eta / T times reward times rate times input.
            let expected = [ 1.0; 0.5 + 2.0 * 10.0 / 5.0 * 2.0; 0.2 ]

            for a, b in List.zip expected (List.ofSeq (trained.Final["x->striatum"].Column 0)) do
                Expect.floatClose Accuracy.high b a "weight"
        }

        test "arrays may carry rewards" {
            let task =
                Task.ofArrays (Array2D.zeroCreate 4 1) (Array2D.zeroCreate 4 1)
                |> Task.rewarded [| 0.0; 1.0; 0.0; -0.5 |]

            let hebbian =
                network |> Circuit.mapProjection "cortex->cortex" (learnBy Rule.rewardHebb 1.0)

            let trained = train (experiment "rewarded" hebbian task |> trials 1)
            Expect.equal trained.Rewards [| 0.5 |] "sum"
            let h = trained.Before.Rates["cortex"]

            for i in 0..5 do
                for j in 0..5 do
                    let before t = h[t - 1, j]
                    let expected = 0.25 * (h[1, i] * before 1 - 0.5 * h[3, i] * before 3)
                    let change = trained.Final["cortex->cortex"] - trained.Initial["cortex->cortex"]
                    Expect.floatClose Accuracy.high change[i, j] expected $"weight {i}, {j}"
        }
    ]

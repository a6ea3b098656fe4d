/// `lanes`: what it becomes in the core, and what is refused with it, word for word.
module Rflo.Dsl.Tests.LaneTests

open Expecto
open Rflo.Core
open Rflo.Dsl

let private a = area "a" 4
let private y = readout "y" 1
let private x = input "x" 1

let private shown =
    Task.ofArrays (Array2D.create 6 1 0.5) (Array2D.init 6 1 (fun t _ -> sin (float t)))

let private around toReadout =
    circuit [
        x --> a |> learningRate 0.05
        a --> a |> learningRate 0.05
        a --> y |> toReadout
    ]
    |> feedback [ errorOf y --> a ]

let private plan task =
    experiment "plan" (around (learningRate 0.05)) task |> trials 16

let private said experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private train experiment =
    match Run.train experiment with
    | Ok trained -> trained
    | Error problems -> failwithf "%A" problems

let private loop: ClosedLoop = {
    Inputs = 1
    Outputs = 1
    Duration = 6.0<ms>
    Watches = []
    Memory = [||]
    Begin = fun _ _ _ -> ()
    Step = fun _ _ -> Step.ofArrays [| 0.5 |] [| 0.1 |]
    Judge = None
}

let private tasks = [
    "arrays", shown, true
    "blocks", Task.blocks [ shown, 3; { shown with Name = "other" }, 2 ], true
    "a mixture", Task.mixture [ shown, 1.0; { shown with Name = "other" }, 2.0 ], true
    "a curriculum", Task.curriculum [ shown, afterTrials 4 ] { shown with Name = "other" }, false
    "a closed loop", { shown with Kind = InLoop loop }, false
]

let private refusals = [
    "no lanes",
    plan shown |> lanes 0,
    [
        "experiment: the number of lanes is 0; it must be at least 1"
    ]
    "a part of a group",
    plan shown |> trials 20 |> lanes 8,
    [
        "experiment: the number of trials is 20; it must be a multiple of the 8 lanes, such as 16 or 24"
    ]
    "fewer trials than lanes",
    plan shown |> trials 3 |> lanes 8,
    [
        "experiment: the number of trials is 3; it must be a multiple of the 8 lanes, such as 8"
    ]
    "batches across groups",
    plan shown |> batch 6 |> lanes 4,
    [
        for projection in [ "x->a"; "a->a"; "a->y" ] do
            $"projection {projection}: the number of trials between updates is 6; it must be a multiple of the 4 lanes, such as 4 or 8"
    ]
    "a probe within a group",
    plan shown |> lanes 4 |> probe 6 [ Probe.weightChange ],
    [
        "probe weight-change: the interval in trials is 6; it must be a multiple of the 4 lanes, such as 4 or 8"
    ]
    "everything at once",
    experiment
        "plan"
        (around (learnBy (Rule.rflo |> Rule.readoutsBy (RecursiveLeastSquares(1.0, 1.0, 1))) 1.0))
        { shown with Kind = InLoop loop }
    |> trials 9
    |> lanes 4,
    [
        "experiment: the number of trials is 9; it must be a multiple of the 4 lanes, such as 8 or 12"
        "experiment: 4 lanes run side by side, and the task looks at one trial at a time; leave the word lanes out, or use a task whose trials do not depend on what the circuit does"
        "projection a->y: rflo cannot learn by least squares in 4 lanes, since every trial follows from the one before; leave the word lanes out, or let the projection learn by another rule, onto readouts one such as Rule.readoutsBy DeltaRule"
    ]
]

[<Tests>]
let tests =
    testList "lanes" [
        for name, experiment, expected in refusals do
            test $"refused: {name}" { Expect.equal (said experiment) expected "" }

        for name, task, isAllowed in tasks do
            test $"the language allows {name} if the core does" {
                let compiled =
                    match Check.experiment (plan task) with
                    | Ok ready -> Compile.experiment ready
                    | Error problems -> failwithf "%A" problems

                Expect.equal
                    ((TrialLanes 4).Obstacles(compiled.Graph, compiled.Task).Count = 0)
                    isAllowed
                    "the core"

                Expect.equal (List.isEmpty (said (plan task |> lanes 4))) isAllowed "the language"
            }

        test "a run in lanes is not that of one trial after another, and the mean is not the sum" {
            let last experiment =
                (train (experiment |> update online)).Final["a->a"]

            let one, mean, sum =
                last (plan shown), last (plan shown |> lanes 4), last (plan shown |> lanesSum 4)

            Expect.notEqual mean one "the mean"
            Expect.notEqual sum one "the sum"
            Expect.notEqual mean sum "mean and sum"
        }

        test "updates at ends of trials are a batch" {
            let inLanes = train (plan shown |> lanes 4)
            let batch = train (plan shown |> batch 4)
            Expect.equal inLanes.Final batch.Final "weights"
            Expect.equal inLanes.Losses batch.Losses "losses"
        }

        test "memory of every lane is counted" {
            let planned count =
                Memory.plan (plan shown |> update online |> lanes count)

            let ofTrials (plan: Plan) =
                [
                    BufferPurpose.Activity
                    BufferPurpose.Traces
                    BufferPurpose.Influence
                ]
                |> List.sumBy plan.BytesOf

            let one, two, five = planned 1, planned 2, planned 5
            Expect.equal one.BytesOfLanes 0L "one"
            Expect.equal five.BytesOfLanes (4L * two.BytesOfLanes) "five"

            Numbers.isGreaterThanOrEqual
                two.BytesOfLanes
                (ofTrials one * 9L / 10L)
                "each has activity and traces of its own"
        }
    ]

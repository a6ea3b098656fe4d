/// Test trials: random streams of their own, the same every time, and nothing of a run changes by them.
module Rflo.Core.Tests.EvaluationTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.RandomCircuits
open Rflo.Core.Tests.InCore

let private rfloOf rate =
    learning Rules.rflo UpdateSchedule.TrialEnd rate

let private many count check = forAll count anyCircuit check

let private all (recording: Recording) = [
    [| recording.Loss |]
    recording.Inputs
    recording.Targets
    recording.Mask
    recording.Rewards
    recording.Outputs
    yield! recording.Rates
]

let private same message (a: Recording) (b: Recording) =
    Expect.isTrue (List.forall2 sameBits (all a) (all b)) message

/// What the task and the areas draw of a test trial is drawn in no trial of the training.
let private ownTrials (tally: Tally) (case: Case) =
    tally.Count()
    let session = sessionWith (rfloOf 0.0) case
    let drawn (recording: Recording) = recording.Inputs, recording.Targets
    let training = [ for trial in 0..7 -> drawn (session.Replay trial) ]
    let tests = [ for trial in 0..3 -> drawn (session.Test trial) ]

    if case.Circuit.Inputs.IsEmpty && case.Circuit.Readouts.IsEmpty then
        tally.Idle()
    else
        for trial, test in List.indexed tests do
            Expect.isFalse (List.contains test training) $"test trial {trial} is a training trial"

        Expect.equal (List.distinct tests).Length tests.Length "each number its own trial"

/// A test gives the same numbers whenever it is made, and the run beside it the same bits as without.
let private aside (case: Case) =
    let tested, alone = sessionWith (rfloOf 0.05) case, sessionWith (rfloOf 0.05) case

    for trial in 0..3 do
        let before = tested.Test trial
        let state = tested.Capture()

        for options in
            [
                TestOptions.Default
                TestOptions.AsTrained
                TestOptions(Noise = false, Exploration = true)
            ] do
            tested.Test(trial + 1, options) |> ignore

        for KeyValue(name, values) in tested.Capture() do
            Expect.isTrue (sameBits values state[name]) $"{name} before trial {trial}"

        same $"test trial {trial} again" (tested.Test trial) before
        tested.Run 1 |> ignore
        alone.Run 1 |> ignore

        Expect.isTrue
            (sameBits (tested.Metrics.CopyLosses()) (alone.Metrics.CopyLosses()))
            $"loss of trial {trial}"

/// Ten units with strong noise, or that start at random, and four that choose by chance.
let private noisy noise start explore =
    let builder = GraphBuilder()

    builder.AddArea(
        AreaSpec(
            Name = "noisy",
            Units = 10,
            Alpha = Array.create 10 0.5,
            InitialRates = Array.create 10 0.0,
            InitialPolicy = start,
            InitialSpread = (if start = InitialPolicy.Random then 1.0 else 0.0),
            Noise = noise
        )
    )
    |> ignore

    let choice =
        builder.AddArea(
            AreaSpec(
                Name = "choice",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |],
                Explore = explore
            )
        )

    ProjectionSpec(
        Name = "bias->choice",
        Source = Source.One,
        Target = Target.Area choice,
        Synapses = Synapses.Dense(Array.zeroCreate 4)
    )
    |> builder.AddProjection
    |> ignore

    Session.Create(builder.Build(), Networks.Given([||], Array.create 40 [||], (fun _ -> 40)), 3L)

let private rates area (recording: Recording) = recording.Rates[area]

[<Tests>]
let tests =
    testList "test trials" [
        test "are none of the training's, and each another" {
            let tally = Tally()
            many 40 (ownTrials tally)
            tally.Demand 0.9
        }

        test "change nothing of a run, and are the same when made again" { many 30 aside }

        test "draw noise, initial states and exploration of their own, or have none" {
            let session = noisy 1.0 InitialPolicy.Random 1.0
            let explored = TestOptions(Exploration = true)
            let trained = [ for trial in 0..3 -> session.Replay trial ]
            let tested = [ for trial in 0..3 -> session.Test(trial, explored) ]

            for area in 0..1 do
                let seen = List.map (rates area) (trained @ tested)
                Expect.equal (List.distinct seen).Length 8 $"area {area}"

            let plain = session.Test 0
            Expect.equal (rates 0 plain) (rates 0 tested[0]) "the same noise without exploration"
            Expect.allEqual (rates 1 plain |> Array.chunkBySize 4) [| 1.0; 0.0; 0.0; 0.0 |] "greedy"

            let still = (noisy 1.0 InitialPolicy.Reset 0.0).Test(0, TestOptions(Noise = false))
            Expect.allEqual (rates 0 still) 0.0 "no noise"
        }

        test "go on from one another where they are to" {
            let builder = GraphBuilder()

            builder.AddArea(
                AreaSpec(
                    Name = "memory",
                    Units = 1,
                    Alpha = [| 0.5 |],
                    InitialRates = [| 1.0 |],
                    InitialPolicy = InitialPolicy.CarriedOver
                )
            )
            |> ignore

            let task = Networks.Given([||], Array.create 1 [||], (fun _ -> 1))
            let session = Session.Create(builder.Build(), task, 3L)
            let next options = (rates 0 (session.Test(0, options)))[0]
            Expect.equal (next TestOptions.Default, next TestOptions.Default) (0.5, 0.5) "put back"
            let on = TestOptions(CarriesOver = true)
            Expect.equal (next on, next on, next TestOptions.Default) (0.5, 0.25, 0.125) "carried"
        }
    ]

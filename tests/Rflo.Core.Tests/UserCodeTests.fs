/// User code may throw anywhere: the run ends as failed, says where and with what, and the session is as after the last
/// whole trial. It may call the session back only between trials.
module Rflo.Core.Tests.UserCodeTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.RandomExperiments

let private trials = 6

/// What a status calls the code of a place.
let private called place =
    match place with
    | Function -> "the function of a learning rule of area"
    | Measure -> "the probe of my own"
    | Callback -> "the callback"
    | _ -> "the task"

let private isAt place experiment =
    match place with
    | Before
    | After -> experiment.Loop
    | Function -> experiment.Functions
    | Measure -> experiment.Probes
    | Learned -> experiment.Loop || experiment.Progress
    | _ -> true

/// A place of the experiment, and in which call of its code something happens.
let private drawPlace experiment =
    let random = Random(experiment.Draw + 1)
    let there = places |> List.filter (fun place -> isAt place experiment)
    let place = there[random.Next there.Length]

    let most =
        match place with
        | Function -> 400
        | Before
        | After -> 20
        | _ -> 5

    place, random.Next(1, most)

let private thrown (tally: Tally) experiment =
    let place, call = drawPlace experiment
    tally.Count()
    let broken = make experiment
    broken.Charge.Arm(place, call, (fun () -> failwith "a mistake of its author"))
    let status = run broken trials

    if not broken.Charge.Fired || status.End = RunEnd.Diverged then
        tally.Idle()
    else
        Expect.equal status.End RunEnd.Failed $"{place}: {status}"
        Expect.stringContains (string status) "a mistake of its author" "what it said"
        Expect.stringContains (string status) (called place) "where"

        let whole = make experiment
        let done' = if place = Callback then status.Trial + 1 else status.Trial
        Expect.equal broken.Session.TrialsDone done' "trials done"
        run whole done' |> ignore

        // A run that ended applied a batch that was not full, and one that failed did not; both go on with it open.
        let learned session =
            known session |> Map.remove "isBatchApplied"

        Expect.equal
            (differences (learned whole.Session) (learned broken.Session))
            []
            $"{place}: the parts that differ"

        // It goes on from there as if nothing had happened.
        let first, second = run whole (trials - done'), run broken (trials - done')
        Expect.equal second first "how it goes on"

        Expect.isEmpty
            (differences (known whole.Session) (known broken.Session))
            $"{place}: gone on"

let private session experiment = (make experiment).Session

/// Every call that user code could make, by name.
let private calls: (string * (Session -> unit)) list = [
    "Run", (fun session -> session.Run 1 |> ignore)
    "Test", (fun session -> session.Test 0 |> ignore)
    "Increments",
    (fun session -> session.Increments(0, InCore.Rules.bptt, UpdateTime.TrialEnd) |> ignore)
    "Capture", (fun session -> session.Capture() |> ignore)
    "Restore", (fun session -> session.Restore(Map.empty))
    "Watch", (fun session -> session.Watch [||])
    "SetWeights",
    (fun session -> session.SetWeights(ProjectionId 0, session.Weights(ProjectionId 0)))
    "SetTimeConstants",
    (fun session -> session.SetTimeConstants(AreaId 0, session.TimeConstants(AreaId 0)))
    "KeepBest", (fun session -> session.KeepBest())
]

let private refused (tally: Tally) experiment =
    let place, call = drawPlace experiment
    let name, act = calls[experiment.Draw % calls.Length]

    if place <> Callback then
        tally.Count()
        let made = make experiment
        made.Charge.Arm(place, call, (fun () -> act made.Session))
        let status = run made trials

        if not made.Charge.Fired || status.End = RunEnd.Diverged then
            tally.Idle()
        else
            Expect.equal status.End RunEnd.Failed $"{name} in {place}: {status}"
            Expect.stringContains (string status) name "names the call"
            Expect.stringContains (string status) "between trials" "says what to do"

/// What reads, and what a callback may do.
let private allowed experiment =
    let plain, calling =
        make { experiment with Best = true }, make { experiment with Best = true }

    let read (session: Session) =
        session.Weights(ProjectionId 0) |> ignore
        session.TimeConstants(AreaId 0) |> ignore
        session.BestWeights(ProjectionId 0) |> ignore
        session.Metrics.CopyLosses() |> ignore

    let between (session: Session) =
        read session
        session.Test 1 |> ignore
        session.Restore(session.Capture())
        session.SetWeights(ProjectionId 0, session.Weights(ProjectionId 0))
        session.KeepBest()

    let place, call = drawPlace experiment

    calling.Charge.Arm(
        place,
        call,
        (fun () -> (if place = Callback then between else read) calling.Session)
    )

    let first, second = run plain trials, run calling trials

    if first.End = RunEnd.Completed && plain.Session.Graph.Projections.Count > 0 then
        Expect.equal second first $"{place}"

        Expect.isEmpty
            (differences (known plain.Session) (known calling.Session))
            $"{place}: the parts that differ"

[<Tests>]
let tests =
    testList "user code" [
        test
            "that throws ends a run as failed, and the session is as after the last whole trial, to the bit" {
            let tally = Tally()
            forAll (cases 350 20_000) anyExperiment (thrown tally)
            tally.Demand 0.6
        }

        test "that calls the session in the midst of a trial is refused, and the run has failed" {
            let tally = Tally()
            forAll (cases 150 5_000) anyExperiment (refused tally)
            tally.Demand 0.6
        }

        test "may read at any time, and change between trials" {
            forAll (cases 100 5_000) anyExperiment allowed
        }

        test "may not run a session from its own callback" {
            let made =
                Gen.sampleWithSeed (FsCheck.Rnd 7UL) 10 1 RandomExperiments.anyExperiment.Generator
                |> Array.head
                |> make

            made.Charge.Arm(Callback, 2, (fun () -> made.Session.Run 1 |> ignore))
            let status = run made 4
            Expect.equal status.End RunEnd.Failed "failed"
            Expect.stringContains (string status) "its own callback" "says why"
            Expect.equal made.Session.TrialsDone 2 "trials"
        }
    ]

/// Trials of one update run side by side, on any number of threads, and no bit depends on it.
module Rflo.Core.Tests.LaneTests

open System
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.RandomExperiments

/// Areas of up to some fifty units: rows of any number of registers.
let private resized (case: Case) =
    let random = Random(case.Seed + 5)
    let largest = if random.Next 4 = 0 then 70 else 20

    {
        case with
            Circuit.Areas = [
                for area in case.Circuit.Areas ->
                    {
                        area with
                            Units = random.Next(2, largest)
                            Start =
                                if area.Start = InitialPolicy.CarriedOver && random.Next 8 > 0 then
                                    InitialPolicy.Random
                                else
                                    area.Start
                    }
            ]
    }

let private probes: ProbeSpec[] = [|
    RatesProbe(4, AreaId 0)
    WeightChangeProbe 3

    AngleProbe(
        7,
        PassiveRule("own", null, UpdateTime.TrialEnd),
        PassiveRule("bptt", Rules.bptt, UpdateTime.TrialEnd)
    )
|]

/// A run with all that may happen between its trials: probes, looks, changes from a callback, a cancellation, a task that
/// throws once, a state that is taken up elsewhere.
let private history (case: Case) precision forms threads =
    let graph, case = Experiments.graphOf Experiments.batches case
    let random = Random(case.Seed + 11)
    let throws = if random.Next 4 = 0 then random.Next(4, 12) else -1
    let inner: ITask = WhiteNoise case
    let mutable armed = true

    let task = {
        new ITask with
            member _.Inputs = inner.Inputs
            member _.Outputs = inner.Outputs
            member _.MaxSteps = inner.MaxSteps
            member _.Events = inner.Events
            member _.GivesRewards = inner.GivesRewards

            member _.Fill(trial, stream, into) =
                inner.Fill(trial, stream, into)

                if armed && trial = throws then
                    failwith "the task cannot"
    }

    let make () =
        let session = Session.Create(graph, task, int64 case.Seed, precision, forms)
        session.Threads <- threads
        session.Stopping <- Stopping(Window = 2)
        session.KeepBest()

        if case.Seed % 3 = 0 then
            session.Watch probes

        session

    let session = make ()
    let steps = ResizeArray<RunEnd>()
    let stop = new CancellationTokenSource()
    let changes, cancels = random.Next 12, random.Next 20

    let callback (session: Session) trial (_: float) =
        // One or the other: each must drop the trials that were made before.
        if trial = changes && case.Seed % 2 = 0 then
            let id = ProjectionId(graph.Projections.Count - 1)
            session.SetWeights(id, Array.map (fun weight -> 0.9 * weight) (session.Weights id))

        if trial = changes && case.Seed % 2 <> 0 then
            session.SetTimeConstants(
                AreaId 0,
                Array.map (fun tau -> 1.5 * tau) (session.TimeConstants(AreaId 0))
            )

        if trial = cancels then
            stop.Cancel()

    let run (session: Session) trials (token: CancellationToken) =
        steps.Add (session.Run(trials, callback session, token)).End

    run session (1 + random.Next 6) stop.Token
    session.Test 3 |> ignore
    run session (1 + random.Next 9) stop.Token
    armed <- false
    run session 3 CancellationToken.None

    session.Increments(2, Rules.bptt, UpdateTime.TrialEnd) |> ignore

    let half = session.Capture()
    run session 4 CancellationToken.None

    let other = make ()
    other.Restore half
    run other 4 CancellationToken.None
    known session, known other, List.ofSeq steps, session

let private agree (beside: int ref) precision (tally: Tally) (case: Case) =
    let case = if case.Seed % 2 = 0 then Experiments.tidy case else case
    let case = resized case

    let alone, resumed, ends, _ =
        history case precision (Forms.Eager &&& ~~~Forms.Lanes) 1

    tally.Count()

    if case.Circuit.Areas.Length = 0 then
        tally.Idle()

    Expect.equal (differences alone resumed) [] "what resuming changes"

    for threads in [ 1; 2; 3 ] do
        let together, resumed, endsTogether, session =
            history case precision Forms.Eager threads

        if session.TrialsBeside > 0 then
            beside.Value <- beside.Value + 1
        elif threads = 1 then
            tally.Idle()

        Expect.equal endsTogether ends $"{threads} threads: how runs end"

        Expect.equal
            (differences alone together)
            []
            $"{threads} threads: the parts that differ from one trial after the other"

        Expect.equal
            (differences alone resumed)
            []
            $"{threads} threads: the parts that differ when it goes on elsewhere"

/// One area, and all that a session has of it.
let private simple (change: AreaSpec -> AreaSpec) schedule (rule: LearningRule) =
    let setup = {
        asDeclared with
            Plasticity = fun _ -> Plasticity(rule, 0.1, schedule)
            Area = fun _ spec -> change spec
    }

    graphWith setup (RandomCircuits.one 6 (2.0, 8.0))

let private sine steps = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(trial, _, into) =
            for t in 1..steps do
                into.Targets[t - 1] <- sin (float (t + trial))
}

let private four = UpdateSchedule(UpdateTime.TrialEnd, 4)

let private obstacle graph = SideBySide.Obstacle(graph, sine 10)

[<Tests>]
let tests =
    testList "lanes" [
        test
            "trials of one update have the same bits side by side, on any number of threads, whatever happens between them" {
            let tally = Tally()
            let beside = ref 0

            forAll
                (allCases 70 8000)
                RandomCircuits.anyCircuit
                (agree beside Precision.Double tally)

            tally.Demand 0.6
            Numbers.isGreaterThan beside.Value 60 "sessions whose trials ran side by side"
        }

        test "the same in single precision" {
            let tally = Tally()

            forAll (cases 25 2000) RandomCircuits.anyCircuit (agree (ref 0) Precision.Single tally)

            tally.Demand 0.6
        }

        test "what forbids it is said" {
            let says (word: string) (graph: Graph) =
                Expect.stringContains
                    (obstacle graph |> Option.ofObj |> Option.defaultValue "")
                    word
                    ""

            Expect.isNull (obstacle (simple id four Rules.bptt)) "BPTT"
            Expect.isNull (obstacle (simple id four Rules.rflo)) "RFLO"
            says "every trial" (simple id UpdateSchedule.TrialEnd Rules.bptt)
            says "within a trial" (simple id UpdateSchedule.Online Rules.rflo)
            says "keeps state" (simple id four (KernlRule 0.1))

            says
                "keeps state"
                (simple
                    id
                    four
                    (ThreeFactorRule(
                        ErrorPath.Feedback,
                        Third = ThirdFactor.TrialReward,
                        ThirdShaping = Shaping 0.2
                    )))

            says
                "function"
                (simple
                    id
                    four
                    (ThreeFactorRule(ErrorPath.Feedback, PreShaping = Shaping(0.0, Func<_, _> sin))))

            let carried spec =
                Remade.Area(spec, start = InitialPolicy.CarriedOver)

            says "begins a trial" (simple carried four Rules.bptt)
        }

        test "memory is counted for them where they may be, and nowhere else" {
            let lanes schedule =
                (Plan.Of(simple id schedule Rules.rflo, sine 10)).BytesOfLanes

            Numbers.isGreaterThan (lanes four) 0L "every four trials"
            Expect.equal (lanes (UpdateSchedule(UpdateTime.EverySteps, 4))) 0L "every four steps"
            Expect.equal (lanes UpdateSchedule.TrialEnd) 0L "every trial"
        }

        test "many lanes are taken in parts, and a trial that a task cannot make fails in its turn" {
            let graph = simple id (UpdateSchedule(UpdateTime.TrialEnd, 50, true)) Rules.bptt

            let task = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = 7
                    member _.Events = 0

                    member _.Fill(trial, _, into) =
                        if trial = 45 then
                            failwith "no trial 45"

                        into.Steps <- 1 + trial % 7
                        into.Targets.AsSpan().Fill 1.0
            }

            let session forms =
                let session = Session.Create(graph, task, 1L, Precision.Double, forms)
                let status = session.Run 60
                session, status

            let together, status = session Forms.Eager
            let alone, _ = session (Forms.Eager &&& ~~~Forms.Lanes)
            Expect.equal status.End RunEnd.Failed "it fails"
            Expect.equal status.Trial 45 "in its turn"
            Expect.stringContains status.Where "no trial 45" "with what the task said"
            Expect.equal (differences (known alone) (known together)) [] "the state before it"
            Expect.equal together.TrialsBeside 45 "all before it ran side by side"
        }
    ]

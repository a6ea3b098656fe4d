/// Lanes that share every update: what they learn, in what they are one trial after another, and what is refused.
module Rflo.Core.Tests.SharedUpdateTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.RandomExperiments

let private lanesOf (case: Case) =
    TrialLanes(2 + case.Seed % 4, case.Seed % 3 > 0)

let private sessionOf (graph: Graph) (task: ITask) (case: Case) (lanes: TrialLanes) forms =
    let session =
        Session.CreateInLanes(graph, task, int64 case.Seed, Precision.Double, lanes, forms)

    session.Stopping <- Stopping(Window = 2)
    session

let private isUsable (status: RunStatus) session =
    status.End = RunEnd.Completed
    && Experiments.resultOf session |> Array.forall (fun part -> norm part < 1e3)

let private withAreas change (case: Case) = {
    case with
        Circuit.Areas = List.map change case.Circuit.Areas
}

// ---- definitions ----------------------------------------------------------------------------------

/// Three-factor rules and the delta rule, in every time of update, with everything that holds weights.
let private plainly (tally: Tally) (case: Case) =
    let graph, case = Experiments.graphOf Experiments.sharedLocal case
    let lanes = lanesOf case
    let groups = 2
    let session = sessionOf graph (WhiteNoise case) case lanes Forms.All
    let status = session.Run(groups * lanes.Count)
    tally.Count()

    if not (isUsable status session) then
        tally.Idle()
    else
        let plain = PlainLearner.LaneLearner(graph, case, 2, lanes)

        for _ in 1..groups do
            plain.Train()

        let expected = [|
            plain.Losses
            yield! plain.Weights
            yield! plain.TimeConstants
            yield! plain.InitialStates
        |]

        let found = Experiments.resultOf session

        for k in 0 .. found.Length - 1 do
            Numbers.isLessThan
                (Experiments.apart [| expected[k] |] [| found[k] |])
                1e-8
                $"{lanes}, part {k}: losses, weights, time constants, initial states"

/// At fixed weights, the update of a group is the mean of what each of its trials asks for by itself, with its own draws.
let private meanOfTrials (case: Case) =
    let lanes = TrialLanes(2 + case.Seed % 3)

    for rule in AllRules.every 4 case.Seed AllRules.rules do
        let case = AllRules.fit rule.Rule case

        let schedule =
            if AllRules.canBeOnline rule.Rule && not (rule.Rule :? TruncatedBpttRule) then
                UpdateSchedule(UpdateTime.EverySteps, 1000)
            else
                UpdateSchedule.TrialEnd

        let graph = graphWith (learning rule.Rule schedule 0.1) case.Circuit
        let session = sessionOf graph (WhiteNoise case) case lanes Forms.All

        let before = [
            for k in 0 .. graph.Projections.Count - 1 -> session.Weights(ProjectionId k)
        ]

        let asked = [
            for trial in 0 .. lanes.Count - 1 -> session.Increments(trial, rule.Rule, schedule.Time)
        ]

        // Rates that go on from trial to trial go on from other trials here: in the first group there are none.
        if (session.Run lanes.Count).End = RunEnd.Completed then
            for k in 0 .. graph.Projections.Count - 1 do
                let expected =
                    before[k]
                    |> Array.mapi (fun i weight ->
                        weight
                        + 0.1
                          * (asked
                             |> List.averageBy (fun trial ->
                                 match trial[k] with
                                 | null -> 0.0
                                 | increments -> increments[i])))

                let found = session.Weights(ProjectionId k)

                if norm expected < 1e3 then
                    Numbers.isLessThan
                        (Experiments.apart [| expected |] [| found |])
                        1e-10
                        $"{rule.Name}, projection {k}"

// ---- one trial after another ----------------------------------------------------------------------

/// Without learning, lanes are trials one after another, to the bit.
let private restingBits forms (case: Case) =
    let case =
        case
        |> withAreas (fun area ->
            if area.Start = InitialPolicy.CarriedOver then
                {
                    area with
                        Start = InitialPolicy.Random
                }
            else
                area)

    let graph = graphWith (learning Rules.rflo UpdateSchedule.Online 0.0) case.Circuit
    let lanes = lanesOf case
    let alone = sessionOf graph (WhiteNoise case) case TrialLanes.One forms
    let together = sessionOf graph (WhiteNoise case) case lanes forms
    let trials = 2 * lanes.Count
    alone.Run trials |> ignore
    together.Run trials |> ignore

    Expect.isTrue
        (sameBits (alone.Metrics.CopyLosses()) (together.Metrics.CopyLosses()))
        $"losses of {lanes}"

    Expect.equal
        (together.Metrics.Rewards.ToArray())
        (alone.Metrics.Rewards.ToArray())
        "rewards, which are drawn"

/// Updates at ends of trials are those of a batch, to the bit.
let private batchBits (case: Case) =
    let lanes = lanesOf case

    let case =
        case
        |> withAreas (fun area ->
            if area.Start = InitialPolicy.CarriedOver then
                {
                    area with
                        Start = InitialPolicy.Reset
                }
            else
                area)

    for rule in AllRules.every 4 case.Seed AllRules.rules do
        if not (AllRules.remembers rule.Rule) then
            let case = AllRules.fit rule.Rule case

            let run schedule lanes =
                let plan =
                    Plasticity(
                        rule.Rule,
                        0.05,
                        schedule,
                        Optimizer = Adam(),
                        Clip = Clip.All 0.2,
                        Rates = HalvedRate 3.0
                    )

                let setup = {
                    asDeclared with
                        Plasticity = fun _ -> plan
                        Limits = { unlimited with Decay = 0.1; L2 = 0.1 }
                        Tau = if AllRules.isExact rule.Rule then Some plan else None
                }

                let session =
                    sessionOf (graphWith setup case.Circuit) (WhiteNoise case) case lanes Forms.All

                session.Run(2 * (lanesOf case).Count) |> ignore
                Experiments.resultOf session

            let batch =
                run (UpdateSchedule(UpdateTime.TrialEnd, lanes.Count, lanes.Mean)) TrialLanes.One

            LawTests.expectSameBits rule.Name batch (run UpdateSchedule.TrialEnd lanes)

/// Every lane of a group shows the same trial.
type private Repeated(case: Case, lanes: int) =
    let inner: ITask = WhiteNoise case

    interface ITask with
        member _.Inputs = inner.Inputs
        member _.Outputs = inner.Outputs
        member _.MaxSteps = inner.MaxSteps
        member _.Events = inner.Events
        member _.GivesRewards = true

        member _.Fill(trial, _, into) =
            let group = trial / lanes
            inner.Fill(group, RandomStream.OfTrial(int64 case.Seed, "shown", int64 group), into)

let private repeatable = {
    Experiments.shared with
        Rule =
            fun random ->
                let rec drawn () =
                    let rule = Experiments.shared.Rule random
                    if AllRules.draws rule then drawn () else rule

                drawn ()
}

/// The mean of lanes that all show one trial is that trial, by every rule that draws nothing, with every optimizer.
let private repeated (tally: Tally) (case: Case) =
    let case =
        case
        |> withAreas (fun area -> {
            area with
                Noise = 0.0
                Start =
                    if area.Start = InitialPolicy.Random then
                        InitialPolicy.Reset
                    else
                        area.Start
        })

    let graph, case = Experiments.graphOf repeatable case
    let lanes = TrialLanes(2 + case.Seed % 4)
    let groups = 3
    let alone = sessionOf graph (Repeated(case, 1)) case TrialLanes.One Forms.All
    let together = sessionOf graph (Repeated(case, lanes.Count)) case lanes Forms.All
    let status = alone.Run groups
    tally.Count()

    if not (isUsable status alone) then
        tally.Idle()
    else
        together.Run(groups * lanes.Count) |> ignore
        let losses = Experiments.lossesOf together

        let found = [|
            Array.init groups (fun group -> losses[group * lanes.Count])
            yield! Array.skip 1 (Experiments.resultOf together)
        |]

        Numbers.isLessThan
            (Experiments.apart (Experiments.resultOf alone) found)
            1e-8
            $"{lanes}: losses, weights, time constants, initial states"

/// The sum of lanes that all show one trial is that trial at a rate so many times as high.
let private sums (case: Case) =
    let case =
        case
        |> withAreas (fun area -> {
            area with
                Noise = 0.0
                Start = InitialPolicy.Reset
        })

    let count = 2 + case.Seed % 3

    for rule in AllRules.every 3 case.Seed AllRules.rules do
        if not (AllRules.draws rule.Rule || AllRules.needsNoise rule.Rule) then
            let schedule =
                if AllRules.canBeOnline rule.Rule then
                    UpdateSchedule.Online
                else
                    UpdateSchedule.TrialEnd

            let session rate lanes =
                sessionOf
                    (graphWith (learning rule.Rule schedule rate) case.Circuit)
                    (Repeated(case, lanes))
                    case
                    (TrialLanes(lanes, false))
                    Forms.All

            let alone, together = session (0.02 * float count) 1, session 0.02 count
            let status = alone.Run 2
            together.Run(2 * count) |> ignore

            if isUsable status alone then
                Numbers.isLessThan
                    (Experiments.apart
                        (Array.skip 1 (Experiments.resultOf alone))
                        (Array.skip 1 (Experiments.resultOf together)))
                    1e-8
                    rule.Name

// ---- forms, threads, states -------------------------------------------------------------------------

/// Every form gives the plain one's numbers, and threads change no bit, in sessions of a kind.
let private formsOf isMet (tally: Tally) (graph, case: Case) =
    let lanes = lanesOf case

    let run forms threads =
        let session = sessionOf graph (WhiteNoise case) case lanes forms
        session.Threads <- threads
        let status = session.Run(2 * lanes.Count)
        status, session

    let status, plain = run Forms.None 1
    let _, eager = run Forms.Eager 1
    tally.Count()

    if not (isUsable status plain && isMet eager) then
        tally.Idle()
    else
        let _, threaded = run Forms.Eager 3

        Numbers.isLessThan
            (Experiments.apart (Experiments.resultOf plain) (Experiments.resultOf eager))
            1e-9
            $"{lanes}: every form that is legal"

        LawTests.expectSameBits
            "threads"
            (Experiments.resultOf eager)
            (Experiments.resultOf threaded)

let private forms tally (case: Case) =
    (if case.Seed % 2 = 0 then Experiments.tidy case else case)
    |> Experiments.graphOf Experiments.shared
    |> formsOf (fun _ -> true) tally

/// The same where the changes of all lanes wait until their trials end, and count in the currents until then.
let private waiting tally (case: Case) =
    let isWaiting (session: Session) =
        session.Plan.Has(FormTitles.Title Forms.Deferred)

    Experiments.tidy case
    |> Experiments.graphOf {
        Experiments.simple with
            IsShared = true
            // KeRNL reads the weights within the trial.
            Rule =
                fun random ->
                    if random.Next 2 = 0 then
                        ThreeFactorRule.Rflo()
                    else
                        ThreeFactorRule ErrorPath.Symmetric
    }
    |> formsOf isWaiting tally

let private watched lanes : ProbeSpec[] = [|
    WeightChangeProbe lanes
    RatesProbe(2 * lanes, AreaId 0)

    AngleProbe(
        lanes,
        PassiveRule("own", null, UpdateTime.TrialEnd),
        PassiveRule("bptt", Rules.bptt, UpdateTime.TrialEnd)
    )

    ValidationProbe(2 * lanes, 2)
|]

/// A run that stops at the end of a group and goes on elsewhere has the bits of one that did not stop; so has one that is watched, but for what was measured.
let private resumes (tally: Tally) (case: Case) =
    let graph, case = Experiments.graphOf Experiments.shared case
    let lanes = lanesOf case

    let make () =
        let session = sessionOf graph (WhiteNoise case) case lanes Forms.All
        session.KeepBest()
        session.Watch(watched lanes.Count)
        session

    let whole, first, second = make (), make (), make ()
    let status = whole.Run(4 * lanes.Count)
    tally.Count()

    if status.End <> RunEnd.Completed then
        tally.Idle()
    else
        let stop = 1 + case.Seed % 3
        first.Run(stop * lanes.Count) |> ignore
        first.Test 2 |> ignore
        second.Restore(first.Capture())
        second.Run((4 - stop) * lanes.Count) |> ignore
        Expect.equal (differences (known whole) (known second)) [] "what resuming changes"

        let unwatched = sessionOf graph (WhiteNoise case) case lanes Forms.All
        unwatched.Run(4 * lanes.Count) |> ignore

        LawTests.expectSameBits
            "probes"
            (Experiments.resultOf whole)
            (Experiments.resultOf unwatched)

/// A task that fails in the midst of a group, and a rule whose function fails in the midst of a step: the state is that before the group.
let private fails (case: Case) =
    let random = Random case.Seed
    let lanes = lanesOf case
    let inner: ITask = WhiteNoise case
    let mutable calls, throwsAt = 0, Int32.MaxValue

    let cosine =
        Func<float, float>(fun x ->
            calls <- calls + 1

            if calls = throwsAt then
                failwith "the function cannot"

            cos x)

    let rule =
        ThreeFactorRule(ErrorPath.Feedback, PreShaping = Shaping(0.2, cosine)) :> LearningRule

    let mutable throws = -1

    let task = {
        new ITask with
            member _.Inputs = inner.Inputs
            member _.Outputs = inner.Outputs
            member _.MaxSteps = inner.MaxSteps
            member _.Events = inner.Events
            member _.GivesRewards = true

            member _.Fill(trial, stream, into) =
                if trial = throws then
                    failwith "the task cannot"

                inner.Fill(trial, stream, into)
    }

    let graph = graphWith (learning rule UpdateSchedule.Online 0.05) case.Circuit
    let session = sessionOf graph task case lanes Forms.All

    if (session.Run lanes.Count).End = RunEnd.Completed && calls > 0 then
        let ofGroup = calls
        let before = known session
        throws <- lanes.Count + random.Next lanes.Count
        let status = session.Run lanes.Count
        Expect.equal status.End RunEnd.Failed "the task fails"
        Expect.equal status.Trial throws "in its trial"
        Expect.stringContains status.Where "the task cannot" "with what it said"
        Expect.equal (differences before (known session)) [] "the state before the group"

        throws <- -1
        throwsAt <- calls + 1 + random.Next(max 1 (ofGroup / 4))
        let status = session.Run lanes.Count

        if calls >= throwsAt then
            Expect.equal status.End RunEnd.Failed "the function fails"
            Expect.stringContains status.Where "the function cannot" "with what it said"
            Expect.equal (differences before (known session)) [] "the state before the group"

// ---- what is refused ----------------------------------------------------------------------------------

let private sine outputs = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = outputs
        member _.MaxSteps = 6
        member _.Events = 0

        member _.Fill(trial, _, into) =
            into.Targets.AsSpan().Fill(sin (float trial))
}

let private oneArea plasticity =
    graphWith
        {
            asDeclared with
                Plasticity = fun _ -> plasticity
        }
        (RandomCircuits.one 4 (2.0, 8.0))

let private online = Plasticity(Rules.rflo, 0.1, UpdateSchedule.Online)

let private refuses (lanes: TrialLanes) graph (task: ITask) (words: string list) =
    let message =
        try
            Session.CreateInLanes(graph, task, 1L, Precision.Double, lanes) |> ignore
            ""
        with :? ArgumentException as error ->
            error.Message

    for word in words do
        Expect.stringContains message word "the message"

let private closed = {
    new IClosedLoopTask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = 4
        member _.Events = 0
        member _.Fill(_, _, _) = ()
        member _.Watches = [||]
        member _.StateLength = 0
        member _.SaveState _ = ()
        member _.RestoreState _ = ()
        member _.Before(_, _) = ()
        member _.After(_, _) = ()
}

let private throwsOutOfRange (word: string) action =
    let message =
        try
            action ()
            ""
        with :? ArgumentOutOfRangeException as error ->
            error.Message

    Expect.stringContains message word "the message"

[<Tests>]
let tests =
    testList "shared updates" [
        test "of any experiment are what plain loops make of the definitions" {
            let tally = Tally()
            forAll (cases 150 8000) RandomCircuits.anyCircuit (plainly tally)
            tally.Demand 0.35
        }

        test "at fixed weights are the mean of what the trials ask for, for every rule" {
            forAll (cases 40 2000) RandomCircuits.anyCircuit meanOfTrials
        }

        test "without learning, lanes have the bits of one trial after another" {
            forAll (cases 60 3000) RandomCircuits.anyCircuit (restingBits Forms.All)
            forAll (cases 30 3000) RandomCircuits.anyCircuit (restingBits Forms.Eager)
        }

        test "at ends of trials are those of a batch, to the bit" {
            forAll (cases 40 2000) RandomCircuits.anyCircuit batchBits
        }

        test "of lanes that show one trial are that trial's" {
            let tally = Tally()
            forAll (cases 120 6000) RandomCircuits.anyCircuit (repeated tally)
            tally.Demand 0.35
        }

        test "of sums are those of a higher rate" {
            forAll (cases 40 2000) RandomCircuits.anyCircuit sums
        }

        test "do not depend on forms, but for rounding, nor on threads" {
            let tally = Tally()
            forAll (cases 80 4000) RandomCircuits.anyCircuit (forms tally)
            tally.Demand 0.35
        }

        test "that wait until trials end count in the currents of all lanes" {
            let tally = Tally()
            forAll (allCases 80 4000) RandomCircuits.anyCircuit (waiting tally)
            tally.Demand 0.8
        }

        test "keep the weights of before a group in which several trials are the best so far" {
            let falling = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = 6
                    member _.Events = 0

                    member _.Fill(trial, _, into) =
                        into.Targets.AsSpan().Fill(1.0 + 1.0 / float (1 + trial))
            }

            let run groups =
                let session =
                    Session.CreateInLanes(
                        oneArea online,
                        falling,
                        1L,
                        Precision.Double,
                        TrialLanes 4
                    )

                session.Stopping <- Stopping(Window = 1)
                session.KeepBest()
                session.Run(4 * groups) |> ignore
                session

            let one, two = run 1, run 2
            let losses = two.Metrics.CopyLosses()
            Expect.equal (Array.sortDescending losses) losses "each trial is the best so far"

            for projection in 0 .. two.Graph.Projections.Count - 1 do
                let id = ProjectionId projection
                Expect.equal (two.BestWeights id) (one.Weights id) "of before the second group"
        }

        test "go on to the bit after a stop, watched or not" {
            let tally = Tally()
            forAll (cases 50 3000) RandomCircuits.anyCircuit (resumes tally)
            tally.Demand 0.35
        }

        test "are undone as a whole where user code throws" {
            forAll (cases 40 2000) RandomCircuits.anyCircuit fails
        }

        test "are refused where one trial must follow another, with every reason" {
            let four = TrialLanes 4

            refuses four (oneArea online) closed [ "4 lanes"; "closed loop" ]

            refuses
                four
                (oneArea (
                    Plasticity(
                        Rules.rflo,
                        0.1,
                        UpdateSchedule(UpdateTime.TrialEnd, 6),
                        Readout = RlsReadout 1.0
                    )
                ))
                (sine 1)
                [ "projection 0 has updates of 6 trials"; "least squares" ]

            Session.CreateInLanes(
                oneArea (Plasticity(Rules.rflo, 0.1, UpdateSchedule(UpdateTime.TrialEnd, 8))),
                sine 1,
                1L,
                Precision.Double,
                four
            )
            |> ignore

            let session =
                Session.CreateInLanes(oneArea online, sine 1, 1L, Precision.Double, four)

            throwsOutOfRange "a multiple of 4" (fun () -> session.Run 6 |> ignore)
            throwsOutOfRange "a multiple of 4" (fun () -> session.Watch [| WeightChangeProbe 6 |])

            throwsOutOfRange "lanes" (fun () ->
                Session.CreateInLanes(oneArea online, sine 1, 1L, Precision.Double, TrialLanes 0)
                |> ignore)

            let other =
                Session.CreateInLanes(oneArea online, sine 1, 1L, Precision.Double, TrialLanes 2)

            let message =
                try
                    other.Restore(session.Capture())
                    ""
                with :? ArgumentException as error ->
                    error.Message

            Expect.stringContains message "4 lanes" "the state of other lanes"
        }

        test "a stop counts between groups, and callbacks come when a group has ended" {
            let session =
                Session.CreateInLanes(oneArea online, sine 1, 1L, Precision.Double, TrialLanes 4)

            session.Stopping <- Stopping(TargetLoss = 1e9, Window = 1)
            let seen = ResizeArray()
            let status = session.Run(12, (fun trial _ -> seen.Add(trial, session.TrialsDone)))
            Expect.equal status.End RunEnd.Stopped "it stops"
            Expect.equal (List.ofSeq seen) [ 0, 4; 1, 4; 2, 4; 3, 4 ] "after a whole group"
        }

        test "memory of every lane is counted" {
            let graph = oneArea online

            let of' (lanes: int) =
                Plan.Of(graph, sine 1, Precision.Double, TrialLanes lanes)

            let one, three, five = of' 1, of' 3, of' 5
            Expect.equal one.BytesOfLanes 0L "one trial after another"

            Expect.equal
                five.BytesOfLanes
                (2L * three.BytesOfLanes)
                "four lanes beside the first, and two"

            Numbers.isGreaterThan
                (five.BytesOf BufferPurpose.Weights)
                (one.BytesOf BufferPurpose.Weights)
                "increments are collected"
        }

        test "the plan says what is shared" {
            let choice form (lanes: TrialLanes) =
                let session =
                    Session.CreateInLanes(oneArea online, sine 1, 1L, Precision.Double, lanes)

                session.Plan.Choices |> Seq.filter (fun one -> one.Form = form) |> List.ofSeq

            let added = choice "increments added to the weights as they come" (TrialLanes 3)

            Expect.isTrue
                (added |> List.exists (fun one -> one.Why.Contains "3 lanes share every update"))
                $"{added}"
        }
    ]

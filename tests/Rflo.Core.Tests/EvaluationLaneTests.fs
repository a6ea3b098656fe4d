/// Test trials side by side have the bits that they have one after another, and change nothing of a run.
module Rflo.Core.Tests.EvaluationLaneTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.RandomExperiments

let private apart = Forms.Eager &&& ~~~Forms.Lanes

/// Everything that is recorded of a trial.
let private all (recording: Recording) = [
    [|
        float recording.Steps
        recording.Loss
        recording.RateCost
        recording.Performance
    |]
    recording.Inputs
    recording.Targets
    recording.Mask
    recording.Rewards
    Array.map (fun isMarked -> if isMarked then 1.0 else 0.0) recording.Events
    recording.Outputs
    recording.Conditions
    yield! recording.Rates

    for area in recording.States do
        yield! area
]

let private together (session: Session) first count options =
    let seen = ResizeArray<Recording>()
    session.Evaluate(first, count, (fun recording -> seen.Add recording), options)
    List.ofSeq seen

let private inTurn (session: Session) first count options = [
    for trial in first .. first + count - 1 -> session.Test(trial, options)
]

let private same message (expected: Recording list) (found: Recording list) =
    Expect.equal found.Length expected.Length $"{message}: trials"

    for trial, (a, b) in List.indexed (List.zip expected found) do
        let a, b = all a, all b
        Expect.equal b.Length a.Length $"{message}: arrays of trial {trial}"

        for k, (x, y) in List.indexed (List.zip a b) do
            Expect.isTrue (sameBits x y) $"{message}: array {k} of trial {trial}"

let private anyOptions (random: Random) =
    let flag () = random.Next 2 = 0

    TestOptions(
        TrainingTrials = flag (),
        Noise = (random.Next 4 > 0),
        Exploration = flag (),
        Perturbed = (random.Next 4 > 0),
        CarriesOver = (random.Next 4 = 0)
    )

/// Areas of other sizes: rows of any number of registers.
let private resized most (case: Case) =
    let random = Random(case.Seed + 7)
    let largest = if random.Next 3 = 0 then most else 20

    {
        case with
            Circuit.Areas = [
                for area in case.Circuit.Areas ->
                    {
                        area with
                            Units = random.Next(2, largest)
                    }
            ]
    }

/// With the states of units that have any beside their rates.
let private recorded (spec: AreaSpec) =
    Remade.Area(spec, records = (spec.StateNames.Count > 0))

// ---- beside a training --------------------------------------------------------------------------

/// Trainings of one experiment: evaluated side by side, evaluated one trial after another, and not evaluated.
let private beside (many: int ref) (tally: Tally) (experiment: Experiment) =
    let experiment = {
        experiment with
            Case = resized 30 experiment.Case
    }

    tally.Count()

    let history forms evaluate =
        let random = Random(experiment.Draw + 41)
        let session = (makeFormed forms recorded experiment).Session
        session.Watch [| ValidationProbe(2, 5) |]

        let seen = [
            for _ in 1..2 do
                session.Run(random.Next(1, 4)) |> ignore
                yield! evaluate session (random.Next 40) (random.Next(2, 22)) (anyOptions random)
        ]

        session.Run 3 |> ignore
        session, seen, known session

    let nothing _ _ _ _ : Recording list = []
    let session, seen, state = history Forms.Eager together
    let _, expected, plain = history apart inTurn
    let _, _, alone = history Forms.Eager nothing

    if session.TestsBeside = 0 then
        tally.Idle()
    else
        many.Value <- many.Value + 1

    same "side by side" expected seen
    Expect.equal (differences plain state) [] "the training beside evaluations one after another"

    let carried =
        experiment.Loop
        || experiment.Case.Circuit.Areas
           |> List.exists (fun area -> area.Start = InitialPolicy.CarriedOver)

    // What a test carries over, it is told to.
    if not carried then
        Expect.equal (differences alone state) [] "the training without evaluations"

// ---- circuits with everything -------------------------------------------------------------------

let private frozen (circuit: CircuitCase) = {
    circuit with
        Projections = [
            for projection in circuit.Projections -> { projection with Plastic = false }
        ]
}

/// Winner-take-all areas, models of the user's and of the core.
let private anyUnits seed =
    let setup = PerturbationTests.anyUnits seed

    {
        setup with
            Penalties = [ RatePenalty(PenaltyKind.Square, 0.05, 0.2) ]
            Area =
                fun index area ->
                    match (seed + index) % 8 with
                    | 2 -> Remade.WithUnits(area, LeakyIntegrateAndFire(0.3, 0.5))
                    | _ -> setup.Area index area
                    |> recorded
    }

let private evaluated precision (many: int ref) (tally: Tally) (case: Case) =
    let case = resized 70 case
    let random = Random(case.Seed + 19)
    tally.Count()

    let graph =
        let plain = graphWith (anyUnits case.Seed) (frozen case.Circuit)
        let steps, events = List.max case.Task.Lengths, case.Task.Events
        PerturbationTests.with' plain (PerturbationTests.several random plain steps events)

    let lanes = TrialLanes(if random.Next 3 = 0 then 3 else 1)
    let first, count, options = random.Next 40, random.Next(1, 40), anyOptions random

    let session forms =
        Session.CreateInLanes(graph, WhiteNoise case, int64 case.Seed, precision, lanes, forms)

    // State to carry over, and other numbers in all buffers.
    let evaluate (session: Session) (how: Session -> int -> int -> TestOptions -> Recording list) =
        session.Run(3 * lanes.Count) |> ignore
        let once = how session first count options
        once @ how session (first + 1) count TestOptions.Default

    let expected = evaluate (session apart) inTurn

    for threads in 1..3 do
        let session = session Forms.Eager
        session.Threads <- threads
        same $"{threads} threads" expected (evaluate session together)

        if threads = 1 && session.TestsBeside = 0 then
            tally.Idle()
        elif session.TestsBeside > 0 then
            many.Value <- many.Value + 1

// ---- code of the user's that throws -------------------------------------------------------------

let private sine (performs: Trial -> float[] -> float) fills = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = 12
        member _.Events = 0
        member _.IsPerformancePure = true
        member _.Performance(trial, outputs) = performs trial outputs
        member _.Conditions = [| "number" |]

        member _.Fill(trial, _, into) =
            fills trial
            into.Steps <- 4 + trial % 8
            into.Conditions[0] <- float trial

            for t in 1 .. into.Steps do
                into.Targets[t - 1] <- sin (float (t + trial))
}

let private one = RandomCircuits.one 6 (2.0, 8.0)

/// Trials until one throws, and what was said.
let private until evaluate (session: Session) =
    let seen = ResizeArray<Recording>()

    let message =
        try
            evaluate session seen
            "nothing"
        with :? TaskException as failure ->
            $"step {failure.Step}: {failure.Part}: {failure.Message}"

    List.ofSeq seen, message

let private throws what graph task =
    let session forms =
        Session.Create(graph, task, 3L, Precision.Double, forms)

    let expected, said =
        session apart
        |> until (fun session seen ->
            for trial in 0..29 do
                seen.Add(session.Test trial))

    let made = session Forms.Eager

    let found, heard =
        made
        |> until (fun session seen -> session.Evaluate(0, 30, (fun one -> seen.Add one)))

    Expect.notEqual said "nothing" $"{what}: it throws"
    Numbers.isGreaterThan (float expected.Length) 0.0 $"{what}: not in the first trial"
    Expect.equal heard said what
    same what expected found
    // It goes on afterwards.
    same
        $"{what}, again"
        (inTurn (session apart) 0 2 TestOptions.Default)
        (together made 0 2 TestOptions.Default)

type private Choosy() =
    inherit Loss()

    override _.Description = "choosy"
    override _.Formula = "0.5 (y - y*)^2"

    override _.Value(output, target) =
        if target > 0.9995 then
            failwith "too large a target"

        0.5 * (output - target) ** 2.0

    override _.Slope(output, target) = output - target
    override this.``<Clone>$``() = this

// ---- the lanes themselves -----------------------------------------------------------------------

let private quiet = {
    new ITask with
        member _.Inputs = 0
        member _.Outputs = 1
        member _.MaxSteps = 64
        member _.Events = 0
        member _.Fill(_, _, into) = into.Targets.AsSpan().Fill 0.5
}

let private lanesOf graph steps room =
    let network = Network<float>(graph, 64, 0, 1L, Forms.Eager)

    EvaluationLanes<float>(
        network,
        room,
        1,
        fun lane _ ->
            lane.Network.Trial.Clear()
            lane.Network.Trial.Steps <- steps
    )

let private choice (session: Session) =
    session.Plan.Choices |> Seq.find (fun choice -> choice.Part = "test trials")

let private bare units (precision: Precision) (task: ITask) =
    Session.Create(graphWith asDeclared (RandomCircuits.one units (2.0, 8.0)), task, 1L, precision)

[<Tests>]
let tests =
    testList "evaluation in lanes" [
        test "beside a training: the bits of one trial after another, and of the training without" {
            let tally = Tally()
            let many = ref 0
            forAll (allCases 100 4000) anyExperiment (beside many tally)
            tally.Demand 0.75
            Numbers.isGreaterThan (float many.Value) 20.0 "experiments whose tests ran side by side"
        }

        for precision in [ Precision.Double; Precision.Single ] do
            test $"any circuit, unit and perturbation, on any number of threads: {precision}" {
                let tally = Tally()
                let many = ref 0

                forAll (allCases 80 4000) RandomCircuits.anyCircuit (evaluated precision many tally)

                tally.Demand 0.3
                Numbers.isGreaterThan (float many.Value) 60.0 "evaluations side by side"
            }

        test "code that throws does so in its trial, after the trials before it" {
            let plain = graphWith asDeclared one
            let nan' _ _ = nan

            throws
                "the task"
                plain
                (sine nan' (fun trial ->
                    if trial = 21 then
                        failwith "no trial 21"))

            throws
                "the performance"
                plain
                (sine
                    (fun trial _ ->
                        if trial.Conditions[0] = 13.0 then
                            failwith "no score"

                        1.0)
                    ignore)

            let judged = {
                one with
                    Readouts = [
                        {
                            one.Readouts[0] with
                                Loss = Some(Choosy())
                        }
                    ]
            }

            throws "the loss" (graphWith asDeclared judged) (sine nan' ignore)

            let largest, most = ref -infinity, ref infinity

            let bounded =
                PointwiseUnits(
                    "bounded",
                    [ "x" ],
                    (fun unit ->
                        if unit.Current > most.Value then
                            failwith "too large a current"

                        largest.Value <- max largest.Value unit.Current
                        unit.State[0] <- 0.5 * unit.Before[0] + 0.5 * unit.Current),
                    (fun unit -> tanh unit.State[0])
                )

            let noisy =
                graphWith
                    {
                        asDeclared with
                            Area =
                                fun _ area ->
                                    Remade.WithUnits(Remade.Area(area, noise = 0.6), bounded)
                    }
                    (frozen one)

            // Within the largest current of the first trials, and beyond it in one of the others.
            let session = Session.Create(noisy, sine nan' ignore, 3L)

            for trial in 0..2 do
                session.Test trial |> ignore

            most.Value <- largest.Value
            throws "the unit model" noisy (sine nan' ignore)
        }

        test "a performance that needs the trial that was filled last is not computed of others" {
            let scored isPure =
                let last = ref -1

                {
                    new ITask with
                        member _.Inputs = 0
                        member _.Outputs = 1
                        member _.MaxSteps = 5
                        member _.Events = 0
                        member _.IsPerformancePure = isPure
                        member _.Performance(_, _) = float last.Value
                        member _.Fill(trial, _, _) = last.Value <- trial
                }

            let performances isPure =
                let session =
                    Session.Create(
                        graphWith asDeclared one,
                        scored isPure,
                        1L,
                        Precision.Double,
                        Forms.Eager
                    )

                let scores = together session 3 20 TestOptions.Default |> List.map _.Performance

                scores, choice session

            let scores, inTurn = performances false
            Expect.equal scores [ for trial in 3..22 -> float trial ] "of its own trial"
            Expect.isFalse inTurn.IsChosen "one after another"
            Expect.stringContains inTurn.Why "IsPerformancePure" "why"
            let _, together = performances true
            Expect.isTrue together.IsChosen "what the task says is believed"
        }

        test "trials of combined tasks are scored by the task that made them" {
            let part number events : ITask = {
                new ITask with
                    member _.Inputs = 1
                    member _.Outputs = 1
                    member _.MaxSteps = 4 + number
                    member _.Events = events
                    member _.Conditions = [| "own"; $"of {number}" |]
                    member _.IsPerformancePure = true

                    member _.Performance(trial, outputs) =
                        let marked = trial.Events |> Seq.filter id |> Seq.length

                        float (100 * number + marked)
                        + Array.sum trial.Conditions
                        + Array.sum trial.Inputs
                        + 0.1 * Array.sum trial.Rewards
                        + Array.sum trial.Targets * Array.sum trial.Mask
                        + Array.sum outputs
                        + 1000.0 * float trial.Steps

                    member _.Fill(_, stream, into) =
                        into.Steps <- stream.Between(1, 5 + number)
                        into.Conditions[0] <- stream.Gaussian()
                        into.Conditions[1] <- stream.Gaussian()

                        for t in 0 .. into.Steps - 1 do
                            into.Inputs[t] <- stream.Gaussian()
                            into.Targets[t] <- stream.Gaussian()
                            into.Mask[t] <- stream.Uniform(0.0, 1.0)
                            into.Rewards[t] <- stream.Gaussian()

                            for kind in 0 .. events - 1 do
                                into.Events[t * events + kind] <- stream.Chance 0.5
            }

            let graph = graphWith asDeclared { one with Inputs = [ 1 ] }

            let session events forms =
                let task =
                    CombinedTask.Of(
                        [| part 0 1; part 1 2; part 2 2 |],
                        events,
                        4,
                        MixtureChoice([| 1.0; 1.0; 2.0 |])
                    )

                Session.Create(graph, task, 5L, Precision.Double, forms)

            let distinct: int[][] = [| [| 2 |]; [| 3; 0 |]; [| 0; 1 |] |]
            let found = session distinct Forms.Eager

            same
                "a mixture"
                (inTurn (session distinct apart) 0 40 TestOptions.Default)
                (together found 0 40 TestOptions.Default)

            Expect.equal found.TestsBeside 40 "side by side"

            // Two events that are one in the whole cannot be told apart again.
            let alike: int[][] = [| [| 2 |]; [| 3; 3 |]; [| 0; 1 |] |]
            let found = session alike Forms.Eager

            same
                "events with one place"
                (inTurn (session alike apart) 0 40 TestOptions.Default)
                (together found 0 40 TestOptions.Default)

            Expect.equal found.TestsBeside 0 "one after another"
        }

        test "a callback may read weights, and neither run nor test" {
            // One after another, and side by side.
            for units in [ 20; 80 ] do
                let session = bare units Precision.Double quiet
                let seen = ref 0

                let actions: (unit -> unit) list = [
                    fun () -> session.Test 0 |> ignore
                    fun () -> session.Run 1 |> ignore
                    fun () -> session.Evaluate(0, 1, fun _ -> ())
                    fun () -> session.Capture() |> ignore
                ]

                let take (_: Recording) =
                    session.Weights(ProjectionId 0) |> ignore

                    for forbidden in actions do
                        Expect.throwsC forbidden (fun error ->
                            Expect.isTrue (error :? InvalidOperationException) "refused"

                            Expect.stringContains
                                error.Message
                                $"trial {seen.Value} of an evaluation"
                                "where")

                    seen.Value <- seen.Value + 1

                session.Evaluate(0, 3, take)
                Expect.equal seen.Value 3 "all were seen"
                session.Evaluate(7, 0, take)
                Expect.equal seen.Value 3 "no more"
                session.Test 0 |> ignore

                for first, count in [ -1, 2; 0, -1; Int32.MaxValue, 1 ] do
                    Expect.throwsT<ArgumentOutOfRangeException>
                        (fun () -> session.Evaluate(first, count, take))
                        $"{count} trials from {first} on"
        }

        test "the plan says how many lanes there are and what they take, or why there are none" {
            let large = bare 100 Precision.Double quiet
            let chosen = choice large
            Expect.isTrue chosen.IsChosen "100 units"
            Expect.stringContains chosen.Why "16 lanes: a lane takes" "how many"
            let small = choice (bare 20 Precision.Double quiet)
            Expect.isFalse small.IsChosen "20 units"
            Expect.stringContains small.Why "lanes save time beyond 49,152" "why"

            let long steps = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = steps
                    member _.Events = 0
                    member _.Fill(_, _, into) = into.Steps <- 1
            }

            let bounded = bare 100 Precision.Double (long 15_000)
            let words = (choice bounded).Why.Split ' '
            let count, bytes = int words[0], int64 (words[5].Replace(",", ""))
            Numbers.isLessThan (float count) 16.0 "fewer lanes where they are long"
            Numbers.isLessThanOrEqual (float (int64 count * bytes)) (float (256 <<< 20)) "room"

            Numbers.isGreaterThan
                (float ((int64 count + 1L) * bytes))
                (float (256 <<< 20))
                "all the room there is"

            together bounded 0 20 TestOptions.Default |> ignore
            Expect.equal bounded.TestsBeside 20 "in parts"
            let none = choice (bare 300 Precision.Double (long 30_000))
            Expect.isFalse none.IsChosen "a lane that takes all"
            Expect.stringContains none.Why "all may take 268,435,456" "why"
        }

        test "bytes of a lane are those that it allocates" {
            let check (case: Case) =
                let case = resized 70 case

                let graph =
                    PerturbationTests.with' (graphWith (anyUnits case.Seed) (frozen case.Circuit)) []

                let network = Network<float32>(graph, 500, 2, 1L, Forms.Eager, conditions = 3)

                let inventory = PlanInventory<float32>()

                let take part (network: Network<float32>) =
                    inventory.Take(part, network, BufferPurpose.Activity).Bytes

                let own = take "the network itself" network
                let found = float (take "the lane" (network.Beside()) - own)
                let counted = float network.BytesBeside

                Numbers.isLessThan
                    (abs (found - counted))
                    (0.02 * found + 6000.0)
                    $"{counted} of {found}"

            forAll (cases 40 1000) RandomCircuits.anyCircuit check
        }

        test "steps allocate nothing" {
            let graph = graphWith asDeclared (RandomCircuits.one 40 (2.0, 8.0))

            let bytes steps =
                let lanes = lanesOf graph steps 5

                for _ in 1..200 do
                    lanes.Run(0, 5, TestOptions.Default) |> ignore

                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..100 do
                    lanes.Run(0, 5, TestOptions.Default) |> ignore

                GC.GetAllocatedBytesForCurrentThread() - before

            let rec settled passes =
                let short, long = bytes 3, bytes 60

                if long - short > 1000L && passes > 1 then
                    settled (passes - 1)
                else
                    float (long - short)

            Numbers.isLessThanOrEqual (settled 8) 1000.0 "of 100 times 5 trials of 57 more steps"
        }
    ]

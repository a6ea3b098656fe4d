/// Whole runs: circuits side by side, areas cut in two, streams of noise, single precision, and runs that diverge.
module Rflo.Core.Tests.SessionTests

open System
open System.Threading
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.LawTests

// ---- side by side -------------------------------------------------------------------------------

/// A case whose gates wait for no event, since two circuits in one task share its events.
let private eventless case =
    let regular (projection: ProjectionCase) =
        if projection.Gate.Kind = GateKind.Event then
            { projection with Gate = Gate.Every 2 }
        else
            projection

    {
        case with
            Circuit.Projections = List.map regular case.Circuit.Projections
    }

/// A task with random numbers of its own.
let private own (case: Case) (trial: int) (into: Trial) =
    (WhiteNoise case: ITask)
        .Fill(trial, RandomStream.OfTrial(int64 case.Seed, "own", int64 trial), into)

type private Own(case: Case) =
    let task: ITask = WhiteNoise case

    interface ITask with
        member _.Inputs = task.Inputs
        member _.Outputs = task.Outputs
        member _.MaxSteps = task.MaxSteps
        member _.Events = task.Events
        member _.Fill(trial, _, into) = own case trial into

/// Two tasks in one, the channels of the second behind those of the first.
type private Both(first: Case, second: Case) =
    let one, two: ITask * ITask = WhiteNoise first, WhiteNoise second

    let room (task: ITask) =
        Trial(task.MaxSteps, task.Inputs, task.Outputs, task.Events)

    interface ITask with
        member _.Inputs = one.Inputs + two.Inputs
        member _.Outputs = one.Outputs + two.Outputs
        member _.MaxSteps = one.MaxSteps
        member _.Events = 0

        member _.Fill(trial, _, into) =
            let a, b = room one, room two
            own first trial a
            own second trial b
            into.Steps <- a.Steps

            let beside (x: float[]) (y: float[]) n m (z: float[]) =
                for t in 0 .. a.Steps - 1 do
                    Array.blit x (t * n) z (t * (n + m)) n
                    Array.blit y (t * m) z (t * (n + m) + n) m

            beside a.Inputs b.Inputs one.Inputs two.Inputs into.Inputs
            beside a.Targets b.Targets one.Outputs two.Outputs into.Targets
            beside a.Mask b.Mask one.Outputs two.Outputs into.Mask

let private merged (tally: Tally) (first: Case, second: Case) =
    let first = eventless first
    let second = eventless { second with Task = first.Task }

    for form in
        AllRules.ways
        |> List.filter (fun form -> AllRules.isOfItsPart form.Rule)
        |> AllRules.every 4 first.Seed do
        let setup name = {
            AllRules.learningAs form 0.05 with
                Name = name
        }

        let alone name case =
            let session = Session.Create(graphWith (setup name) case.Circuit, Own case, 7L)
            session.Run 3 |> ignore
            allWeights session

        let builder = GraphBuilder()
        let left = addTo builder (setup "left ") first.Circuit
        let right = addTo builder (setup "right ") second.Circuit
        let session = Session.Create(builder.Build(), Both(first, second), 7L)
        tally.Count()

        // Where one diverges, both end: there is only one run.
        if (session.Run 3).End = RunEnd.Completed then
            for expected, ids in [ alone "left " first, left; alone "right " second, right ] do
                let ours = ids |> Seq.map session.Weights |> Array.ofSeq
                expectSameBits form.Name ours expected
        else
            tally.Idle()

// ---- one area as two ----------------------------------------------------------------------------

/// A network of the paper with its area cut in two behind the first units.
let private split (network: Networks.Network) cut (task: ITask) =
    let builder = GraphBuilder()
    let units = network.Alpha.Length
    let halves = [ [| 0 .. cut - 1 |]; [| cut .. units - 1 |] ]
    let pick (units: int[]) (xs: float[]) = Array.map (fun k -> xs[k]) units

    let areas = [
        for k, half in List.indexed halves ->
            builder.AddArea(
                AreaSpec(
                    Name = $"half {k}",
                    Units = half.Length,
                    Alpha = pick half network.Alpha,
                    InitialRates = pick half network.Start
                )
            )
    ]

    let input = builder.AddInput(InputSpec("input", Array2D.length2 network.Input))
    let outputs = Array2D.length1 network.Readout
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = outputs))

    let add (source: Source) (target: Target) (rows: int[]) (columns: int[]) (matrix: float[,]) =
        let block =
            Array2D.init rows.Length columns.Length (fun i j -> matrix[rows[i], columns[j]])

        ProjectionSpec(
            Name = $"{source.Kind} {source.Index} to {target.Index} {target.IsReadout}",
            Source = source,
            Target = target,
            Synapses = Synapses.Dense(flat block),
            Plasticity = Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd)
        )
        |> builder.AddProjection
        |> fun id -> id, rows, columns

    let every n = [| 0 .. n - 1 |]

    let recurrent = [
        for area, rows in List.zip areas halves do
            for other, columns in List.zip areas halves do
                add (Source.Area other) (Target.Area area) rows columns network.Recurrent
    ]

    let inputs = [
        for area, rows in List.zip areas halves do
            let columns = every (Array2D.length2 network.Input)
            add (Source.Input input) (Target.Area area) rows columns network.Input
    ]

    let readouts = [
        for area, columns in List.zip areas halves do
            add (Source.Area area) (Target.Readout readout) (every outputs) columns network.Readout
    ]

    for area, rows in List.zip areas halves do
        let matrix =
            Array2D.init rows.Length outputs (fun i k -> network.Feedback[rows[i], k])

        builder.AddFeedback(FeedbackSpec(Readout = readout, Area = area, Matrix = flat matrix))

    Session.Create(builder.Build(), task, 1L), [ recurrent; inputs; readouts ]

let private sameInHalves seed =
    let random = Random(seed: int)

    let units, channels, outputs =
        random.Next(2, 10), random.Next(1, 4), random.Next(1, 3)

    let matrix n m =
        Array2D.init n m (fun _ _ -> gaussian random / sqrt (float m))

    let rows count width =
        Array.init count (fun _ -> Array.init width (fun _ -> gaussian random))

    let network: Networks.Network = {
        Alpha = Array.init units (fun _ -> 0.1 + 0.9 * random.NextDouble())
        Start = Array.init units (fun _ -> gaussian random)
        Recurrent = matrix units units
        Input = matrix units channels
        Bias = [||]
        Readout = matrix outputs units
        Offset = [||]
        Feedback = matrix units outputs
    }

    let task = Networks.Given(rows 8 channels, rows 8 outputs, (fun _ -> 8))

    let graph, _ =
        Networks.graph (fun _ -> Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd)) network

    let whole = Session.Create(graph, task, 1L)
    let parts, blocks = split network (random.Next(1, units)) task
    let one, two = whole.Replay 0, parts.Replay 0
    Numbers.isLessThan (relative one.Outputs two.Outputs) 1e-12 "outputs"

    for { Rule = rule; Name = name } in
        AllRules.rules
        |> List.filter (fun one -> not (AllRules.draws one.Rule || AllRules.needsNoise one.Rule)) do
        let all = whole.Increments(0, rule, UpdateTime.TrialEnd)
        let cut = parts.Increments(0, rule, UpdateTime.TrialEnd)

        for index, blocks in List.indexed blocks do
            let matrix = nonNull all[index]
            let width = [ units; channels; units ][index]

            for (id: ProjectionId), rows, columns in blocks do
                let expected = [|
                    for i in rows do
                        for j in columns -> matrix[i * width + j]
                |]

                Numbers.isLessThanOrEqual
                    (norm (Array.map2 (-) (nonNull cut[id.Index]) expected))
                    (1e-12 * norm matrix)
                    $"{name}, projection {index}"

// ---- noise --------------------------------------------------------------------------------------

let private noisy = {
    Units = 4
    Tau = 2.0, 8.0
    Transfer = Transfer.Tanh
    Start = InitialPolicy.Random
    Noise = 0.5
    Dynamics = Dynamics.Leaky
}

let private quietTask steps =
    Networks.Given([||], Array.create steps [| 0.0 |], (fun _ -> steps))

let private noiseOf areas trial =
    let circuit = {
        Areas = areas
        Inputs = []
        Readouts = [
            {
                Outputs = 1
                Kind = OutputKind.Linear
                Loss = None
            }
        ]
        Projections = [ RandomCircuits.plain (Rates(0, 1)) (Onto 0) 1 ]
        Feedbacks = []
    }

    let session = Session.Create(graph circuit, quietTask 20, 5L)
    (session.Replay trial).Rates

// ---- recordings ---------------------------------------------------------------------------------

/// What is recorded of a trial is what plain loops make of it: inputs, outputs in the order of the readouts, rates, the loss.
let private recorded case =
    let trial = case.Seed % 3
    let circuit, shown = InReference.reference case trial
    // Rates that are carried over need the trials before.
    let isCarried (area: AreaCase) = area.Start = InitialPolicy.CarriedOver

    if trial = 0 || not (List.exists isCarried case.Circuit.Areas) then
        let run = Reference.run circuit shown
        let recording = (session case).Replay trial
        Expect.equal recording.Steps shown.Steps "steps"

        let close what (expected: float[]) found =
            Numbers.isLessThanOrEqual
                (norm (Array.map2 (-) expected found))
                (1e-11 * (1.0 + norm expected))
                what

        let over (values: float[][][]) =
            Array.tail values |> Array.collect Array.concat

        close "outputs" (over run.Outputs) recording.Outputs

        for area in 0 .. case.Circuit.Areas.Length - 1 do
            let rates = Array.tail run.Rates |> Array.collect (Array.item area)
            close $"rates of area {area}" rates recording.Rates[area]

        close "loss" [| run.Loss |] [| recording.Loss |]

/// The same trials; what lies beyond their steps is filled with numbers too.
type private Beyond(case: Case) =
    let inner: ITask = WhiteNoise case

    interface ITask with
        member _.Inputs = inner.Inputs
        member _.Outputs = inner.Outputs
        member _.MaxSteps = inner.MaxSteps
        member _.Events = inner.Events

        member _.Fill(trial, stream, into) =
            inner.Fill(trial, stream, into)

            let fill (values: 'a[]) perStep value =
                Array.fill
                    values
                    (into.Steps * perStep)
                    (values.Length - into.Steps * perStep)
                    value

            fill into.Inputs inner.Inputs 7.0
            fill into.Targets inner.Outputs 5.0
            fill into.Mask inner.Outputs 1.0
            fill into.Rewards 1 3.0
            fill into.Events inner.Events true

let private beyond (tally: Tally) (form: AllRules.Form) (case: Case) =
    let trained (task: ITask) =
        let graph = graphWith (AllRules.learningAs form 0.05) case.Circuit
        let session = Session.Create(graph, task, int64 case.Seed)
        session.Run 4 |> ignore

        [|
            session.Metrics.CopyLosses()
            session.Metrics.CopyRewards()
            Array.map float (session.Metrics.CopySteps())
            yield! allWeights session
            let recording = session.Replay 1
            recording.Inputs
            recording.Targets
            recording.Mask
            recording.Rewards
            recording.Outputs
        |]

    tally.Count()

    if (List.distinct case.Task.Lengths).Length < 2 then
        tally.Idle()

    expectSameBits form.Name (trained (WhiteNoise case)) (trained (Beyond case))

// ---- alignment ----------------------------------------------------------------------------------

/// The cosine between the dense weights of a readout from an area and the fixed feedback to the units that they come from.
let private alignmentIsACosine (tally: Tally) (case: Case) =
    let session = sessionWith (learning Rules.rflo UpdateSchedule.TrialEnd 0.05) case

    let check () =
        for index, (readout, area, isRandom) in List.indexed case.Circuit.Feedbacks do
            let matrix = feedbackMatrix case.Circuit (readout, area)

            let weights, feedback =
                Array.unzip [|
                    for k, projection in List.indexed case.Circuit.Projections do
                        match projection.Source, projection.Target with
                        | Rates(from, _), Read into when
                            isRandom && (from, into) = (area, readout) && projection.Layout = Dense
                            ->
                            let drawn = draw case.Circuit projection
                            let columns = Array2D.length2 drawn.Weights

                            for n, weight in Array.indexed (session.Weights(ProjectionId k)) do
                                let column = n % columns

                                let unit =
                                    drawn.From
                                    |> Option.map (Array.item column)
                                    |> Option.defaultValue column

                                weight, matrix[unit, n / columns]
                        | _ -> ()
                |]

            let expected =
                Array.sum (Array.map2 (*) weights feedback) / (norm weights * norm feedback)

            let found = session.Alignment index
            tally.Count()

            if Double.IsFinite expected then
                Numbers.isLessThan (abs (found - expected)) 1e-10 $"feedback {index}"
            else
                tally.Idle()
                Expect.isFalse (Double.IsFinite found) $"feedback {index}: nothing to compare"

    check ()

    if (session.Run 2).End = RunEnd.Completed then
        check ()

// ---- precision and divergence -------------------------------------------------------------------

let private singlePrecision () =
    let circuit = {
        Areas = [
            {
                noisy with
                    Units = 20
                    Start = InitialPolicy.Reset
                    Noise = 0.0
            }
            {
                Units = 7
                Tau = 5.0, 5.0
                Transfer = Transfer.Softplus
                Start = InitialPolicy.Reset
                Noise = 0.0
                Dynamics = Dynamics.Leaky
            }
        ]
        Inputs = [ 3 ]
        Readouts = [
            {
                Outputs = 2
                Kind = OutputKind.Linear
                Loss = None
            }
        ]
        Projections =
            let plain = RandomCircuits.plain

            [
                {
                    plain (Rates(0, 1)) (Onto 0) 1 with
                        Gain = 0.8
                }
                {
                    plain (Rates(0, 3)) (Onto 1) 2 with
                        Layout = Compressed
                        Density = 0.5
                }
                {
                    plain (Rates(1, 1)) (Onto 0) 3 with
                        Gain = 0.3
                }
                plain (Channels 0) (Onto 0) 4
                plain (Rates(0, 1)) (Read 0) 5
                plain (Rates(1, 1)) (Read 0) 6
            ]
        Feedbacks = [ 0, 0, true; 0, 1, true ]
    }

    let case = {
        Circuit = circuit
        Task = {
            Lengths = [ 1000 ]
            Masked = false
            Events = 0
        }
        Seed = 3
    }

    let make precision =
        Session.Create(graph circuit, WhiteNoise case, 3L, precision)

    let double, single = make Precision.Double, make Precision.Single
    let a, b = double.Replay 0, single.Replay 0
    Expect.isFalse (sameBits a.Outputs b.Outputs) "they are not the same numbers"

    Array.iter2 (fun x y -> Numbers.isLessThan (abs (x - y)) 1e-4 "output") a.Outputs b.Outputs

    for rule in Rules.all do
        let a = double.Increments(0, rule, UpdateTime.TrialEnd)
        let b = single.Increments(0, rule, UpdateTime.TrialEnd)

        for index in 0 .. a.Count - 1 do
            Numbers.isLessThan
                (relative (nonNull a[index]) (nonNull b[index]))
                1e-4
                $"{Rules.name rule}, projection {index}"

let private oneArea rate =
    let circuit = {
        Areas = [
            {
                noisy with
                    Noise = 0.0
                    Start = InitialPolicy.Reset
            }
        ]
        Inputs = [ 1 ]
        Readouts = [
            {
                Outputs = 1
                Kind = OutputKind.Linear
                Loss = None
            }
        ]
        Projections = [
            RandomCircuits.plain (Rates(0, 1)) (Onto 0) 1
            RandomCircuits.plain (Channels 0) (Onto 0) 2
            RandomCircuits.plain (Rates(0, 1)) (Read 0) 3
        ]
        Feedbacks = [ 0, 0, true ]
    }

    fun rule schedule -> graphWith (learning rule schedule rate) circuit

let private diverging rule schedule =
    let inputs = Array.init 10 (fun t -> [| sin (float t) |])
    let targets = Array.init 10 (fun t -> [| cos (float t) |])
    let task = Networks.Given(inputs, targets, (fun _ -> 10))
    let session = Session.Create(oneArea 1e6 rule schedule, task, 1L)
    let status = session.Run 1000
    Expect.equal status.End RunEnd.Diverged (string status)
    Expect.isTrue (status.Step >= 1 && status.Step <= 10) "names the step"
    Expect.isTrue (status.Where.Contains "area 0" || status.Where.Contains "readout 0") status.Where
    Expect.equal session.TrialsDone (status.Trial + 1) "ends in the trial that it names"

    Expect.isTrue
        (Array.forall Double.IsFinite (session.Metrics.CopyLosses()[.. status.Trial - 1]))
        "losses before are kept"

    Expect.isFalse (session.Metrics.Losses[status.Trial] < 1e15) "the last one is beyond all bounds"

    Expect.equal
        (string status)
        $"diverged at trial {status.Trial}, step {status.Step}, in {status.Where}"
        "wording"

/// An input that is not a number in step 4 of trial 2.
let private brokenInput () =
    let task = {
        new ITask with
            member _.Inputs = 1
            member _.Outputs = 1
            member _.MaxSteps = 6
            member _.Events = 0

            member _.Fill(trial, _, into) =
                into.Inputs.AsSpan().Fill 1.0

                if trial = 2 then
                    into.Inputs[3] <- nan
    }

    let graph = oneArea 0.01 Rules.rflo UpdateSchedule.TrialEnd
    Session.Create(graph, task, 1L).Run 5

[<Tests>]
let tests =
    let seeds = Arb.fromGen (Gen.choose (1, 1000000))

    let pairs =
        let half = RandomCircuits.smaller >> Seq.truncate 30

        Arb.fromGenShrink (
            Gen.zip RandomCircuits.circuits RandomCircuits.circuits,
            fun (a, b) ->
                seq {
                    for a in half a -> a, b
                    for b in half b -> a, b
                }
        )

    testList "sessions" [
        test "circuits side by side learn what each learns alone, bit for bit" {
            let tally = Tally()
            forAll (cases 60 1000) pairs (merged tally)
            tally.Demand 0.1
        }

        test "an area cut in two is the same circuit" { forAll (cases 60 1000) seeds sameInHalves }

        test "noise is the same for a trial, other for another, and nobody else's" {
            let noiseOf areas trial = (noiseOf areas trial)[0]
            let alone = noiseOf [ noisy ] 3
            Expect.isTrue (sameBits alone (noiseOf [ noisy ] 3)) "reproducible"
            Expect.isTrue (sameBits alone (noiseOf [ noisy; noisy ] 3)) "another noisy area"
            Expect.isFalse (sameBits alone (noiseOf [ noisy ] 4)) "another trial"
            Expect.isFalse (sameBits alone (noiseOf [ { noisy with Noise = 0.0 } ] 3)) "it is there"
        }

        test "two noisy areas draw different noise" {
            let unheard = {
                noisy with
                    Start = InitialPolicy.Reset
            }

            let rates = noiseOf [ noisy; unheard; unheard ] 0
            Expect.isFalse (sameBits rates[1] rates[2]) "areas that differ in their names alone"
        }

        test "a recording is what plain loops make of the trial" {
            forAll (cases 200 5000) RandomCircuits.anyCircuit recorded
        }

        test "what a task writes beyond the steps of a trial is no part of it, to the bit" {
            let tally = Tally()

            forAll
                (cases 60 2000)
                RandomCircuits.anyCircuit
                (AllRules.someOf 8 AllRules.ways (beyond tally))

            tally.Demand 0.6
        }

        test "the alignment of a readout is its cosine with the feedback to the same units" {
            let tally = Tally()
            forAll (cases 200 5000) RandomCircuits.anyCircuit (alignmentIsACosine tally)
            tally.Demand 0.8
        }

        test "single precision is double precision to 1e-4 over 1000 steps" { singlePrecision () }

        for form in AllRules.ways |> List.filter (fun form -> AllRules.asksForError form.Rule) do
            test $"a run that diverges by {form.Name} says where, and keeps what it had" {
                diverging form.Rule form.Schedule
            }

        test "an input that is not a number is found in its trial and step" {
            let status = brokenInput ()
            Expect.equal (status.End, status.Trial, status.Step) (RunEnd.Failed, 2, 4) "status"
            Expect.stringContains status.Where "channel 0 of the input input 0 is NaN" "where"
        }

        test "a cancelled run ends after the trial in hand" {
            use source = new CancellationTokenSource()
            let graph = oneArea 0.01 Rules.rflo UpdateSchedule.Online

            let task =
                Networks.Given(Array.create 3 [| 1.0 |], Array.create 3 [| 1.0 |], (fun _ -> 3))

            let session = Session.Create(graph, task, 1L)

            let stop =
                Action<int, float>(fun trial _ ->
                    if trial = 4 then
                        source.Cancel())

            let status = session.Run(100, stop, source.Token)
            Expect.equal status (RunStatus(RunEnd.Cancelled, 4, 0, "")) "status"
            Expect.equal session.TrialsDone 5 "trials"
        }
    ]

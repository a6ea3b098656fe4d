/// Truncated back-propagation against its definition: what the errors between two looks owe to the weights as they were
/// used within the window, by differences of the loss when the weights change at the window's first step.
module Rflo.Core.Tests.TruncatedTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.GradientTests

let private truncated window stride : LearningRule = TruncatedBpttRule(window, stride)

/// The looks of a trial: first step of the window, first step whose errors are told, step of the look.
let private looks window stride steps = [
    for t in 1..steps do
        if t % stride = 0 || t = steps then
            max 1 (t - window + 1), (t - 1) / stride * stride + 1, t
]

// ---- the definition -------------------------------------------------------------------------------

/// Every so many weights of a circuit, by projection and place.
let private sampled (session: Session) case =
    let all = [
        for index in plastic case do
            for k in 0 .. (session.Weights(ProjectionId index)).Length - 1 -> index, k
    ]

    let every = max 1 (all.Length / 12)
    all |> List.indexed |> List.filter (fun (n, _) -> n % every = 0) |> List.map snd

/// Minus the slope of the losses of all looks, where one weight changes when a look's window begins; over T.
let private slope (network: Network<float>) show (index: int) k (looks: (int * int * int) list) =
    let afferents, segment =
        Seq.append (network.Areas |> Seq.map _.Afferents) (network.Readouts |> Seq.map _.Afferents)
        |> Seq.pick (fun afferents ->
            afferents.Segments
            |> Seq.tryFind (fun segment -> segment.Projection = index)
            |> Option.map (fun segment -> afferents, segment))

    let post = network.Graph.ShapeOf(ProjectionId index).ToTuple() |> fst
    let weights = afferents.Read(segment, afferents.Weights, post)

    let write (values: float[]) = afferents.Load(segment, values)

    let lossWith change (first, told, last) =
        let changed = Array.copy weights
        changed[k] <- changed[k] + change
        show ()

        if first = 1 then
            write changed

        network.Begin(0L, 0)

        for t in 1..last do
            if t = first && first > 1 then
                write changed

            network.Step t

        write weights
        Seq.sum (seq { for t in told..last -> network.StepLoss t })

    let step = 1e-6

    (looks
     |> List.sumBy (lossWith -step)
     |> fun low -> low - (looks |> List.sumBy (lossWith step)))
    / (2.0 * step * float network.Trial.Steps)

let private isItsDefinition (tally: Tally) (case, (window, stride)) =
    tally.Count()
    let session = session case
    let rule = truncated window stride
    let blocks = session.Increments(0, rule, UpdateTime.TrialEnd)
    let exact = session.Increments(0, Rules.bptt, UpdateTime.TrialEnd)
    let task: ITask = WhiteNoise case

    let network =
        Network<float>(graph case.Circuit, task.MaxSteps, task.Events, int64 case.Seed)

    let show () =
        task.Fill(0, RandomStream.OfTrial(int64 case.Seed, "task", 0L), network.Trial)

    show ()

    let isShort =
        plastic case
        |> List.exists (fun index -> relative (nonNull blocks[index]) (nonNull exact[index]) > 1e-3)

    if isNearKink case 0 || not isShort then
        tally.Idle()

    if not (isNearKink case 0) then
        let looks = looks window stride network.Trial.Steps
        // None where no target counts.
        let loss =
            match (session.Replay 0).Loss with
            | loss when Double.IsNaN loss -> 0.0
            | loss -> loss

        for index, k in sampled session case do
            let block = nonNull blocks[index]
            let difference = slope network show index k looks

            // Absent weights of a dense block have no increments, whatever would come of them.
            if block[k] <> 0.0 || (session.Weights(ProjectionId index))[k] <> 0.0 then
                Numbers.isLessThanOrEqual
                    (abs (block[k] - difference))
                    (1e-6 * norm block + 4e-9 * (1.0 + abs loss) * float looks.Length)
                    $"window {window}, stride {stride}, projection {index}, weight {k}: {block[k]} and {difference}"

// ---- limits ---------------------------------------------------------------------------------------

/// What a rule has collected after every step of an online trial.
let private stepwise (rule: LearningRule) case =
    let task: ITask = WhiteNoise case

    let network =
        Network<float>(graph case.Circuit, task.MaxSteps, task.Events, int64 case.Seed)

    task.Fill(0, RandomStream.OfTrial(int64 case.Seed, "task", 0L), network.Trial)
    let mutable collected = Array.zeroCreate 0
    let learners = Learners.Passive(network, rule, UpdateTime.Online, &collected)
    network.Begin(0L, 0)
    learners.Begin(0, network.Trial.Steps)

    [|
        for step in 1 .. network.Trial.Steps do
            network.Step step
            learners.Step step

            [|
                for block in collected do
                    match block with
                    | block when block.HasValue ->
                        let struct (plastic, segment) = block.Value

                        let post =
                            network.Graph.ShapeOf(ProjectionId segment.Projection).ToTuple() |> fst

                        yield! plastic.Afferents.Read(segment, nonNull plastic.Collected, post)
                    | _ -> ()
            |]
    |]

let private isWhole case =
    let session = session case
    let longest = List.max case.Task.Lengths
    let expected = increments session case 0 Rules.bptt UpdateTime.TrialEnd

    for stride in 1 .. min 4 longest do
        for time in [ UpdateTime.TrialEnd; UpdateTime.Online ] do
            let ours = increments session case 0 (truncated longest stride) time

            for index, a, b in List.zip3 (plastic case) ours expected do
                expectClose 1e-11 $"window of the whole trial, stride {stride}, {time}" index a b

let private isRtrlStepByStep (tally: Tally) case =
    tally.Count()
    let ours = stepwise (truncated (List.max case.Task.Lengths) 1) case
    let exact = stepwise Rules.rtrl case

    if ours.Length < 3 || norm (Array.last exact) < 1e-6 then
        tally.Idle()

    for t in 0 .. ours.Length - 1 do
        expectClose 1e-11 $"step {t + 1}" 0 ours[t] exact[t]

/// Readouts that feed nothing back learn by the delta rule in every step; all else waits for a look.
let private isStillBetweenLooks case =
    let fed =
        case.Circuit.Projections
        |> List.choose (fun one ->
            match one.Source with
            | Fed(readout, _) -> Some readout
            | _ -> None)

    let onlyAreas = {
        case with
            Circuit.Projections =
                case.Circuit.Projections
                |> List.map (fun one ->
                    match one.Target with
                    | Read readout when not (List.contains readout fed) -> {
                        one with
                            Plastic = false
                      }
                    | _ -> one)
    }

    let stride = 3
    let collected = stepwise (truncated 4 stride) onlyAreas

    for t in 2 .. collected.Length - 1 do
        if t % stride <> 0 then
            Expect.isTrue (sameBits collected[t - 1] collected[t - 2]) $"step {t}"

let private after schedule optimizer case =
    let plasticity = Plasticity(truncated 5 2, 0.05, schedule, Optimizer = optimizer)

    let session =
        sessionWith
            {
                asDeclared with
                    Plasticity = fun _ -> plasticity
            }
            case

    session.Run 3 |> ignore

    Array.concat [
        for index in plastic case -> session.Weights(ProjectionId index)
    ]

/// With readouts frozen, online is every stride steps, whatever the optimizer.
let private isOnlineAtLooks case =
    let ontoAreas = {
        case with
            Circuit.Projections =
                case.Circuit.Projections
                |> List.map (fun one ->
                    match one.Target with
                    | Read _ -> { one with Plastic = false }
                    | _ -> one)
    }

    for optimizer in [ Optimizer.Plain; Adam() ] do
        Expect.isTrue
            (sameBits
                (after UpdateSchedule.Online optimizer ontoAreas)
                (after (UpdateSchedule(UpdateTime.EverySteps, 2)) optimizer ontoAreas))
            $"{optimizer}"

let private windows =
    gen {
        let! stride = Gen.choose (1, 4)
        let! more = Gen.choose (0, 3)
        return stride + more, stride
    }

let private anyCase =
    Arb.fromGenShrink (
        Gen.zip RandomCircuits.circuits windows,
        fun (case, window) ->
            seq {
                for smaller in RandomCircuits.smaller case do
                    smaller, window
            }
    )

[<Tests>]
let tests =
    testList "truncated BPTT" [
        test "is the slope of its errors in the weights of its window" {
            let tally = Tally()
            forAll (cases 150 3000) anyCase (isItsDefinition tally)
            tally.Demand 0.6
        }

        test "over a whole trial is BPTT, whatever the stride" {
            forAll (cases 100 2000) RandomCircuits.anyCircuit isWhole
        }

        test "with stride 1 and no end is RTRL, step by step" {
            let tally = Tally()
            forAll (cases 100 2000) RandomCircuits.anyCircuit (isRtrlStepByStep tally)
            tally.Demand 0.5
        }

        test "asks for nothing between two looks" {
            forAll (cases 100 2000) RandomCircuits.anyCircuit isStillBetweenLooks
        }

        test "online updates after every look, and an optimizer rests between them" {
            forAll (cases 60 1000) RandomCircuits.anyCircuit isOnlineAtLooks
        }

        test "a window shorter than the stride, or an update between looks, is refused" {
            let refused rule schedule =
                let one = (RandomCircuits.plain Bias (Onto 0) 1)

                let circuit = {
                    Areas = [
                        {
                            Units = 1
                            Tau = 1.0, 1.0
                            Transfer = Transfer.Tanh
                            Start = InitialPolicy.Reset
                            Noise = 0.0
                            Dynamics = Dynamics.Leaky
                        }
                    ]
                    Inputs = []
                    Readouts = []
                    Projections = [ one ]
                    Feedbacks = []
                }

                let add () =
                    graphWith (learning rule schedule 0.1) circuit |> ignore

                Expect.throwsC add (fun failure ->
                    Expect.isTrue (failure :? ArgumentException) $"{rule}: {failure}")

            refused (truncated 2 3) UpdateSchedule.TrialEnd
            refused (truncated 2 0) UpdateSchedule.TrialEnd
            refused (truncated 4 2) (UpdateSchedule(UpdateTime.EverySteps, 3))
        }
    ]

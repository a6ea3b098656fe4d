/// What the increments must do when a circuit is scaled, flipped or relabelled, and when its future changes.
module Rflo.Core.Tests.SymmetryTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.Networks

let private byFeedback = [ Rules.rflo; Rules.bpttByFeedback; Rules.rtrlByFeedback ]
let private any = Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd)

/// A network of the paper with inputs, without biases where asked for, and its task.
type private Sample = {
    Network: Network
    Inputs: float[][]
    Targets: float[][]
}

let private drawn withBias seed =
    let random = Random(seed: int)

    let units, channels, outputs =
        random.Next(1, 9), random.Next(1, 4), random.Next(1, 4)

    let steps = random.Next(2, 10)
    let gaussians n = Array.init n (fun _ -> gaussian random)

    let matrix n m =
        Array2D.init n m (fun _ _ -> gaussian random / sqrt (float m))

    {
        Network = {
            Alpha = Array.init units (fun _ -> 0.1 + 0.9 * random.NextDouble())
            Start = Array.map ((*) 0.3) (gaussians units)
            Recurrent = matrix units units
            Input = matrix units channels
            Bias = if withBias then gaussians units else [||]
            Readout = matrix outputs units
            Offset = if withBias then gaussians outputs else [||]
            Feedback = matrix units outputs
        }
        Inputs = Array.init steps (fun _ -> gaussians channels)
        Targets = Array.init steps (fun _ -> gaussians outputs)
    }

let private session (drawn: Sample) =
    let task = Given(drawn.Inputs, drawn.Targets, (fun _ -> drawn.Targets.Length))
    Session.Create(fst (Networks.graph (fun _ -> any) drawn.Network), task, 1L)

let private blocks (drawn: Sample) rule =
    (session drawn).Increments(0, rule, UpdateTime.TrialEnd)
    |> Seq.map nonNull
    |> Array.ofSeq

let private close tolerance what (a: float[][]) (b: float[][]) =
    Array.iteri2 (GradientTests.expectClose tolerance what) a b

let private linear factor (drawn: Sample) =
    let scaled = {
        drawn with
            Network = {
                drawn.Network with
                    Feedback = Array2D.map ((*) factor) drawn.Network.Feedback
            }
    }

    for rule in byFeedback do
        let before, after = blocks drawn rule, blocks scaled rule
        let expected = Array.map (Array.map ((*) factor)) before[..2]
        close 1e-12 $"{Rules.name rule}, B times {factor}" after[..2] expected
        Expect.isTrue (Array.forall2 sameBits before[3..] after[3..]) "the readout ignores B"

let private odd (drawn: Sample) =
    let minus = Array.map (fun (x: float) -> -x)

    let flipped = {
        Network = {
            drawn.Network with
                Start = minus drawn.Network.Start
        }
        Inputs = Array.map minus drawn.Inputs
        Targets = Array.map minus drawn.Targets
    }

    for rule in AllRules.every 3 drawn.Inputs.Length AllRules.rules do
        if AllRules.hasParity rule.Rule && not (AllRules.needsNoise rule.Rule) then
            let turned = if AllRules.isEven rule.Rule then id else minus
            let expected = blocks drawn rule.Rule

            // Readouts learn by the delta rule, whose factors both turn round.
            close
                1e-12
                $"{rule.Name}, flipped"
                (blocks flipped rule.Rule)
                (Array.append (Array.map turned expected[..1]) expected[2..])

    let outputs = ((session drawn).Replay 0).Outputs
    let others = ((session flipped).Replay 0).Outputs
    Numbers.isLessThanOrEqual (relative (minus outputs) others) 1e-13 "outputs flip"

/// Rows and columns of the projections, in their order.
let private relabelled (order: int[]) (drawn: Sample) =
    let net = drawn.Network
    let pick (xs: float[]) = Array.map (fun k -> xs[k]) order

    let rows (m: float[,]) =
        Array2D.mapi (fun i j _ -> m[order[i], j]) m

    let columns (m: float[,]) =
        Array2D.mapi (fun i j _ -> m[i, order[j]]) m

    {
        drawn with
            Network = {
                Alpha = pick net.Alpha
                Start = pick net.Start
                Recurrent = rows (columns net.Recurrent)
                Input = rows net.Input
                Bias = pick net.Bias
                Readout = columns net.Readout
                Offset = net.Offset
                Feedback = rows net.Feedback
            }
    },
    fun (blocks: float[][]) ->
        let units = order.Length

        let shaped width (b: float[]) =
            Array2D.init (b.Length / width) width (fun i j -> b[i * width + j])

        [|
            flat (rows (columns (shaped units blocks[0])))
            flat (rows (shaped (blocks[1].Length / units) blocks[1]))
            pick blocks[2]
            flat (columns (shaped units blocks[3]))
            blocks[4]
        |]

let private permuted (drawn: Sample) =
    let order = Array.rev [| 0 .. drawn.Network.Alpha.Length - 1 |]
    Random(order.Length).Shuffle order
    let other, relabel = relabelled order drawn

    // What draws numbers unit by unit draws others for other units.
    for rule in AllRules.every 3 drawn.Inputs.Length AllRules.rules do
        if
            not (
                AllRules.needsNoise rule.Rule
                || AllRules.draws rule.Rule
                || AllRules.namesUnit rule.Rule
            )
        then
            close
                1e-10
                $"{rule.Name}, relabelled"
                (blocks other rule.Rule)
                (relabel (blocks drawn rule.Rule))

    let loss, otherLoss =
        ((session drawn).Replay 0).Loss, ((session other).Replay 0).Loss

    Expect.floatClose Accuracy.veryHigh otherLoss loss "loss"

/// How far RFLO's increments of the recurrent weights are from what a symmetry that does not hold would have them be.
let private broken (tally: Tally) (a: float[][]) (b: float[][]) =
    tally.Count()

    if relative a[0] b[0] < 1e-3 then
        tally.Idle()

let private oddWithBias tally (drawn: Sample) =
    let minus = Array.map (fun (x: float) -> -x)

    let flipped = {
        Network = {
            drawn.Network with
                Start = minus drawn.Network.Start
        }
        Inputs = Array.map minus drawn.Inputs
        Targets = Array.map minus drawn.Targets
    }

    broken tally (blocks flipped Rules.rflo) (blocks drawn Rules.rflo)

let private permutedWithout tally (drawn: Sample) =
    let order = Array.rev [| 0 .. drawn.Network.Alpha.Length - 1 |]
    let other, relabel = relabelled order drawn

    let sameFeedback = {
        other with
            Network = {
                other.Network with
                    Feedback = drawn.Network.Feedback
            }
    }

    broken tally (blocks sameFeedback Rules.rflo) (relabel (blocks drawn Rules.rflo))

/// What takes the error back through the readout does not know B.
let private deafToFeedback (drawn: Sample) =
    let negated = {
        drawn with
            Network = {
                drawn.Network with
                    Feedback = Array2D.map (fun b -> -b) drawn.Network.Feedback
            }
    }

    for rule in [ Rules.local; Rules.bptt; Rules.rtrl ] do
        Expect.isTrue
            (Array.forall2 sameBits (blocks drawn rule) (blocks negated rule))
            (Rules.name rule)

// ---- causality ----------------------------------------------------------------------------------

/// What a rule has collected after each step of an online trial, every block of weights in one array.
let private stepwise rule case (change: int -> Trial -> unit) =
    let task: ITask = WhiteNoise case

    let network =
        Network<float>(InCore.graph case.Circuit, task.MaxSteps, task.Events, int64 case.Seed)

    task.Fill(0, RandomStream.OfTrial(int64 case.Seed, "task", 0L), network.Trial)
    change network.Trial.Steps network.Trial
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
                    if block.HasValue then
                        let struct (plastic, _) = block.Value
                        let store = nonNull plastic.Collected
                        yield! store.Dense.Span.ToArray()
                        yield! Array.concat store.Sparse
            |]
    |]

let private causal (tally: Tally) case =
    tally.Count()
    let half steps = (steps + 1) / 2

    let otherFuture steps (trial: Trial) =
        for t in half steps .. steps - 1 do
            for k in 0 .. trial.InputChannels - 1 do
                trial.Inputs[t * trial.InputChannels + k] <- 3.0

            for k in 0 .. trial.Outputs - 1 do
                trial.Targets[t * trial.Outputs + k] <- 0.25

    let mutable futureMatters = false

    for rule in
        AllRules.rules
        |> List.filter (fun rule -> AllRules.canBeOnline rule.Rule)
        |> AllRules.every 2 case.Seed do
        let ours = stepwise rule.Rule case (fun _ _ -> ())
        let others = stepwise rule.Rule case otherFuture
        let now = half ours.Length

        for t in 0 .. now - 1 do
            Expect.isTrue (sameBits ours[t] others[t]) $"{rule.Name}, step {t + 1}"

        if not (sameBits (Array.last ours) (Array.last others)) then
            futureMatters <- true

    if not futureMatters then
        tally.Idle()

let private silent case =
    let deaf = { case with Task.Masked = true }
    let task: ITask = WhiteNoise deaf

    let nothingAsked = {
        new ITask with
            member _.Inputs = task.Inputs
            member _.Outputs = task.Outputs
            member _.MaxSteps = task.MaxSteps
            member _.Events = task.Events

            member _.Fill(trial, stream, into) =
                task.Fill(trial, stream, into)
                into.Mask.AsSpan().Clear()
    }

    let session = Session.Create(InCore.graph deaf.Circuit, nothingAsked, 1L)

    for rule in AllRules.rules |> List.filter (fun rule -> AllRules.asksForError rule.Rule) do
        for block in session.Increments(0, rule.Rule, UpdateTime.TrialEnd) do
            match block with
            | null -> ()
            | block -> Expect.equal (norm block) 0.0 $"{rule.Name} learns from no error"

[<Tests>]
let tests =
    let seeds = Arb.fromGen (Gen.choose (1, 1000000))

    let many check withBias =
        forAll (cases 100 2000) seeds (drawn withBias >> check)

    testList "symmetry" [
        test "increments are linear in the feedback, and the readout's ignore it" {
            many (linear -1.0) true
            many (linear 2.5) true
        }

        test "of rules that do not use it they ignore it" { many deafToFeedback true }
        test "of odd networks, a flipped trial teaches the same" { many odd false }

        test "of networks with biases it does not" {
            let tally = Tally()
            many (oddWithBias tally) true
            tally.Demand 0.1
        }

        test "relabelled units learn relabelled weights" { many permuted true }

        test "unless the feedback keeps its labels" {
            let tally = Tally()
            many (permutedWithout tally) true
            // Networks of one unit have one label.
            tally.Demand 0.3
        }

        test "increments so far do not depend on the future" {
            let tally = Tally()
            forAll (cases 100 2000) RandomCircuits.anyCircuit (causal tally)
            tally.Demand 0.4
        }

        test "where nothing is asked nothing is learned" {
            forAll (cases 100 2000) RandomCircuits.anyCircuit silent
        }
    ]

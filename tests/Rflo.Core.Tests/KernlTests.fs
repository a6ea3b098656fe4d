/// KeRNL: its limit, its definition by a noisy copy of the network, and what it is good for.
module Rflo.Core.Tests.KernlTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.GradientTests
open Rflo.Core.Tests.Networks

let private kernl rate : LearningRule = KernlRule rate

// ---- its limit ----------------------------------------------------------------------------------

let private isRfloAtFirst case =
    let session = session case

    let blocks rule time = increments session case 0 rule time

    let ours, rflo =
        blocks (kernl 0.0) UpdateTime.Online, blocks Rules.local UpdateTime.Online

    for index, a, b in List.zip3 (plastic case) ours rflo do
        Expect.isTrue (sameBits a b) $"online, projection {index}"

    let ours, rflo =
        blocks (kernl 0.0) UpdateTime.TrialEnd, blocks Rules.local UpdateTime.TrialEnd

    for index, a, b in List.zip3 (plastic case) ours rflo do
        expectClose 1e-11 "at the end of a trial" index a b

// ---- its definition -----------------------------------------------------------------------------

let private random seed rows columns scale =
    let random = Random(seed: int)
    Array2D.init rows columns (fun _ _ -> scale * gaussian random)

/// The network of the paper, with white-noise inputs and targets.
let private network seed units gain alpha = {
    Alpha = Array.init units alpha
    Start = Array.create units 0.1
    Recurrent = random seed units units (gain / sqrt (float units))
    Input = random (seed + 1) units 2 1.0
    Bias = Array.init units (fun i -> 0.1 * cos (float i))
    Readout = random (seed + 2) 2 units (1.0 / sqrt (float units))
    Offset = [||]
    Feedback = random (seed + 3) units 2 1.0
}

/// Smooth inputs and targets, other ones in each trial.
type private Smooth(steps) =
    interface ITask with
        member _.Inputs = 2
        member _.Outputs = 2
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(_, stream, into) =
            into.Steps <- steps

            let waves count = [|
                for _ in 1..count ->
                    Array.init 4 (fun _ -> stream.Gaussian(), stream.Uniform(0.0, 6.3))
            |]

            let inputs, targets = waves 2, waves 2

            let value (wave: (float * float)[]) t =
                wave
                |> Seq.mapi (fun k (size, phase) ->
                    size * sin (float (k + 1) * 0.15 * float t + phase))
                |> Seq.sum

            for t in 0 .. steps - 1 do
                for k in 0..1 do
                    into.Inputs[2 * t + k] <- value inputs[k] t
                    into.Targets[2 * t + k] <- value targets[k] t

let private any = Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)

type private Recorded(numbers: float[][]) =
    inherit MixingSource<float>(1L, "recorded", MixingNoise.Gaussian)

    override _.Fill(step, into) =
        numbers[step - 1].AsSpan(0, into.Length).CopyTo into

let private plasticOf (area: AreaState<float>) =
    Plastic<float>(
        area.Afferents,
        area.Afferents.Segments,
        Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.Online),
        null,
        false
    )

/// A and kappa after a trial, by a copy of the network that is nudged by very small noise.
let private byNoisyCopy
    (net: Network)
    (inputs: float[] -> int -> float[])
    (nudges: float[][])
    rate
    steps
    =
    let units = net.Alpha.Length
    let size = 1e-6
    let all = [| 0 .. units - 1 |]
    let dot (f: int -> float) = all |> Array.sumBy f

    let step (shown: float[]) (h: float[]) =
        all
        |> Array.map (fun i ->
            let u =
                dot (fun j -> net.Recurrent[i, j] * h[j])
                + net.Input[i, 0] * shown[0]
                + net.Input[i, 1] * shown[1]
                + net.Bias[i]

            (1.0 - net.Alpha[i]) * h[i] + net.Alpha[i] * tanh u)

    let a = Array2D.init units units (fun k i -> if k = i then 1.0 else 0.0)
    let kappa = net.Alpha |> Array.map (fun alpha -> 1.0 - alpha)
    let omega, slope = Array.zeroCreate<float> units, Array.zeroCreate<float> units
    let mutable h, copy = net.Start, net.Start

    for t in 1..steps do
        h <- step (inputs [||] t) h

        copy <-
            step (inputs [||] t) copy
            |> Array.mapi (fun i one -> one + size * nudges[t - 1][i])

        for i in all do
            slope[i] <- kappa[i] * slope[i] + omega[i]
            omega[i] <- kappa[i] * omega[i] + nudges[t - 1][i]

        let delta =
            all
            |> Array.map (fun k -> dot (fun i -> a[k, i] * omega[i]) - (copy[k] - h[k]) / size)

        let pull = all |> Array.map (fun i -> slope[i] * dot (fun k -> a[k, i] * delta[k]))
        let leverage = dot (fun i -> slope[i] ** 2.0 * dot (fun k -> a[k, i] ** 2.0))
        let length = dot (fun i -> omega[i] ** 2.0)

        for k in all do
            for i in all do
                a[k, i] <- a[k, i] - rate / length * delta[k] * omega[i]

        for i in all do
            kappa[i] <- max 0.0 (min 1.0 (kappa[i] - rate / (length + leverage) * pull[i]))

    a, kappa

let private isItsDefinition (tally: Tally) seed =
    let drawn = Random(seed: int)
    let units, steps = drawn.Next(2, 7), drawn.Next(6, 14)
    let rate = 0.1 + 0.9 * drawn.NextDouble()
    // Units without a memory and units with a long one begin where kappa is held.
    let alpha _ =
        [| 1.0; 0.01; 0.1 + 0.8 * drawn.NextDouble() |][drawn.Next 3]

    let net = network seed units 1.2 alpha
    let graph = fst (Networks.graph (fun _ -> any) net)
    let task: ITask = Smooth steps
    let core = Rflo.Core.Network<float>(graph, steps, 0, 1L)
    let area = core.Areas[0]
    let source = Random(seed + 4)
    let nudges = Array.init steps (fun _ -> Array.init units (fun _ -> gaussian source))

    let learner =
        Kernl<float>(
            core,
            KernlRule rate,
            Recorded nudges,
            [| struct (area, plasticOf area) |],
            core.Operators
        )

    task.Fill(0, RandomStream(1L, "task"), core.Trial)
    core.Begin(0L, 0)
    learner.Begin(0, steps)

    for t in 1..steps do
        core.Step t
        learner.ObserveStep t
        learner.ApplyStep t

    let shown _ t =
        core.Trial.Inputs[2 * (t - 1) .. 2 * t - 1]

    let a, kappa = byNoisyCopy net shown nudges rate steps

    let ours = [|
        for k in 0 .. units - 1 do
            yield!
                (nonNull (learner.Sensitivity.Sensitivity(0, 0)))
                    .Row(k, area.Padded)
                    .Slice(0, units)
                    .ToArray()
    |]

    Numbers.isLessThan (relative ours (flat a)) 1e-5 "A"

    Numbers.isLessThan
        (relative (learner.Sensitivity.Memory(0).Slice(0, units).ToArray()) kappa)
        1e-5
        "kappa"

    let unlearned =
        Array.init (units * units) (fun n -> if n % (units + 1) = 0 then 1.0 else 0.0)

    Numbers.isGreaterThan (relative ours unlearned) 1e-3 "it has learned something"
    tally.Count()

    if not (Array.exists (fun one -> one = 0.0 || one = 1.0) kappa) then
        tally.Idle()

// ---- what it is good for ------------------------------------------------------------------------

let private cosine (a: float[]) (b: float[]) =
    Array.sum (Array.map2 (*) a b) / (norm a * norm b)

/// Mean cosine with RTRL of what KeRNL asks for, once it has learned for some trials at fixed weights, and of RFLO.
let private cosines graph rate practice =
    let steps = 60
    let task: ITask = Smooth steps
    let network = Rflo.Core.Network<float>(graph, steps, 0, 1L)

    let watcher (rule: LearningRule) =
        let mutable collected = Array.zeroCreate 0
        let learners = Learners.Passive(network, rule, UpdateTime.Online, &collected)
        learners, collected

    let watchers = [
        watcher (kernl rate)
        watcher Rules.local
        watcher Rules.rtrl
    ]

    let trial number = [
        task.Fill(number, RandomStream.OfTrial(1L, "task", int64 number), network.Trial)
        network.Begin(int64 number, 0)
        let active = if number < practice then [ watchers[0] ] else watchers

        for learners, _ in active do
            learners.Begin(number, steps)

        for t in 1..steps do
            network.Step t

            for learners, _ in active do
                learners.Step t

        for learners, collected in active do
            learners.End steps

            [|
                for block in collected do
                    if block.HasValue then
                        let struct (plastic, segment) = block.Value

                        if not segment.Spec.Target.IsReadout then
                            let post =
                                network.Graph.ShapeOf(ProjectionId segment.Projection).ToTuple()
                                |> fst

                            yield! plastic.Afferents.Read(segment, nonNull plastic.Collected, post)
            |]

            for block in collected do
                if block.HasValue then
                    let struct (plastic, _) = block.Value
                    (nonNull plastic.Collected).Clear()
    ]

    for number in 0 .. practice - 1 do
        trial number |> ignore

    let measured = [
        for number in practice .. practice + 9 do
            match trial number with
            | [ ours; rflo; exact ] -> cosine ours exact, cosine rflo exact
            | _ -> failtest "three rules watch"
    ]

    List.averageBy fst measured, List.averageBy snd measured

/// Two areas of the network, each with its own readout and both with each other.
let private twoAreas seed =
    let net = network seed 16 1.5 (fun i -> if i < 8 then 0.3 else 0.15)
    let builder = GraphBuilder()

    let areas = [
        for k in 0..1 ->
            builder.AddArea(
                AreaSpec(
                    Name = $"area {k}",
                    Units = 8,
                    Alpha = net.Alpha[8 * k .. 8 * k + 7],
                    InitialRates = net.Start[8 * k .. 8 * k + 7]
                )
            )
    ]

    let input = builder.AddInput(InputSpec("input", 2))
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = 2))

    let add name source target weights =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense(flat weights),
            Plasticity = any
        )
        |> builder.AddProjection
        |> ignore

    for i in 0..1 do
        for j in 0..1 do
            add
                $"{j}->{i}"
                (Source.Area(areas[j], 1 + abs (i - j)))
                (Target.Area areas[i])
                net.Recurrent[8 * i .. 8 * i + 7, 8 * j .. 8 * j + 7]

    add "input" (Source.Input input) (Target.Area areas[0]) net.Input[0..7, *]

    for k in 0..1 do
        add
            $"readout {k}"
            (Source.Area areas[k])
            (Target.Readout readout)
            net.Readout[*, 8 * k .. 8 * k + 7]

    builder.Build()

[<Tests>]
let tests =
    testList "KeRNL" [
        test "that has learned nothing is the symmetric local rule, bit for bit" {
            forAll (cases 100 2000) RandomCircuits.anyCircuit isRfloAtFirst
        }

        test
            "learns what a noisy copy of the network would teach it, and its memory stays in [0, 1]" {
            let tally = Tally()
            forAll (cases 60 2000) (Arb.fromGen (Gen.choose (1, 1_000_000))) (isItsDefinition tally)
            tally.Demand 0.7
        }

        for seed in [ 10; 20; 30; 40 ] do
            test $"comes nearer to RTRL than RFLO does, network {seed}" {
                let graph = fst (Networks.graph (fun _ -> any) (network seed 16 1.5 (fun _ -> 0.3)))
                let ours, rflo = cosines graph 0.02 200
                Numbers.isGreaterThan ours (rflo + 0.01) "cosine with RTRL"
            }

            test $"comes nearer to RTRL than RFLO does, two areas {seed}" {
                let ours, rflo = cosines (twoAreas seed) 0.02 200
                Numbers.isGreaterThan ours (rflo + 0.01) "cosine with RTRL"
            }
    ]

/// Local rules of every combination of parts against their definition: explicit traces, explicit sums.
module Rflo.Core.Tests.AlgebraTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Networks
open Rflo.Core.Tests.NoisyNetwork

// ---- the definition ---------------------------------------------------------------------------------

let private cube = Func<float, float>(fun x -> x * x * x)
let private bounded = Func<float, float>(fun x -> tanh x)

/// Minus its running mean, then through the map; the mean moves after it was subtracted.
let private shaper (shaping: Shaping) length =
    let mean = Array.zeroCreate<float> length

    fun (values: float[]) ->
        let centred =
            if shaping.MeanAlpha > 0.0 then
                let differences = Array.map2 (-) values mean

                for k in 0 .. length - 1 do
                    mean[k] <- mean[k] + shaping.MeanAlpha * differences[k]

                differences
            else
                values

        match shaping.Map with
        | null -> centred
        | map -> centred |> Array.map map.Invoke

/// Everything that a step leaves behind, read off the network.
type private Seen = {
    Slope: float[]
    Rate: float[]
    Current: float[]
    Noise: float[]
    Signals: float[]
    Told: float[]
    Output: float[]
    Loss: float
}

let private first (row: Span<float>) = row.Slice(0, units).ToArray()

let private watch (rule: ThreeFactorRule) graph task =
    let network = Network<float>(graph, steps, 0, 5L)
    let area = network.Areas[0]
    area.KeepCurrents()
    area.KeepNoises()
    let signal = LearningSignal<float>(network, area, rule.Path)

    fun (trial: int) ->
        (task: ITask).Fill(trial, RandomStream(5L, "task"), network.Trial)
        network.Begin(int64 trial, 0)

        [|
            for t in 1..steps do
                network.Step t
                let told = Array.zeroCreate<float> area.Padded
                signal.Write(t, told.AsSpan())

                {
                    Slope = first (area.Post t)
                    Rate = first (area.Rates t)
                    Current = first (area.Currents t)
                    Noise = first (area.Noises t)
                    Signals = area.Afferents.Signals(t).ToArray()
                    Told = told[.. units - 1]
                    Output = network.Readouts[0].Output(t).Slice(0, outputs).ToArray()
                    Loss = network.StepLoss t
                }
        |],
        network.LossSum / float steps,
        Array.copy network.Trial.Rewards,
        area

/// The rates with which every trial begins, and what the readout makes of them.
let private start (graph: Graph) =
    let rates = graph.Areas[0].InitialRates
    let weights = (graph.Projections[3].Synapses :?> DenseSynapses).Weights

    rates,
    Array.init outputs (fun k ->
        Seq.sum [
            for j in 0 .. units - 1 -> weights[k * units + j] * rates[j]
        ])

/// A signal of the circuit as a modulator, in step k + 1.
let private modulator (source: Neuromodulator) graph (seen: Seen[]) (rewards: float[]) k =
    let rates, answer = start graph

    let rate t =
        if t < 1 then rates else seen[t - 1].Rate

    let output t =
        if t < 1 then answer else seen[t - 1].Output

    let step = k + 1

    match source with
    | :? ReadoutModulator as value -> [| output(step)[value.Output] |]
    | :? TemporalDifferenceModulator as error ->
        let next =
            if step = steps then
                0.0
            else
                error.Gamma * output(step)[error.Output]

        [| rewards[k] + next - output(step - 1)[error.Output] |]
    | :? AreaModulator as area ->
        match area.Weights with
        | null -> [| rate(step - area.Delay)[area.Unit] |]
        | weights ->
            let rate = rate (step - area.Delay)

            Array.init units (fun i ->
                Seq.sum [
                    for j in 0 .. units - 1 -> weights[i * units + j] * rate[j]
                ])
    | other -> failwith $"no definition of {other}"

/// The increments of trials 0 and 1, whose running means are those that trial 0 has left: dW times T.
let private byDefinition (rule: ThreeFactorRule) graph task =
    let run = watch rule graph task
    let _, _, _, area = run 0
    let width = area.Afferents.Stride
    let post, pre = shaper rule.PostShaping units, shaper rule.PreShaping width
    let isError = rule.Third = ThirdFactor.Error

    let isOfUnits =
        isError
        || rule.Third = ThirdFactor.RewardError
        || (match rule.Source with
            | :? AreaModulator as area -> not (isNull area.Weights)
            | _ -> false)

    let third = shaper rule.ThirdShaping (if isOfUnits then units else 1)

    let weights i j =
        area.Afferents.Weights.Dense.Row(i, area.Afferents.DenseStride)[j]

    [
        for trial in 0..1 do
            let seen, loss, rewards, _ = run trial
            let filtered = Array.zeroCreate<float> width

            let factors = [|
                for k, step in Array.indexed seen do
                    let signal =
                        match rule.Post with
                        | PostSignal.Rate -> step.Rate
                        | PostSignal.Current -> step.Current
                        | PostSignal.Noise -> step.Noise
                        | _ -> step.Slope

                    for j in 0 .. width - 1 do
                        filtered[j] <- filtered[j] + rule.PreAlpha * (step.Signals[j] - filtered[j])

                    let told =
                        match rule.Third with
                        | ThirdFactor.Error -> third step.Told
                        | ThirdFactor.StepReward ->
                            Array.replicate units (Array.head (third [| -step.Loss |]))
                        | ThirdFactor.TaskReward ->
                            Array.replicate units (Array.head (third [| rewards[k] |]))
                        | ThirdFactor.RewardError ->
                            third (Array.map (fun u -> rewards[k] - u) step.Current)
                        | ThirdFactor.Constant ->
                            Array.replicate units (Array.head (third [| 1.0 |]))
                        | ThirdFactor.Signal ->
                            let signal =
                                third (modulator (nonNull rule.Source) graph seen rewards k)

                            if isOfUnits then
                                signal
                            else
                                Array.replicate units signal[0]
                        | _ -> Array.zeroCreate units

                    step, post signal, pre (Array.copy filtered), told
            |]

            let trialReward =
                if rule.Third = ThirdFactor.TrialReward then
                    Array.head (third [| -loss |])
                else
                    0.0

            let trace = Array2D.zeroCreate<float> units width
            let sum = Array2D.zeroCreate<float> units width

            for step, post, pre, told in factors do
                for i in 0 .. units - 1 do
                    let decay =
                        match rule.Memory with
                        | TraceMemory.AsUnit -> 1.0 - 0.15 * float (i + 1)
                        | TraceMemory.Given -> 1.0 - rule.MemoryAlpha
                        | TraceMemory.WholeTrial -> 1.0
                        | TraceMemory.OwnJacobian ->
                            1.0 - 0.15 * float (i + 1) + step.Slope[i] * weights i i
                        | _ -> 0.0

                    let modulator = if rule.NeedsWholeTrial then trialReward else told[i]

                    for j in 0 .. width - 1 do
                        trace[i, j] <- decay * trace[i, j] + post[i] * pre[j]
                        let forgotten = if rule.Oja then post[i] * post[i] * weights i j else 0.0
                        sum[i, j] <- sum[i, j] + modulator * (trace[i, j] - forgotten)

            sum
    ]

/// The same by the core, in one of its two forms.
let private byCore (rule: ThreeFactorRule) graph (task: ITask) time =
    let network = Network<float>(graph, steps, 0, 5L)
    let area = network.Areas[0]

    let plastic =
        Plastic<float>(
            area.Afferents,
            area.Afferents.Segments,
            Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule(time)),
            null,
            false
        )

    let learner: Learner<float> =
        if time = UpdateTime.Online then
            ThreeFactorOnline<float>(network, area, plastic, rule, false, false)
        else
            ThreeFactorTrialEnd<float>(network, area, plastic, rule)

    [
        for trial in 0..1 do
            task.Fill(trial, RandomStream(5L, "task"), network.Trial)
            network.Begin(int64 trial, 0)
            learner.Begin(trial, steps)

            for t in 1..steps do
                network.Step t
                learner.ObserveStep t
                learner.ApplyStep t

            learner.ObserveTrial steps
            learner.ApplyTrial steps
            let store = nonNull plastic.Collected

            Array2D.init units area.Afferents.DenseStride (fun i j ->
                float steps * store.Dense.Row(i, area.Afferents.DenseStride)[j])

            store.Clear()
    ]

let private sources: Gen<Neuromodulator | null> =
    gen {
        let! gamma = Gen.elements [ 0.0; 0.6; 1.0 ]
        let! output = Gen.choose (0, outputs - 1)
        let! unit = Gen.choose (0, units - 1)
        let! delay = Gen.choose (1, 3)
        let weights = Array.init (units * units) (fun k -> sin (float (k * k + delay)))

        return!
            Gen.elements [
                ReadoutModulator(ReadoutId 0, output) :> Neuromodulator
                TemporalDifferenceModulator(ReadoutId 0, gamma, output)
                TemporalDifferenceModulator(ReadoutId 0, gamma, output)
                AreaModulator(AreaId 0, unit, delay)
                AreaModulator(AreaId 0, weights, delay)
            ]
    }

let private rules =
    let shaping =
        Gen.elements [
            Shaping.Plain
            Shaping(0.3)
            Shaping(0.0, cube)
            Shaping(0.2, bounded)
        ]

    gen {
        let! memory = Gen.elements (Enum.GetValues<TraceMemory>() |> List.ofArray)
        let! post = Gen.elements (Enum.GetValues<PostSignal>() |> List.ofArray)

        let! third =
            Gen.frequency [
                2, Gen.elements (Enum.GetValues<ThirdFactor>() |> List.ofArray)
                1, Gen.constant ThirdFactor.Signal
            ]

        let! path = Gen.elements [ ErrorPath.Feedback; ErrorPath.Symmetric ]
        let! source = sources
        let! postShaping = shaping
        let! preShaping = shaping
        let! thirdShaping = shaping
        let! preAlpha = Gen.elements [ 1.0; 0.4 ]
        let! oja = Gen.frequency [ 3, Gen.constant false; 1, Gen.constant true ]

        return
            ThreeFactorRule(
                path,
                Memory = memory,
                MemoryAlpha = 0.35,
                Post = post,
                PostShaping = postShaping,
                PreAlpha = preAlpha,
                PreShaping = preShaping,
                Third = third,
                Source = (if third = ThirdFactor.Signal then source else null),
                ThirdShaping = thirdShaping,
                Oja = oja
            )
    }
    |> Arb.fromGen

let private live (sums: float[,] list) =
    sums |> List.sumBy (Seq.cast<float> >> norm) > 1e-9

[<Tests>]
let tests =
    testList "the algebra of local rules" [
        test "every combination is its definition, at the end of a trial" {
            let tally = Tally()

            forAll (cases 300 5000) rules (fun rule ->
                tally.Count()
                let graph, task = noisy 1 anyRate, Rewarding 2
                let expected = byDefinition rule graph task
                let ours = byCore rule graph task UpdateTime.TrialEnd

                if not (live expected) then
                    tally.Idle()

                for trial, (a, b) in List.indexed (List.zip ours expected) do
                    let a, b = flat a, flat b

                    Numbers.isLessThan
                        (norm (Array.map2 (-) a b))
                        (1e-11 * (1.0 + norm b))
                        $"{rule}, trial {trial}")

            tally.Demand 0.1
        }

        test "every combination is its definition, online" {
            forAll (cases 300 5000) rules (fun rule ->
                if not rule.NeedsWholeTrial then
                    let graph, task = noisy 1 anyRate, Rewarding 2
                    let expected = byDefinition rule graph task
                    let ours = byCore rule graph task UpdateTime.Online

                    for trial, (a, b) in List.indexed (List.zip ours expected) do
                        let a, b = flat a, flat b

                        Numbers.isLessThan
                            (norm (Array.map2 (-) a b))
                            (1e-11 * (1.0 + norm b))
                            $"{rule}, trial {trial}")
        }
    ]

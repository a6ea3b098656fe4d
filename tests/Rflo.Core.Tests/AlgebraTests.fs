/// Local rules of every combination of parts against their definition: explicit traces, explicit sums; and what
/// theory says of some of them.
module Rflo.Core.Tests.AlgebraTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Networks

let private anyRate =
    Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)

// ---- a small noisy network that anybody can learn on ------------------------------------------------

let private draw (random: Random) rows columns =
    Array2D.init rows columns (fun _ _ -> random.NextDouble() * 2.0 - 1.0)

let private units, channels, outputs, steps = 5, 2, 2, 9

/// A task of white noise that also gives rewards.
type private Rewarding(seed: int) =
    interface ITask with
        member _.Inputs = channels
        member _.Outputs = outputs
        member _.MaxSteps = steps
        member _.Events = 0

        member _.Fill(trial, _, into) =
            let random = Random(seed + trial)
            into.Steps <- steps

            for k in 0 .. into.Inputs.Length - 1 do
                into.Inputs[k] <- random.NextDouble() * 2.0 - 1.0

            for k in 0 .. into.Targets.Length - 1 do
                into.Targets[k] <- random.NextDouble() * 2.0 - 1.0

            for k in 0 .. steps - 1 do
                into.Rewards[k] <- if random.Next 3 = 0 then random.NextDouble() else 0.0

let private noisy seed (plasticity: Plasticity) =
    let random = Random(seed: int)
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "area",
                Units = units,
                Alpha = Array.init units (fun i -> 0.15 * float (i + 1)),
                InitialRates = Array.init units (fun i -> 0.1 * float i - 0.2),
                Noise = 0.3
            )
        )

    let input = builder.AddInput(InputSpec("input", channels))
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = outputs))

    let add name source target (weights: float[,]) =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = Synapses.Dense(flat weights),
            Plasticity = plasticity
        )
        |> builder.AddProjection
        |> ignore

    add "recurrent" (Source.Area area) (Target.Area area) (draw random units units)
    add "input" (Source.Input input) (Target.Area area) (draw random units channels)
    add "bias" Source.One (Target.Area area) (draw random units 1)
    add "readout" (Source.Area area) (Target.Readout readout) (draw random outputs units)

    builder.AddFeedback(
        FeedbackSpec(Readout = readout, Area = area, Matrix = flat (draw random units outputs))
    )

    builder.Build()

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
                signal.Tell(t, told.AsSpan())

                {
                    Slope = first (area.Post t)
                    Rate = first (area.Rates t)
                    Current = first (area.Currents t)
                    Noise = first (area.Noises t)
                    Signals = area.Afferents.Signals(t).ToArray()
                    Told = told[.. units - 1]
                    Loss = network.StepLoss t
                }
        |],
        network.LossSum / float steps,
        Array.copy network.Trial.Rewards,
        area

/// The increments of trials 0 and 1, whose running means are those that trial 0 has left: dW times T.
let private byDefinition (rule: ThreeFactorRule) graph task =
    let run = watch rule graph task
    let _, _, _, area = run 0
    let width = area.Afferents.Stride
    let post, pre = shaper rule.PostShaping units, shaper rule.PreShaping width
    let isError = rule.Third = ThirdFactor.Error
    let third = shaper rule.ThirdShaping (if isError then units else 1)

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
                        | ThirdFactor.Constant ->
                            Array.replicate units (Array.head (third [| 1.0 |]))
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
            UpdateSchedule(time),
            Optimiser.Plain,
            RateSchedule.Constant,
            false
        )

    let learner: Learner<float> =
        if time = UpdateTime.Online then
            ThreeFactorOnline<float>(network, area, plastic, rule)
        else
            ThreeFactorTrialEnd<float>(network, area, plastic, rule)

    [
        for trial in 0..1 do
            task.Fill(trial, RandomStream(5L, "task"), network.Trial)
            network.Begin(int64 trial, 0)
            learner.Begin(trial, steps)

            for t in 1..steps do
                network.Step t
                learner.Tell t
                learner.Learn t

            learner.Conclude steps
            learner.End steps
            let store = nonNull plastic.Collected

            Array2D.init units area.Afferents.DenseStride (fun i j ->
                float steps * store.Dense.Row(i, area.Afferents.DenseStride)[j])

            store.Clear()
    ]

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
        let! third = Gen.elements (Enum.GetValues<ThirdFactor>() |> List.ofArray)
        let! path = Gen.elements [ ErrorPath.Feedback; ErrorPath.Symmetric ]
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
                ThirdShaping = thirdShaping,
                Oja = oja
            )
    }
    |> Arb.fromGen

let private live (sums: float[,] list) =
    sums |> List.sumBy (Seq.cast<float> >> norm) > 1e-9

// ---- optimisers -------------------------------------------------------------------------------------

/// Weights after some trials of RFLO with an optimiser, and what the rule asked for in each of them.
let private trained optimiser rates schedule trials =
    let plasticity =
        Plasticity(ThreeFactorRule.Rflo(), 0.1, schedule, Optimiser = optimiser, Rates = rates)

    let graph = noisy 3 plasticity
    let session = Session.Create(graph, Rewarding 9, 5L)

    [
        for _ in 1..trials do
            let asked =
                nonNull (
                    session.Increments(
                        session.TrialsDone,
                        ThreeFactorRule.Rflo(),
                        UpdateTime.TrialEnd
                    )[0]
                )

            let before = session.Weights(ProjectionId 0)
            session.Run 1 |> ignore
            before, asked, session.Weights(ProjectionId 0)
    ]

let private follows name optimiser rates (step: int -> float[] -> float[]) =
    for k, (before, asked, after) in
        List.indexed (trained optimiser rates UpdateSchedule.TrialEnd 6) do
        let expected = Array.map2 (+) before (step k asked)
        Expect.isLessThan (relative after expected) 1e-13 $"{name}, trial {k}"

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

                    Expect.isLessThan
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

                        Expect.isLessThan
                            (norm (Array.map2 (-) a b))
                            (1e-11 * (1.0 + norm b))
                            $"{rule}, trial {trial}")
        }

        test "SnAp-1 is RTRL where units speak only to themselves, and RFLO is not" {
            let random = Random 4

            let diagonal =
                Array2D.init 4 4 (fun i j -> if i = j then random.NextDouble() - 0.3 else 0.0)

            let network = {
                Alpha = [| 0.2; 0.4; 0.6; 0.9 |]
                Start = [| 0.1; 0.2; -0.3; 0.4 |]
                Recurrent = diagonal
                Input = draw random 4 2
                Bias = [| 0.1; -0.1; 0.2; 0.0 |]
                Readout = draw random 2 4
                Offset = [| 0.0; 0.1 |]
                Feedback = draw random 4 2
            }

            let rows width =
                Array.init 12 (fun _ -> Array.init width (fun _ -> random.NextDouble() * 2.0 - 1.0))

            let task = Given(rows 2, rows 2, (fun _ -> 12))

            let plasticity _ =
                Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)

            let graph, _ = graph plasticity network

            // Weights that are zero get increments too; only the diagonal, the inputs and the biases are the network's.
            let own (blocks: System.Collections.Generic.IReadOnlyList<float[] | null>) =
                Array.concat [
                    [| for i in 0..3 -> (nonNull blocks[0])[i * 4 + i] |]
                    nonNull blocks[1]
                    nonNull blocks[2]
                ]

            let increments (rule: LearningRule) =
                own (Session.Create(graph, task, 1L).Increments(0, rule, UpdateTime.TrialEnd))

            let exact = increments (RtrlRule())

            let snap =
                increments (ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.OwnJacobian))

            Expect.isLessThan (relative snap exact) 1e-12 "SnAp-1"

            Expect.isGreaterThan
                (relative (increments (ThreeFactorRule.Rflo ErrorPath.Symmetric)) exact)
                1e-3
                "RFLO"
        }

        test "Oja's rule finds the first principal component" {
            // One linear unit listens to three channels whose strongest direction is known.
            let axis = [| 2.0 / 3.0; -1.0 / 3.0; 2.0 / 3.0 |]
            let builder = GraphBuilder()

            let area =
                builder.AddArea(
                    AreaSpec(
                        Name = "unit",
                        Units = 1,
                        Alpha = [| 1.0 |],
                        InitialRates = [| 0.0 |],
                        Transfer = Transfer.Identity
                    )
                )

            let input = builder.AddInput(InputSpec("input", 3))

            let rule =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Memory = TraceMemory.None,
                    Post = PostSignal.Rate,
                    Third = ThirdFactor.Constant,
                    Oja = true
                )

            let weights =
                ProjectionSpec(
                    Name = "weights",
                    Source = Source.Input input,
                    Target = Target.Area area,
                    Synapses = Synapses.Dense [| 0.3; 0.2; 0.1 |],
                    Plasticity = Plasticity(rule, 0.5, UpdateSchedule.TrialEnd)
                )
                |> builder.AddProjection

            let task = {
                new ITask with
                    member _.Inputs = 3
                    member _.Outputs = 0
                    member _.MaxSteps = 50
                    member _.Events = 0

                    member _.Fill(_, stream, into) =
                        for t in 0..49 do
                            let along = stream.Gaussian()

                            for k in 0..2 do
                                into.Inputs[t * 3 + k] <- along * axis[k] + 0.2 * stream.Gaussian()
            }

            let session = Session.Create(builder.Build(), task, 3L)
            session.Run 400 |> ignore
            let found = session.Weights weights
            let along = abs (Array.sum (Array.map2 (*) found axis))
            Expect.isGreaterThan along 0.97 "it lies along the axis"
            Expect.isLessThan (abs (norm found - 1.0)) 0.1 "its length is 1"
        }

        test "node perturbation goes, on average, where the gradient goes" {
            let rule =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Memory = TraceMemory.None,
                    Post = PostSignal.Noise,
                    Third = ThirdFactor.TrialReward,
                    ThirdShaping = Shaping(0.05)
                )

            let plasticity = Plasticity(rule, 0.0, UpdateSchedule.TrialEnd)
            let graph = noisy 1 plasticity

            // One trial over and over, with new noise each time: the task does not listen to the trial's number.
            let task =
                let inner: ITask = Rewarding 2

                {
                    new ITask with
                        member _.Inputs = inner.Inputs
                        member _.Outputs = inner.Outputs
                        member _.MaxSteps = inner.MaxSteps
                        member _.Events = 0
                        member _.Fill(_, stream, into) = inner.Fill(0, stream, into)
                }

            let network = Network<float>(graph, steps, 0, 5L)
            let area = network.Areas[0]

            let collect (make: Plastic<float> -> Learner<float>) trials =
                let plastic =
                    Plastic<float>(
                        area.Afferents,
                        area.Afferents.Segments,
                        UpdateSchedule.TrialEnd,
                        Optimiser.Plain,
                        RateSchedule.Constant,
                        false
                    )

                let learner = make plastic

                for trial in 0 .. trials - 1 do
                    task.Fill(trial, RandomStream(5L, "task"), network.Trial)
                    network.Begin(int64 trial, 0)
                    learner.Begin(trial, steps)

                    for t in 1..steps do
                        network.Step t
                        learner.Tell t
                        learner.Learn t

                    learner.Conclude steps
                    learner.End steps

                (nonNull plastic.Collected).Dense.Span.ToArray()

            let exact =
                collect
                    (fun plastic ->
                        Bptt<float>(
                            network,
                            ErrorPath.Symmetric,
                            [| struct (area, plastic) |],
                            [||]
                        ))
                    4000

            let perturbed =
                collect
                    (fun plastic -> ThreeFactorTrialEnd<float>(network, area, plastic, rule))
                    4000

            let cosine =
                Array.sum (Array.map2 (*) exact perturbed) / (norm exact * norm perturbed)

            Expect.isGreaterThan cosine 0.6 "cosine of the mean update and the mean gradient"
        }

        test "the plain optimiser, with rates that fall" {
            follows "plain" Optimiser.Plain (RateSchedule(RateDecay.Halving, 2.0)) (fun k asked ->
                asked |> Array.map (fun g -> 0.1 * 0.5 ** (float k / 2.0) * g))

            follows
                "plain"
                Optimiser.Plain
                (RateSchedule(RateDecay.Hyperbolic, 3.0))
                (fun k asked -> asked |> Array.map (fun g -> 0.1 / (1.0 + float k / 3.0) * g))
        }

        test "momentum" {
            let mutable velocity = Array.zeroCreate (units * units)

            follows
                "momentum"
                (Optimiser(OptimiserKind.Momentum, 0.8))
                RateSchedule.Constant
                (fun _ asked ->
                    velocity <- Array.map2 (fun v g -> 0.8 * v + g) velocity asked
                    velocity |> Array.map ((*) 0.1))
        }

        test "Adam" {
            let mutable mean, square =
                Array.zeroCreate (units * units), Array.zeroCreate (units * units)

            follows
                "Adam"
                (Optimiser(OptimiserKind.Adam, 0.9, 0.99, 1e-6))
                RateSchedule.Constant
                (fun k asked ->
                    mean <- Array.map2 (fun m g -> 0.9 * m + 0.1 * g) mean asked
                    square <- Array.map2 (fun v g -> 0.99 * v + 0.01 * g * g) square asked
                    let t = float (k + 1)

                    Array.map2
                        (fun m v ->
                            0.1 * (m / (1.0 - 0.9 ** t)) / (sqrt (v / (1.0 - 0.99 ** t)) + 1e-6))
                        mean
                        square)
        }

        test "updates are clipped to their norm, and small ones are not touched" {
            let step limit asked =
                let size: float = norm asked

                asked
                |> Array.map (fun g -> 0.1 * g * (if size > limit then limit / size else 1.0))

            follows "small limit" (Optimiser(ClipNorm = 1e-3)) RateSchedule.Constant (fun _ ->
                step 1e-3)

            follows "large limit" (Optimiser(ClipNorm = 1e3)) RateSchedule.Constant (fun _ ->
                step 1e3)
        }

        test "every k steps is online for k = 1, and tends to it as the rate falls" {
            let after schedule rate =
                let graph = noisy 3 (Plasticity(ThreeFactorRule.Rflo(), rate, schedule))
                let session = Session.Create(graph, Rewarding 9, 5L)
                session.Run 2 |> ignore
                session.Weights(ProjectionId 0)

            let every k =
                UpdateSchedule(UpdateTime.EverySteps, k)

            Expect.isLessThan
                (relative (after (every 1) 0.1) (after UpdateSchedule.Online 0.1))
                1e-13
                "k = 1"

            let apart rate =
                norm (Array.map2 (-) (after (every 3) rate) (after UpdateSchedule.Online rate))
                / rate

            Expect.isGreaterThan (apart 0.1) 1e-6 "k = 3 is something else"
            let ratio = apart 0.005 / apart 0.01
            Expect.isLessThan (abs (ratio - 0.5)) 0.1 "half the rate, half the difference"
        }
    ]

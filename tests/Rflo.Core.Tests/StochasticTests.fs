/// The random approximations of RTRL: a public implementation with its recorded noise, golden sums, and exact means
/// by going through all signs.
module Rflo.Core.Tests.StochasticTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Networks
open Rflo.Core.Tests.ReferenceDataTests

/// Numbers that are known beforehand, one row a step.
type private Recorded(rows: int -> float[]) =
    inherit MixingSource<float>(1L, "recorded", MixingNoise.Rademacher)

    override _.Fill(step, numbers) =
        (rows step).AsSpan(0, numbers.Length).CopyTo numbers

/// A learner on the one area of a network, with what it collects.
type private Watched = {
    Network: Network<float>
    Learner: Learner<float>
    Plastic: Plastic<float>
}

let private watch graph (task: ITask) factors noise =
    let network = Network<float>(graph, task.MaxSteps, 0, 1L)
    let area = network.Areas[0]

    let plastic =
        Plastic<float>(
            area.Afferents,
            area.Afferents.Segments,
            Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.Online),
            null,
            false
        )

    let areas = [| struct (area, plastic) |]
    let source = Recorded noise

    let learner: Learner<float> =
        match factors with
        | InfluenceFactors.RankOne -> Uoro<float>(network, ErrorPath.Symmetric, source, areas)
        | InfluenceFactors.Kronecker ->
            KroneckerInfluence<float>(network, ErrorPath.Symmetric, source, areas)
        | _ -> ReverseKroneckerInfluence<float>(network, ErrorPath.Symmetric, source, areas)

    task.Fill(0, RandomStream(1L, "task"), network.Trial)
    network.Begin(0L, 0)
    learner.Begin(0, network.Trial.Steps)

    {
        Network = network
        Learner = learner
        Plastic = plastic
    }

/// What has been collected, without the 1/T: rows of units, the signals of all projections side by side.
let private collected watched =
    let afferents = watched.Plastic.Afferents
    let store = nonNull watched.Plastic.Collected
    let steps = float watched.Network.Trial.Steps

    [|
        for unit in 0 .. afferents.Rows - 1 ->
            [|
                for segment in afferents.Segments do
                    for k in 0 .. segment.Width - 1 ->
                        steps * store.Dense.Row(unit, afferents.DenseStride)[segment.Offset + k]
            |]
    |]

/// The step's own increments: minus the gradient of its loss.
let private step watched t =
    (nonNull watched.Plastic.Collected).Clear()
    watched.Network.Step t
    watched.Learner.ObserveStep t
    watched.Learner.ApplyStep t
    collected watched

/// Writes a vector over [W | W_in | b] into a wide row.
let private spread watched (values: float[]) (row: Span<float>) =
    let mutable from = 0

    for segment in watched.Plastic.Afferents.Segments do
        values.AsSpan(from, segment.Width).CopyTo(row.Slice(segment.Offset, segment.Width))
        from <- from + segment.Width

let private start watched (vector: int -> float) (matrix: int -> int -> float) =
    let units = watched.Plastic.Afferents.Rows
    let signals = watched.Plastic.Afferents.Segments |> Seq.sumBy _.Width

    let setPanels (panels: InfluencePanels<float>) columns place =
        let width = Kernels.PanelColumns<float>()

        for k in 0 .. units - 1 do
            for j in 0 .. columns - 1 do
                let column: int = place j
                panels.Panel(0, 0, column / width)[k * width + column % width] <- matrix k j

    match watched.Learner with
    | :? Uoro<float> as uoro ->
        (Array.init units vector).CopyTo(uoro.StateFactor.Of(0, 0))
        // It learns online, so B is a matrix that may be written.
        let factor = (uoro.WeightFactor :?> WeightFactorMatrix<float>).Of 0

        for i in 0 .. units - 1 do
            let row = factor.Dense.Row(i, watched.Plastic.Afferents.DenseStride)
            spread watched (Array.init signals (matrix i)) row
    | :? KroneckerInfluence<float> as kronecker ->
        spread watched (Array.init signals vector) (kronecker.SignalFactor(0).AsSpan())
        setPanels kronecker.StateFactor units id
    | :? ReverseKroneckerInfluence<float> as reverse ->
        (Array.init units vector).CopyTo(reverse.UnitFactor 0, 0)

        let places = [|
            for segment in watched.Plastic.Afferents.Segments do
                for k in 0 .. segment.Width - 1 -> segment.Offset + k
        |]

        setPanels reverse.StateFactor signals (fun j -> places[j])
    | other -> failtestf "no such learner: %O" other

let private published factors (name: string) =
    let data = read "gradients.json"

    let network = {
        Alpha = Array.create (int (number "n" data)) (1.0 / number "tau" data)
        Start = vector (at "h0" data)
        Recurrent = matrix (at "weights/W_rec" data)
        Input = matrix (at "weights/W_in" data)
        Bias = vector (at "weights/b_rec" data)
        Readout = matrix (at "weights/W_out" data)
        Offset = vector (at "weights/b_out" data)
        Feedback = matrix (at "B" data)
    }

    let steps = int (number "T" data)
    let task = Given(rows (at "x" data), rows (at "ystar" data), (fun _ -> steps))
    let noise = rows (at $"{name}/nu" data)

    let watched =
        watch (fst (graph (fun _ -> anyRate) network)) task factors (fun t -> noise[t - 1])

    let a0, b0 = vector (at $"{name}/A0" data), rows (at $"{name}/B0" data)
    start watched (fun k -> a0[k]) (fun k j -> b0[k][j])
    let file = name.Replace("_", "-")
    let expected = list (at $"gradients/{file}/rec" data)

    for t in 1..steps do
        let ours = step watched t |> Array.concat |> Array.map (~-)

        Numbers.isLessThan
            (relative ours (Array.concat (rows expected[t - 1])))
            1e-10
            $"{name}, step {t}"

let private golden' factors vector matrix noise (first, second) =
    let session = goldenSession ()
    let watched = watch session.Graph session.Task factors noise
    start watched vector matrix

    let sum =
        [ for t in 1..4 -> step watched t ]
        |> List.reduce (Array.map2 (Array.map2 (+)))
        |> Array.map (Array.map (~-))

    let ours = goldenSums sum
    Numbers.isLessThan (abs (ours[0] - first)) 1e-10 "S1"
    Numbers.isLessThan (abs (ours[1] - second)) 1e-10 "S2"

// ---- means ----------------------------------------------------------------------------------------

let private small: Networks.Network =
    let random = Random 7

    let draw rows columns =
        Array2D.init rows columns (fun _ _ -> random.NextDouble() * 2.0 - 1.0)

    {
        Alpha = [| 0.3; 0.6; 0.9 |]
        Start = [| 0.2; -0.1; 0.4 |]
        Recurrent = draw 3 3
        Input = draw 3 1
        Bias = [| 0.1; -0.2; 0.05 |]
        Readout = draw 2 3
        Offset = [| 0.1; 0.2 |]
        Feedback = draw 3 2
    }

let private smallTask =
    let random = Random 11

    let rows columns =
        Array.init 3 (fun _ -> Array.init columns (fun _ -> random.NextDouble() * 2.0 - 1.0))

    Given(rows 1, rows 2, (fun _ -> 3))

/// The mean over all sign patterns of the increments of three steps.
let private mean factors perStep =
    let total = 3 * perStep
    let patterns = 1 <<< total
    let graph = fst (graph (fun _ -> anyRate) small)

    let sums = [|
        for pattern in 0 .. patterns - 1 ->
            let sign k =
                if (pattern >>> k) &&& 1 = 1 then 1.0 else -1.0

            let noise t =
                Array.init perStep (fun k -> sign ((t - 1) * perStep + k))

            let watched = watch graph smallTask factors noise
            Array.concat [ for t in 1..3 -> Array.concat (step watched t) ]
    |]

    sums
    |> Array.reduce (Array.map2 (+))
    |> Array.map (fun sum -> sum / float patterns)

/// The same by RTRL itself, step by step.
let private exactSteps () =
    let graph = fst (graph (fun _ -> anyRate) small)
    let network = Network<float>(graph, 3, 0, 1L)
    let area = network.Areas[0]

    let plastic =
        Plastic<float>(
            area.Afferents,
            area.Afferents.Segments,
            Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.Online),
            null,
            false
        )

    (smallTask :> ITask).Fill(0, RandomStream(1L, "task"), network.Trial)

    let learner =
        Rtrl<float>(network, ErrorPath.Symmetric, true, [| struct (area, plastic) |], [||])

    network.Begin(0L, 0)
    learner.Begin(0, 3)

    let watched = {
        Network = network
        Learner = learner
        Plastic = plastic
    }

    Array.concat [ for t in 1..3 -> Array.concat (step watched t) ]

// ---- two areas, a gate, a delay and a sigmoid that is fed back ---------------------------------------

/// Two areas, one of rates and one in the current form or with a unit model of two states, that project to each other, one way through a
/// gate and a delay, and a sigmoid readout of both that is fed back.
let private coupled (model: UnitModel option) =
    let builder = GraphBuilder()

    let area name dynamics model =
        builder.AddArea(
            AreaSpec(
                Name = name,
                Units = 2,
                Alpha = [| 0.5; 0.8 |],
                Dynamics = dynamics,
                InitialRates = [| 0.4; -0.3 |],
                Model = Option.toObj model
            )
        )

    let a = area "a" Dynamics.Leaky None

    let b =
        area
            "b"
            (if model.IsSome then
                 Dynamics.Leaky
             else
                 Dynamics.CurrentForm)
            model

    let x = builder.AddInput(InputSpec("x", 1))

    let y =
        builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1, Kind = OutputKind.Sigmoid))

    let random = Random 3

    let project name (source: Source) (target: Target) count gate (rule: Plasticity | null) =
        builder.AddProjection(
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses =
                    Synapses.Dense(Array.init count (fun _ -> random.NextDouble() * 2.0 - 1.0)),
                Gate = gate,
                Plasticity = rule
            )
        )
        |> ignore

    let learns = Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)
    let onto area = Target.Area area
    project "x->a" (Source.Input x) (onto a) 2 Gate.Always learns
    project "a->a" (Source.Area a) (onto a) 4 Gate.Always learns
    project "b->a" (Source.Area b) (onto a) 4 Gate.Always learns
    project "a->b" (Source.Area(a, 2)) (onto b) 4 (Gate.Every 2) learns
    project "b->b" (Source.Area b) (onto b) 4 Gate.Always learns
    project "y->a" (Source.Readout y) (onto a) 2 Gate.Always null
    project "a->y" (Source.Area a) (Target.Readout y) 2 Gate.Always null
    project "b->y" (Source.Area b) (Target.Readout y) 2 Gate.Always null
    builder.AddFeedback(FeedbackSpec(Readout = y, Area = a))
    builder.AddFeedback(FeedbackSpec(Readout = y, Area = b))
    builder.Build()

/// Four steps, the same in every trial: with more the spread of the estimates hides the mean.
let private coupledTask =
    Given(
        Array.init 4 (fun t -> [| sin (float t) |]),
        Array.init 4 (fun t -> [| if t % 2 = 0 then 0.9 else 0.2 |]),
        (fun _ -> 4)
    )

/// The increments of trial k by a rule, all blocks in a row.
let private increments (session: Session) (rule: LearningRule) trial =
    session.Increments(trial, rule, UpdateTime.Online)
    |> Seq.collect (function
        | null -> Seq.empty
        | block -> Seq.ofArray block)
    |> Array.ofSeq

/// The mean over many trials, each with random numbers of its own, and its standard errors, beside RTRL's increments.
let private meanOfTrials model rule count =
    let session = Session.Create(coupled model, coupledTask, 5L)
    let exact = increments session (RtrlRule()) 0
    let sum, squares = Array.zeroCreate exact.Length, Array.zeroCreate exact.Length

    for trial in 0 .. count - 1 do
        increments session rule trial
        |> Array.iteri (fun k value ->
            sum[k] <- sum[k] + value
            squares[k] <- squares[k] + value * value)

    let mean = sum |> Array.map (fun value -> value / float count)

    let error =
        Array.map2
            (fun square m -> sqrt ((square / float count - m * m) / float count))
            squares
            mean

    exact, mean, error

// ---- mixing noise -----------------------------------------------------------------------------------

/// The numbers of four steps of a trial, as a rule draws them.
let private mixing noise count (seed, name, trial) =
    let source = MixingSource<float>(seed, name, noise)
    source.Begin trial

    Array.concat [|
        for step in 1..4 ->
            let row = Array.zeroCreate<float> count
            source.Fill(step, row.AsSpan())
            row
    |]

[<Tests>]
let tests =
    testList "stochastic rules" [
        for noise, fourth in [ MixingNoise.Rademacher, 1.0; MixingNoise.Gaussian, 3.0 ] do
            test $"mixing noise of {noise} has mean 0, variance 1 and fourth moment {fourth}" {
                let numbers = mixing noise 25_000 (7L, "any", 3)

                for power, expected in [ 1, 0.0; 2, 1.0; 3, 0.0; 4, fourth ] do
                    let powers = numbers |> Array.map (fun x -> x ** float power)
                    let mean = Array.average powers

                    let variance =
                        powers |> Array.averageBy (fun x -> (x - expected) * (x - expected))

                    Numbers.isLessThanOrEqual
                        (abs (mean - expected))
                        (5.0 * sqrt (variance / float numbers.Length))
                        $"mean of x^{power}: {mean}"
            }

            test $"mixing noise of {noise} is a rule's, a seed's and a trial's own" {
                let parts = [
                    for name in [ "RankOne"; "Kronecker"; "KeRNL" ] do
                        for seed in [ 1L; 2L ] do
                            for trial in [ 0; 1 ] do
                                seed, name, trial
                ]

                let draw () = parts |> List.map (mixing noise 50)
                Expect.equal (List.distinct (draw ())).Length parts.Length "streams"
                Expect.equal (draw ()) (draw ()) "drawn again"
            }

        for factors in
            [
                InfluenceFactors.RankOne
                InfluenceFactors.Kronecker
                InfluenceFactors.ReverseKronecker
            ] do
            for what, model in
                [
                    "two areas", None
                    "two areas, one of two states a unit,", Some(UnitModels.adapting :> UnitModel)
                ] do
                test
                    $"the mean of {factors} is RTRL through a gate, a delay, {what} and a fed-back sigmoid" {
                    let exact, mean, error =
                        meanOfTrials model (StochasticRule(factors, MixingNoise.Rademacher)) 20_000

                    for k in 0 .. exact.Length - 1 do
                        // Five standard errors: one number in two million is farther off by chance.
                        Expect.isTrue
                            (abs (mean[k] - exact[k]) <= 5.0 * error[k] + 1e-12)
                            $"weight {k}: {mean[k]} against {exact[k]}, standard error {error[k]}"

                    let largest = exact |> Array.map abs |> Array.max

                    Numbers.isLessThan
                        (Array.max error)
                        (0.1 * largest)
                        "errors that tell the two apart"
                }

        test "UORO takes the published steps, with the recorded noise" {
            published InfluenceFactors.RankOne "uoro"
        }

        test "KF-RTRL takes the published steps, with the recorded noise" {
            published InfluenceFactors.Kronecker "kf_rtrl"
        }

        let signs t =
            Array.init 3 (fun i -> if ((t - 1) * (t - 1) + i) % 3 <> 0 then 1.0 else -1.0)

        test "the golden sums of UORO" {
            golden'
                InfluenceFactors.RankOne
                (fun i -> 0.3 * float (i + 1))
                (fun i j -> 0.1 * float (1 + i + j))
                signs
                (13.594927428056, 140.470124148448)
        }

        test "the golden sums of KF-RTRL" {
            golden'
                InfluenceFactors.Kronecker
                (fun j -> 0.3 * float (j + 1))
                (fun k i -> 0.2 * float (1 + k + i))
                (fun t -> [|
                    (if (t - 1) % 2 = 0 then 1.0 else -1.0)
                    (if (t - 1) % 3 <> 0 then 1.0 else -1.0)
                |])
                (0.219933391896, 0.675743825848)
        }

        test "the golden sums of reverse KF-RTRL" {
            golden'
                InfluenceFactors.ReverseKronecker
                (fun i -> 0.3 * float (i + 1))
                (fun k j -> 0.1 * float (1 + k + j))
                signs
                (5.589968041703, 68.300856822949)
        }

        for factors, perStep in
            [
                InfluenceFactors.RankOne, 3
                InfluenceFactors.Kronecker, 2
                InfluenceFactors.ReverseKronecker, 3
            ] do
            test $"the mean of {factors} over all signs is RTRL" {
                let exact = exactSteps ()
                Numbers.isGreaterThan (norm exact) 0.01 "there is something to agree on"
                Numbers.isLessThan (relative (mean factors perStep) exact) 1e-13 "the mean"
            }

            test $"without its noise {factors} is not RTRL" {
                let graph = fst (graph (fun _ -> anyRate) small)
                let watched = watch graph smallTask factors (fun _ -> Array.create 3 1.0)
                let steps = Array.concat [ for t in 1..3 -> Array.concat (step watched t) ]

                Numbers.isGreaterThan
                    (relative steps (exactSteps ()))
                    1e-3
                    "one pattern of signs alone"
            }
    ]

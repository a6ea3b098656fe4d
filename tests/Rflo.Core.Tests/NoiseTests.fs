/// Noise in currents, and rules that learn from it, against the streams that it is drawn from.
module Rflo.Core.Tests.NoiseTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking

type private Case = {
    Units: int
    Channels: int
    Steps: int
    Trial: int
    Sigma: float
    /// 0: the noise's own deviation.
    Unit: float
    Memory: TraceMemory
    Seed: int
}

let private anyCase =
    gen {
        let! units = Gen.choose (1, 9)
        let! channels = Gen.choose (1, 3)
        let! steps = Gen.choose (1, 12)
        let! trial = Gen.choose (-3, 3)
        let! sigma = Gen.elements [ 0.05; 0.3; 2.0 ]
        let! unit' = Gen.elements [ 0.0; 0.1; 1.0; 3.0 ]

        let! memory =
            Gen.elements [
                TraceMemory.AsUnit
                TraceMemory.Given
                TraceMemory.None
                TraceMemory.WholeTrial
            ]

        let! seed = Gen.choose (0, 1000000)

        return {
            Units = units
            Channels = channels
            Steps = steps
            Trial = trial
            Sigma = sigma
            Unit = unit'
            Memory = memory
            Seed = seed
        }
    }

/// Linear units that inputs drive, without connections among them.
let private session precision case =
    let random = Random case.Seed
    let alpha = Array.init case.Units (fun _ -> 0.05 + 0.9 * random.NextDouble())

    let inputs =
        Array.init (case.Steps * case.Channels) (fun _ -> random.NextDouble() - 0.5)

    let weights =
        Array.init (case.Units * case.Channels) (fun _ -> random.NextDouble() - 0.5)

    let builder = GraphBuilder()

    let area =
        AreaSpec(
            Name = "cortex",
            Units = case.Units,
            Alpha = alpha,
            Transfer = Transfer.Identity,
            InitialRates = Array.zeroCreate case.Units,
            Noise = case.Sigma,
            NoiseUnit = case.Unit
        )
        |> builder.AddArea

    let rule =
        ThreeFactorRule(
            ErrorPath.Feedback,
            Memory = case.Memory,
            MemoryAlpha = 0.3,
            Post = PostSignal.Noise,
            Third = ThirdFactor.Constant
        )

    ProjectionSpec(
        Name = "input",
        Source = Source.Input(builder.AddInput(InputSpec("input", case.Channels))),
        Target = Target.Area area,
        Synapses = Synapses.Dense weights,
        Plasticity = Plasticity(rule, 0.1, UpdateSchedule.TrialEnd)
    )
    |> builder.AddProjection
    |> ignore

    let task = {
        new ITask with
            member _.Inputs = case.Channels
            member _.Outputs = 0
            member _.MaxSteps = case.Steps
            member _.Events = 0

            member _.Fill(_, _, into) =
                into.Steps <- case.Steps
                inputs.CopyTo(into.Inputs, 0)
    }

    let session = Session.Create(builder.Build(), task, int64 case.Seed, precision)
    session, rule, alpha, inputs, weights

/// The noise of the area in units of 1, shape (steps, units).
let private draws case =
    let stream = RandomStream.OfTrial(int64 case.Seed, "noise cortex", int64 case.Trial)
    Array.init case.Steps (fun _ -> Array.init case.Units (fun _ -> stream.Gaussian()))

let private near what tolerance (expected: float[]) (actual: float[]) =
    Expect.equal actual.Length expected.Length $"{what}, length"
    Numbers.isLessThanOrEqual (relative expected actual) tolerance what

[<Tests>]
let tests =
    testList "noise" [
        for precision, tolerance in [ Precision.Double, 1e-12; Precision.Single, 1e-5 ] do
            test
                $"rates are the leaky sum of inputs and the stream's draws times sigma, {precision}" {
                forAll (cases 60 1000) (Arb.fromGen anyCase) (fun case ->
                    let session, _, alpha, inputs, weights = session precision case
                    let noise = draws case
                    let rates = Array.zeroCreate<float> case.Units

                    let expected = [|
                        for t in 0 .. case.Steps - 1 do
                            for i in 0 .. case.Units - 1 do
                                let driven =
                                    Seq.sum (
                                        seq {
                                            for k in 0 .. case.Channels - 1 ->
                                                weights[i * case.Channels + k]
                                                * inputs[t * case.Channels + k]
                                        }
                                    )

                                rates[i] <-
                                    (1.0 - alpha[i]) * rates[i]
                                    + alpha[i] * (driven + case.Sigma * noise[t][i])

                                rates[i]
                    |]

                    near "rates" tolerance expected (session.Replay(case.Trial).Rates[0]))
            }

            test $"rules that learn from noise see it in units of NoiseUnit, {precision}" {
                forAll (cases 60 1000) (Arb.fromGen anyCase) (fun case ->
                    let session, rule, alpha, inputs, _ = session precision case
                    let noise = draws case
                    let unit' = if case.Unit > 0.0 then case.Unit else case.Sigma

                    let decay i =
                        match case.Memory with
                        | TraceMemory.AsUnit -> 1.0 - alpha[i]
                        | TraceMemory.Given -> 0.7
                        | TraceMemory.None -> 0.0
                        | _ -> 1.0

                    let expected = [|
                        for i in 0 .. case.Units - 1 do
                            for k in 0 .. case.Channels - 1 do
                                let mutable trace, sum = 0.0, 0.0

                                for t in 0 .. case.Steps - 1 do
                                    let post = case.Sigma * noise[t][i] / unit'
                                    trace <- decay i * trace + post * inputs[t * case.Channels + k]
                                    sum <- sum + trace

                                sum / float case.Steps
                    |]

                    for time in [ UpdateTime.Online; UpdateTime.TrialEnd ] do
                        match session.Increments(case.Trial, rule, time)[0] with
                        | null -> failtest "the projection is plastic"
                        | found -> near $"{time}" tolerance expected found)
            }
    ]

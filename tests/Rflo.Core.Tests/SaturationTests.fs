/// What is saturated is where the slope is below a tenth of the largest that the function has, whatever the function; and
/// noise counts in units of its deviation.
module Rflo.Core.Tests.SaturationTests

open System
open Expecto
open Rflo.Core

/// The slope, and the largest that the function has, as a textbook has them.
let private slopes: (Transfer * (float -> float) * float) list =
    let sigmoid u = 1.0 / (1.0 + exp -u)
    let step u = if u > 0.0 then 1.0 else 0.0

    [
        Transfer.Tanh, (fun u -> 1.0 / (cosh u ** 2.0)), 1.0
        Transfer.Relu, step, 1.0
        Transfer.Sigmoid, (fun u -> sigmoid u * (1.0 - sigmoid u)), 0.25
        Transfer.Softplus, sigmoid, 1.0
        Transfer.Identity, (fun _ -> 1.0), 1.0
        Transfer.RectifiedTanh, (fun u -> step u / (cosh u ** 2.0)), 1.0
    ]

/// Units that each see one channel, with time constants of their own.
let private session transfer precision (inputs: float[][]) =
    let units = inputs[0].Length
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "a",
                Units = units,
                Alpha = Array.init units (fun k -> 1.0 / float (1 + k)),
                InitialRates = Array.zeroCreate units,
                Transfer = transfer
            )
        )

    let input = builder.AddInput(InputSpec("x", units))

    ProjectionSpec(
        Name = "x->a",
        Source = Source.Input input,
        Target = Target.Area area,
        Synapses =
            Synapses.Sparse(Array.init (units + 1) id, Array.init units id, Array.create units 1.0)
    )
    |> builder.AddProjection
    |> ignore

    let task =
        Networks.Given(inputs, Array.create inputs.Length [||], (fun _ -> inputs.Length))

    let session = Session.Create(builder.Build(), task, 1L, precision)
    session.Watch [| RatesProbe(1, area) |]
    session

[<Tests>]
let tests =
    testList "saturation" [
        test "every transfer function is here" {
            Expect.equal
                (slopes |> List.map (fun (transfer, _, _) -> transfer) |> List.sort)
                (Enum.GetValues<Transfer>() |> List.ofArray)
                "functions"
        }

        for transfer, slope, largest in slopes do
            for precision in [ Precision.Double; Precision.Single ] do
                test
                    $"of {transfer} is where its slope is below a tenth of the largest, {precision}" {
                    let random = Random 11

                    // Not where rounding decides.
                    let far u =
                        abs (slope u - 0.1 * largest) > 1e-3 * largest && abs u > 1e-3

                    let rec draw () =
                        let u = 10.0 * random.NextDouble() - 5.0
                        if far u then u else draw ()

                    let inputs = Array.init 40 (fun _ -> Array.init 5 (fun _ -> draw ()))
                    let session = session transfer precision inputs
                    session.Run 1 |> ignore

                    let expected =
                        inputs
                        |> Array.concat
                        |> Array.averageBy (fun u -> if slope u < 0.1 * largest then 1.0 else 0.0)

                    let series =
                        session.Metrics.Probes
                        |> Seq.find (fun series -> series.Name = "saturation a")

                    Expect.floatClose Accuracy.high (series.CopyValues()[0]) expected "fraction"
                }

        for noise, unit in [ 0.3, 0.0; 2.5, 0.0; 0.6, 1.2 ] do
            test $"a rule of noise learns from it in units of its deviation: {noise}, unit {unit}" {
                let builder = GraphBuilder()

                // Rates that are the noise itself.
                let area =
                    builder.AddArea(
                        AreaSpec(
                            Name = "a",
                            Units = 3,
                            Alpha = Array.create 3 1.0,
                            InitialRates = Array.zeroCreate 3,
                            Transfer = Transfer.Identity,
                            Noise = noise,
                            NoiseUnit = unit
                        )
                    )

                let rule =
                    ThreeFactorRule(
                        ErrorPath.Feedback,
                        Memory = TraceMemory.None,
                        Post = PostSignal.Noise,
                        Third = ThirdFactor.TaskReward
                    )

                let bias =
                    ProjectionSpec(
                        Name = "1->a",
                        Source = Source.One,
                        Target = Target.Area area,
                        Synapses = Synapses.Dense(Array.zeroCreate 3),
                        Plasticity = Plasticity(rule, 0.5, UpdateSchedule.TrialEnd)
                    )
                    |> builder.AddProjection

                let rewards = [| 0.5; -1.0; 2.0; 0.25 |]

                let task = {
                    new ITask with
                        member _.Inputs = 0
                        member _.Outputs = 0
                        member _.MaxSteps = rewards.Length
                        member _.Events = 0
                        member _.GivesRewards = true
                        member _.Fill(_, _, into) = rewards.CopyTo(into.Rewards, 0)
                }

                let session = Session.Create(builder.Build(), task, 1L)
                let rates = (session.Replay 0).Rates[0]
                session.Run 1 |> ignore
                let weights = session.Weights bias

                for unit' in 0..2 do
                    let expected =
                        rewards
                        |> Array.mapi (fun t reward ->
                            reward * rates[3 * t + unit'] / (if unit > 0.0 then unit else noise))
                        |> Array.sum
                        |> fun sum -> 0.5 * sum / float rewards.Length

                    Expect.floatClose Accuracy.high weights[unit'] expected $"unit {unit'}"
            }
    ]

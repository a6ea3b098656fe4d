/// A small noisy network that any rule can learn on, and a task that also gives rewards.
module Rflo.Core.Tests.NoisyNetwork

open System
open Rflo.Core
open Rflo.Core.Tests.Networks

let anyRate = Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)

let draw (random: Random) rows columns =
    Array2D.init rows columns (fun _ _ -> random.NextDouble() * 2.0 - 1.0)

let units, channels, outputs, steps = 5, 2, 2, 9

/// A task of white noise that also gives rewards.
type Rewarding(seed: int) =
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

let noisy seed (plasticity: Plasticity) =
    let random = Random(seed: int)
    // Modulators may be as old as that.
    let builder = GraphBuilder(History = 3)

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

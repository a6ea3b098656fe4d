/// RTRL at the end of a trial takes several steps at once; over trials of many blocks it must be RTRL step by step.
module Rflo.Core.Tests.RtrlBlockTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking

let private steps = 29

type private Noise(seed: int) =
    interface ITask with
        member _.Inputs = 2
        member _.Outputs = 2
        member _.MaxSteps = steps
        member _.Events = 1

        member _.Fill(trial, _, into) =
            let random = Random(seed + trial)
            // Trials of one step, of whole blocks, and of anything between.
            into.Steps <- [| steps; 1; 8; 16; 17; 5 |][trial % 6]

            for k in 0 .. into.Inputs.Length - 1 do
                into.Inputs[k] <- random.NextDouble() * 2.0 - 1.0

            for k in 0 .. into.Targets.Length - 1 do
                into.Targets[k] <- random.NextDouble() * 2.0 - 1.0

            for t in 0 .. steps - 1 do
                into.Events[t] <- random.Next 2 = 0

/// Two areas that drive each other: a mask, a sparse block, a population, a gate, inputs and biases.
let private graph seed =
    let random = Random(seed: int)
    let builder = GraphBuilder()
    let number () = random.NextDouble() * 1.6 - 0.8
    let plasticity = Plasticity(RtrlRule(), 1.0, UpdateSchedule.TrialEnd)

    let area name units =
        builder.AddArea(
            AreaSpec(
                Name = name,
                Units = units,
                Alpha = Array.init units (fun i -> 1.0 / float (i + 2)),
                InitialRates = Array.init units (fun i -> 0.1 * float i - 0.2)
            )
        )

    let first, second = area "first" 5, area "second" 3
    let input = builder.AddInput(InputSpec("input", 2))
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = 2))

    let add name source target synapses (gate: Gate) =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = synapses,
            Gate = gate,
            Plasticity = plasticity
        )
        |> builder.AddProjection
        |> ignore

    let dense count =
        Synapses.Dense(Array.init count (fun _ -> number ()))

    let masked =
        Synapses.Dense(
            Array.init 25 (fun _ -> number ()),
            Array.init 25 (fun _ -> random.Next 3 > 0)
        )

    let sparse =
        Synapses.Sparse([| 0; 2; 3; 5 |], [| 0; 3; 2; 1; 4 |], Array.init 5 (fun _ -> number ()))

    add "first->first" (Source.Area first) (Target.Area first) masked Gate.Always
    add "first->second" (Source.Area first) (Target.Area second) sparse Gate.Always

    add
        "second->first"
        (Source.Area(second, 1, [| 2; 0 |]))
        (Target.Area(first, [| 1; 3; 4 |]))
        (dense 6)
        (Gate.AtEvent 0)

    add "second->second" (Source.Area second) (Target.Area second) (dense 9) Gate.Always
    add "input->first" (Source.Input input) (Target.Area first) (dense 10) Gate.Always
    add "one->second" Source.One (Target.Area second) (dense 3) Gate.Always
    add "second->readout" (Source.Area second) (Target.Readout readout) (dense 6) Gate.Always
    add "first->readout" (Source.Area first) (Target.Readout readout) (dense 10) Gate.Always

    builder.AddFeedback(
        FeedbackSpec(Readout = readout, Area = first, Matrix = Array.init 10 (fun _ -> number ()))
    )

    builder.Build()

[<Tests>]
let tests =
    testList "RTRL in blocks" [
        test "is chosen where delays are one step" {
            Expect.isNull (RtrlBlocks<float>.Obstacle(graph 1, [| 0; 1 |])) "suits"
            let network = Network<float>(graph 1, steps, 1, 1L)
            let learners = (Learners.ForTraining network).Learners
            Expect.exists learners (fun learner -> learner :? RtrlBlocks<float>) "chosen"
        }

        for path in [ ErrorPath.Symmetric; ErrorPath.Feedback ] do
            test $"is RTRL step by step, and BPTT, by the path {path}" {
                for seed in 1..20 do
                    let session = Session.Create(graph seed, Noise seed, 1L)

                    for trial in 0..5 do
                        let increments (rule: LearningRule) time =
                            session.Increments(trial, rule, time) |> Seq.map nonNull |> Array.concat

                        let blocks = increments (RtrlRule path) UpdateTime.TrialEnd
                        let stepwise = increments (RtrlRule path) UpdateTime.Online
                        let backward = increments (BpttRule path) UpdateTime.TrialEnd
                        Numbers.isGreaterThan (norm backward) 1e-6 "there is a gradient"

                        Numbers.isLessThan
                            (relative blocks stepwise)
                            1e-12
                            $"seed {seed}, trial {trial}: step by step"

                        Numbers.isLessThan
                            (relative blocks backward)
                            1e-12
                            $"seed {seed}, trial {trial}: BPTT"
            }
    ]

/// What theory says of some local rules.
module Rflo.Core.Tests.LocalRuleTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Networks
open Rflo.Core.Tests.NoisyNetwork

[<Tests>]
let tests =
    testList "local rules" [
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

            Numbers.isLessThan (relative snap exact) 1e-12 "SnAp-1"

            Numbers.isGreaterThan
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
            Numbers.isGreaterThan along 0.97 "it lies along the axis"
            Numbers.isLessThan (abs (norm found - 1.0)) 0.1 "its length is 1"
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
                        Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd),
                        null,
                        false
                    )

                let learner = make plastic

                for trial in 0 .. trials - 1 do
                    task.Fill(trial, RandomStream(5L, "task"), network.Trial)
                    network.Begin(int64 trial, 0)
                    learner.Begin(trial, steps)

                    for t in 1..steps do
                        network.Step t
                        learner.ObserveStep t
                        learner.ApplyStep t

                    learner.ObserveTrial steps
                    learner.ApplyTrial steps

                (nonNull plastic.Collected).Dense.Span.ToArray()

            let exact =
                collect
                    (fun plastic ->
                        Bptt<float>(
                            network,
                            ErrorPath.Symmetric,
                            [| struct (area, plastic) |],
                            [||],
                            [||],
                            [||]
                        ))
                    4000

            let perturbed =
                collect
                    (fun plastic -> ThreeFactorTrialEnd<float>(network, area, plastic, rule))
                    4000

            let cosine =
                Array.sum (Array.map2 (*) exact perturbed) / (norm exact * norm perturbed)

            Numbers.isGreaterThan cosine 0.6 "cosine of the mean update and the mean gradient"
        }
    ]

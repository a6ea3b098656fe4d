/// How updates follow from what a rule asks for: optimisers, clipping, rates and schedules against their formulas.
module Rflo.Core.Tests.OptimiserTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.NoisyNetwork

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
    testList "optimisers" [
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

/// A winner-take-all area: one unit is on, chosen when a gate is open, held in between.
module Rflo.Core.Tests.WinnerTests

open System
open Expecto
open Rflo.Core

/// Four units that see one channel each in every third step.
let private striatum explore =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |],
                Explore = explore
            )
        )

    let input = builder.AddInput(InputSpec("cue", 4))
    let one = Array2D.init 4 4 (fun i j -> if i = j then 2.0 else 0.0)

    ProjectionSpec(
        Name = "cue->striatum",
        Source = Source.Input input,
        Target = Target.Area area,
        Synapses = Synapses.Dense(Networks.flat one),
        Gate = Gate.Every 3
    )
    |> builder.AddProjection
    |> ignore

    builder, area

let private random = Random 5

let private cues =
    Array.init 3000 (fun _ -> Array.init 4 (fun _ -> random.NextDouble()))

let private task = Networks.Given(cues, Array.create 3000 [||], (fun _ -> 3000))

let private winners explore seed =
    let builder, _ = striatum explore
    let rates = (Session.Create(builder.Build(), task, seed).Test 0).Rates[0]

    [|
        for t in 1..3000 do
            let now = rates[4 * (t - 1) .. 4 * t - 1]
            Expect.equal (Array.sort now) [| 0.0; 0.0; 0.0; 1.0 |] $"one unit is on in step {t}"
            Array.findIndex ((=) 1.0) now
    |]

let private greedy t =
    let cue = cues[t - 1]
    Array.findIndex ((=) (Array.max cue)) cue

[<Tests>]
let tests =
    testList "winner takes all" [
        test "the largest current wins where the gate is open, and is held in between" {
            let chosen = winners 0.0 1L
            Expect.equal chosen[..1] [| 0; 0 |] "the declared rates, before the gate opens"

            for t in 3..3000 do
                Expect.equal chosen[t - 1] (greedy (t / 3 * 3)) $"step {t}"
        }

        test "exploration takes any unit, as often as it says" {
            let chosen = winners 0.4 1L
            Expect.notEqual chosen (winners 0.4 2L) "by the seed"
            Expect.equal chosen (winners 0.4 1L) "by nothing else"

            let hits =
                Seq.sum (
                    seq { for t in 3..3..3000 -> if chosen[t - 1] = greedy t then 1.0 else 0.0 }
                )
            // 1 - 0.4 * 3/4 = 0.7, and four standard errors of 1,000 choices.
            Expect.isLessThan
                (abs (hits / 1000.0 - 0.7))
                (4.0 * sqrt (0.7 * 0.3 / 1000.0))
                "greedy choices"
        }

        test "weights onto it cannot be plastic by a rule that needs a slope" {
            let builder, area = striatum 0.0

            Expect.throwsT<ArgumentException>
                (fun () ->
                    ProjectionSpec(
                        Name = "plastic",
                        Source = Source.Area area,
                        Target = Target.Area area,
                        Synapses = Synapses.Dense(Array.zeroCreate 16),
                        Plasticity = Plasticity(InCore.Rules.rflo, 0.1, UpdateSchedule.TrialEnd)
                    )
                    |> builder.AddProjection
                    |> ignore)
                "refused"
        }
    ]

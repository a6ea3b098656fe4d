/// A winner-take-all area: one unit is on, chosen when a gate is open, held in between.
module Rflo.Core.Tests.WinnerTests

open System
open Expecto
open Rflo.Core

/// Four units that see one channel each in every third step, through weights of 2 times some scale, and constants.
let private noisyStriatum noise explore scale (constants: float[]) =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |],
                Noise = noise,
                Explore = explore
            )
        )

    let input = builder.AddInput(InputSpec("cue", 4))
    let one = Array2D.init 4 4 (fun i j -> if i = j then 2.0 * scale else 0.0)

    ProjectionSpec(
        Name = "cue->striatum",
        Source = Source.Input input,
        Target = Target.Area area,
        Synapses = Synapses.Dense(Networks.flat one),
        Gate = Gate.Every 3
    )
    |> builder.AddProjection
    |> ignore

    ProjectionSpec(
        Name = "constants",
        Source = Source.One,
        Target = Target.Area area,
        Synapses = Synapses.Dense constants,
        Gate = Gate.Every 3
    )
    |> builder.AddProjection
    |> ignore

    builder, area

let private striatumWith = noisyStriatum 0.0

let private striatum explore =
    striatumWith explore 1.0 (Array.zeroCreate 4)

let private random = Random 5

let private cues =
    Array.init 3000 (fun _ -> Array.init 4 (fun _ -> random.NextDouble()))

let private task = Networks.Given(cues, Array.create 3000 [||], (fun _ -> 3000))

let private chosenBy (builder: GraphBuilder) seed =
    let rates = (Session.Create(builder.Build(), task, seed).Replay 0).Rates[0]

    [|
        for t in 1..3000 do
            let now = rates[4 * (t - 1) .. 4 * t - 1]
            Expect.equal (Array.sort now) [| 0.0; 0.0; 0.0; 1.0 |] $"one unit is on in step {t}"
            Array.findIndex ((=) 1.0) now
    |]

let private winners explore seed = chosenBy (fst (striatum explore)) seed

/// How much the current of each unit, for the same cue, grows in a trial whose one decision earns so much, and the cue.
let private growth post reward =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |]
            )
        )

    let input = builder.AddInput(InputSpec("cue", 4))

    let rule =
        ThreeFactorRule(
            ErrorPath.Feedback,
            Memory = TraceMemory.None,
            Post = post,
            Third = ThirdFactor.TaskReward
        )

    let start = Array.init 16 (fun k -> float ((7 * k) % 5))

    let projection =
        ProjectionSpec(
            Name = "cue->striatum",
            Source = Source.Input input,
            Target = Target.Area area,
            Synapses = Synapses.Dense start,
            Gate = Gate.Every 3,
            Plasticity = Plasticity(rule, 0.3, UpdateSchedule.TrialEnd)
        )
        |> builder.AddProjection

    let cue = [| 0.3; -0.2; 0.9; 0.4 |]

    let rewarding = {
        new ITask with
            member _.Inputs = 4
            member _.Outputs = 0
            member _.MaxSteps = 3
            member _.Events = 0
            member _.GivesRewards = true

            member _.Fill(_, _, into) =
                for t in 0..2 do
                    cue.CopyTo(into.Inputs, 4 * t)

                into.Rewards[2] <- reward
    }

    let session = Session.Create(builder.Build(), rewarding, 1L)

    let current (weights: float[]) =
        Reference.multiply (Array2D.init 4 4 (fun i j -> weights[4 * i + j])) cue

    let before = current start
    session.Run 1 |> ignore
    let after = session.Weights projection

    Array.map2 (-) (current after) before,
    before,
    Array.sumBy (fun x -> x * x) cue,
    Checking.sameBits after start

let private greedy t =
    let cue = cues[t - 1]
    Array.findIndex ((=) (Array.max cue)) cue

/// A winner-take-all area with noise.
let private noisy () =
    let builder = GraphBuilder()

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 4,
                Alpha = Array.create 4 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                Noise = 0.7,
                InitialRates = [| 1.0; 0.0; 0.0; 0.0 |]
            )
        )

    builder, area

[<Tests>]
let tests =
    testList "winner takes all" [
        test "exploration chooses every unit equally often" {
            let decisions =
                winners 1.0 7L |> Array.indexed |> Array.filter (fun (t, _) -> t % 3 = 2)

            let count k =
                decisions |> Array.filter (snd >> (=) k) |> Array.length

            // 1000 decisions among 4 units: 250 each, with a standard deviation of 13.7.
            for k in 0..3 do
                Expect.isTrue (abs (count k - 250) < 70) $"unit {k} was chosen {count k} times"
        }

        test "exploration has random numbers of its own, which noise does not move" {
            let chosen noise =
                chosenBy (fst (noisyStriatum noise 1.0 1.0 (Array.zeroCreate 4))) 7L

            Expect.equal (chosen 0.5) (chosen 0.0) "choices"
        }

        test "exploration takes its area's own numbers: whether to explore, then which unit" {
            for seed in 1L .. 5L do
                let stream = RandomStream.OfTrial(seed, "exploration striatum", 0L)
                let chosen = winners 0.4 seed

                for t in 3..3..3000 do
                    let expected = if stream.Chance 0.4 then stream.Between(0, 4) else greedy t
                    Expect.equal chosen[t - 1] expected $"step {t}"
        }

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
            Numbers.isLessThan
                (abs (hits / 1000.0 - 0.7))
                (4.0 * sqrt (0.7 * 0.3 / 1000.0))
                "greedy choices"
        }

        test "only differences of currents and their sign choose" {
            let plain = winners 0.0 1L

            let by scale constants =
                chosenBy (fst (striatumWith 0.0 scale constants)) 1L

            Expect.equal (by 3.7 (Array.zeroCreate 4)) plain "scaled"
            Expect.equal (by 1.0 (Array.create 4 -5.0)) plain "the same constant for all"
            Expect.notEqual (by -1.0 (Array.zeroCreate 4)) plain "turned round"
            Expect.notEqual (by 1.0 [| 0.5; 0.0; 0.0; 0.0 |]) plain "a constant for one"
        }

        test "a rewarded choice grows by rate |h|^2 / T, no other; without reward nothing changes" {
            let grown, before, square, _ = growth PostSignal.Rate 1.0
            let winner = before |> Array.findIndex ((=) (Array.max before))

            for k in 0..3 do
                let expected = if k = winner then 0.3 * square / 3.0 else 0.0
                Numbers.isLessThan (abs (grown[k] - expected)) 1e-14 $"unit {k}"

            let _, _, _, isSame = growth PostSignal.Rate 0.0
            Expect.isTrue isSame "no reward"
        }

        test "by the current before the competition, as printed, others grow too" {
            let grown, before, _, _ = growth PostSignal.Current 1.0
            let winner = before |> Array.findIndex ((=) (Array.max before))

            Expect.isTrue
                (Seq.exists id (seq { for k in 0..3 -> k <> winner && abs grown[k] > 1e-3 }))
                "others"
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

        test "of equal currents the first wins, of those that are allowed" {
            for first in 0..3 do
                for second in first + 1 .. 3 do
                    let constants =
                        Array.init 4 (fun k -> if k = first || k = second then 0.5 else 0.25)

                    let chosen = chosenBy (fst (striatumWith 0.0 0.0 constants)) 1L
                    Expect.allEqual chosen[2..] first $"units {first} and {second}"
        }

        test "in a step whose gates are shut there is no noise for a rule to learn from" {
            // Noise reaches the currents in step 3; what is left of the presynaptic signal in steps 4 to 6 meets none.
            let builder, area = noisy ()

            let rule =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Memory = TraceMemory.None,
                    Post = PostSignal.Noise,
                    PreAlpha = 0.5,
                    Third = ThirdFactor.TaskReward
                )

            let projection =
                ProjectionSpec(
                    Name = "constants",
                    Source = Source.One,
                    Target = Target.Area area,
                    Synapses = Synapses.Dense(Array.zeroCreate 4),
                    Gate = Gate.AtEvent 0,
                    Plasticity = Plasticity(rule, 1.0, UpdateSchedule.TrialEnd)
                )
                |> builder.AddProjection

            let rewarding = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 0
                    member _.MaxSteps = 6
                    member _.Events = 1
                    member _.GivesRewards = true

                    member _.Fill(_, _, into) =
                        for t in 0..5 do
                            into.Events[t] <- (t = 2)
                            into.Rewards[t] <- if t > 2 then 1.0 else 0.0
            }

            let session = Session.Create(builder.Build(), rewarding, 1L)
            session.Run 3 |> ignore
            Expect.allEqual (session.Weights projection) 0.0 "nothing was learned"
        }
    ]

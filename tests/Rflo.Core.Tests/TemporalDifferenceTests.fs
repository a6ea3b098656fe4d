/// Readouts that learn to predict rewards, where the value is known.
module Rflo.Core.Tests.TemporalDifferenceTests

open System
open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking

/// A state for each step: unit t - 1 of a relay is 1 in step t, and 0 in every other.
let private chain steps (plasticity: Plasticity) kind isPartly =
    let builder = GraphBuilder()

    let clock =
        builder.AddArea(
            AreaSpec(
                Name = "clock",
                Units = steps,
                Alpha = Array.create steps 1.0,
                InitialRates = Array.zeroCreate steps,
                Transfer = Transfer.Identity
            )
        )

    let input = builder.AddInput(InputSpec("time", steps))

    let value =
        builder.AddReadout(ReadoutSpec(Name = "value", Outputs = 1, Kind = kind))

    ProjectionSpec(
        Name = "time",
        Source = Source.Input input,
        Target = Target.Area clock,
        Synapses =
            Synapses.Dense(
                Array.init (steps * steps) (fun k -> if k % (steps + 1) = 0 then 1.0 else 0.0)
            )
    )
    |> builder.AddProjection
    |> ignore

    // Two projections side by side, one of them sparse, learn as one.
    let half = if isPartly then steps / 2 else steps

    let onto name (units: int[]) synapses =
        ProjectionSpec(
            Name = name,
            Source = Source.Area(clock, 1, units),
            Target = Target.Readout value,
            Synapses = synapses,
            Plasticity = plasticity
        )
        |> builder.AddProjection

    let dense = onto "value" [| 0 .. half - 1 |] (Synapses.Dense(Array.zeroCreate half))

    let rest =
        if half = steps then
            []
        else
            let count = steps - half

            [
                onto
                    "rest"
                    [| half .. steps - 1 |]
                    (Synapses.Sparse([| 0; count |], [| 0 .. count - 1 |], Array.zeroCreate count))
            ]

    builder.Build(), dense :: rest

/// Each step has a reward of its own, the same in every trial. There is no target.
let private rewards steps seed =
    let random = Random(seed: int)

    Array.init steps (fun _ ->
        if random.Next 3 = 0 then
            random.NextDouble() * 2.0 - 0.5
        else
            0.0)

let private task (given: float[]) =
    let steps = given.Length

    {
        new ITask with
            member _.Inputs = steps
            member _.Outputs = 1
            member _.MaxSteps = steps
            member _.Events = 0
            member _.GivesRewards = true

            member _.Fill(_, _, into) =
                for t in 0 .. steps - 1 do
                    into.Inputs[t * steps + t] <- 1.0
                    into.Rewards[t] <- given[t]
                    into.Mask[t] <- 0.0
    }

/// V(t) = r(t+1) + gamma r(t+2) + ..., for t = 1 .. T; 0 in the last step.
let private values gamma (given: float[]) = [|
    for t in 1 .. given.Length ->
        Seq.sum [
            for k in t + 1 .. given.Length -> gamma ** float (k - t - 1) * given[k - 1]
        ]
|]

let private learned
    precision
    (schedule: UpdateSchedule)
    kind
    isPartly
    (gamma, lambda)
    (given: float[])
    trials
    =
    let steps = given.Length

    let plasticity =
        Plasticity(
            ThreeFactorRule.Rflo(),
            // eta / T = 0.3.
            0.3 * float steps * (if schedule.Mean then float schedule.Every else 1.0),
            schedule,
            Readout = TdReadout(gamma, lambda)
        )

    let graph, projections = chain steps plasticity kind isPartly
    let session = Session.Create(graph, task given, 1L, precision)
    let status = session.Run trials
    Expect.equal status.End RunEnd.Completed (string status)
    projections |> List.map session.Weights |> Array.concat

let private schedules = [
    UpdateSchedule.TrialEnd
    UpdateSchedule.Online
    UpdateSchedule(UpdateTime.EverySteps, 3)
    UpdateSchedule(UpdateTime.TrialEnd, 2, true)
]

let private cases' =
    gen {
        let! steps = Gen.choose (2, 9)
        let! seed = Gen.choose (1, 100000)
        let! gamma = Gen.elements [ 0.0; 0.5; 0.9; 1.0 ]
        let! lambda = Gen.elements [ 0.0; 0.5; 0.9; 1.0 ]
        let! schedule = Gen.elements schedules
        let! isPartly = Gen.elements [ true; false ]
        return steps, seed, gamma, lambda, schedule, isPartly
    }
    |> Arb.fromGen

[<Tests>]
let tests =
    testList "TD" [
        test
            "the value of a chain of states with fixed rewards, whatever lambda and the time of updates" {
            let tally = Tally()

            forAll (cases 60 2000) cases' (fun (steps, seed, gamma, lambda, schedule, isPartly) ->
                let given = rewards steps seed
                tally.Count()

                if norm given = 0.0 then
                    tally.Idle()

                let found =
                    learned
                        Precision.Double
                        schedule
                        OutputKind.Linear
                        isPartly
                        (gamma, lambda)
                        given
                        400

                let expected = values gamma given

                // No weight of the last step learns: it is terminal.
                Numbers.isLessThan
                    (norm (Array.map2 (-) found expected))
                    1e-7
                    $"{found} and {expected}")

            tally.Demand 0.3
        }

        test "a reward at a fixed time is foretold by the discount of the time that is left" {
            for precision, tolerance in [ Precision.Double, 1e-9; Precision.Single, 1e-5 ] do
                let given = Array.init 10 (fun t -> if t + 1 = 7 then 1.0 else 0.0)

                let found =
                    learned
                        precision
                        UpdateSchedule.Online
                        OutputKind.Linear
                        false
                        (0.9, 0.6)
                        given
                        600

                for t in 1..10 do
                    let expected = if t < 7 then 0.9 ** float (6 - t) else 0.0
                    Numbers.isLessThan (abs (found[t - 1] - expected)) tolerance $"V({t})"
        }

        test "a sigmoid predicts rewards as well, along its slope" {
            let given = [| 0.0; 0.0; 0.0; 0.8 |]

            let found =
                learned
                    Precision.Double
                    UpdateSchedule.TrialEnd
                    OutputKind.Sigmoid
                    false
                    (0.9, 0.5)
                    given
                    4000

            for t in 1..3 do
                let value = 1.0 / (1.0 + exp -found[t - 1])
                Numbers.isLessThan (abs (value - 0.8 * 0.9 ** float (3 - t))) 1e-4 $"V({t})"
        }

        test "what is out of range, or has more than one output, is refused" {
            let build outputs kind rule () =
                let builder = GraphBuilder()

                let area =
                    builder.AddArea(
                        AreaSpec(Name = "a", Units = 1, Alpha = [| 1.0 |], InitialRates = [| 0.0 |])
                    )

                let readout =
                    builder.AddReadout(ReadoutSpec(Name = "v", Outputs = outputs, Kind = kind))

                ProjectionSpec(
                    Name = "p",
                    Source = Source.Area area,
                    Target = Target.Readout readout,
                    Synapses = Synapses.Dense(Array.zeroCreate outputs),
                    Plasticity =
                        Plasticity(
                            ThreeFactorRule.Rflo(),
                            0.1,
                            UpdateSchedule.Online,
                            Readout = rule
                        )
                )
                |> builder.AddProjection
                |> ignore

            build 1 OutputKind.Linear (TdReadout(0.0, 1.0)) ()

            for outputs, kind, rule, word in
                [
                    1, OutputKind.Linear, TdReadout(1.1, 0.5), "Gamma"
                    1, OutputKind.Linear, TdReadout(nan, 0.5), "Gamma"
                    1, OutputKind.Linear, TdReadout(0.5, -0.1), "Lambda"
                    2, OutputKind.Linear, TdReadout(0.5, 0.5), "one output"
                    1, OutputKind.Softmax, TdReadout(0.5, 0.5), "softmax"
                ] do
                Expect.throwsC (build outputs kind rule) (fun e ->
                    Expect.stringContains e.Message word "the message")
        }

        test "a modulator that the circuit does not have is refused" {
            let build third (source: Neuromodulator | null) () =
                let builder = GraphBuilder()

                let area name units =
                    builder.AddArea(
                        AreaSpec(
                            Name = name,
                            Units = units,
                            Alpha = Array.create units 1.0,
                            InitialRates = Array.zeroCreate units
                        )
                    )

                let a, _ = area "a" 2, area "b" 3
                let v = builder.AddReadout(ReadoutSpec(Name = "v", Outputs = 2))

                ProjectionSpec(
                    Name = "p",
                    Source = Source.Area a,
                    Target = Target.Area a,
                    Synapses = Synapses.Dense(Array.zeroCreate 4),
                    Plasticity =
                        Plasticity(
                            ThreeFactorRule(ErrorPath.Feedback, Third = third, Source = source),
                            0.1,
                            UpdateSchedule.Online
                        )
                )
                |> builder.AddProjection
                |> ignore

                ProjectionSpec(
                    Name = "q",
                    Source = Source.Area a,
                    Target = Target.Readout v,
                    Synapses = Synapses.Dense(Array.zeroCreate 4)
                )
                |> builder.AddProjection
                |> ignore

                builder.Build() |> ignore

            let from (area: int) (weights: float[]) = AreaModulator(AreaId area, weights)
            build ThirdFactor.Signal (from 1 (Array.zeroCreate 6)) ()
            build ThirdFactor.Signal (AreaModulator(AreaId 1, 2, 7)) ()
            build ThirdFactor.Signal (ReadoutModulator(ReadoutId 0, 1)) ()

            let refused: (ThirdFactor * (Neuromodulator | null) * string) list = [
                ThirdFactor.Signal, null, "Source"
                ThirdFactor.Error, ReadoutModulator(ReadoutId 0), "Source"
                ThirdFactor.Signal, ReadoutModulator(ReadoutId 1), "the readout that modulates p"
                ThirdFactor.Signal, ReadoutModulator(ReadoutId 0, 2), "the output of v"
                ThirdFactor.Signal, TemporalDifferenceModulator(ReadoutId -1, 0.5), "the readout"
                ThirdFactor.Signal, TemporalDifferenceModulator(ReadoutId 0, 1.5), "Gamma"
                ThirdFactor.Signal, AreaModulator(AreaId 2, 0), "the area that modulates p"
                ThirdFactor.Signal, AreaModulator(AreaId 1, 3), "the unit of b"
                ThirdFactor.Signal, AreaModulator(AreaId 1, 0, 0), "the delay from b"
                ThirdFactor.Signal, from 1 (Array.zeroCreate 4), "(post 2, pre 3)"
                ThirdFactor.Signal, from 1 (Array.create 6 infinity), "finite"
            ]

            for third, source, word in refused do
                Expect.throwsC (build third source) (fun e ->
                    Expect.stringContains e.Message word "the message")
        }

        test "modulators are equal where their weights are" {
            let one weights =
                AreaModulator(AreaId 0, (weights: float[]))

            Expect.equal (one [| 1.0; 2.0 |]) (one [| 1.0; 2.0 |]) "the same weights"
            Expect.notEqual (one [| 1.0; 2.0 |]) (one [| 1.0; 3.0 |]) "other weights"
            Expect.notEqual (one [| 0.0 |]) (AreaModulator(AreaId 0, 0)) "no weights"
            Expect.equal (hash (one [| 1.0 |])) (hash (one [| 1.0 |])) "hash codes"
        }

        test "a passive rule takes rates as old as the graph keeps, and no older" {
            let graph history =
                let builder = GraphBuilder(History = history)

                let area =
                    builder.AddArea(
                        AreaSpec(
                            Name = "a",
                            Units = 2,
                            Alpha = [| 0.5; 0.5 |],
                            InitialRates = [| 0.1; 0.2 |]
                        )
                    )

                ProjectionSpec(
                    Name = "p",
                    Source = Source.Area area,
                    Target = Target.Area area,
                    Synapses = Synapses.Dense [| 0.1; 0.2; 0.3; 0.4 |],
                    Plasticity = Plasticity(ThreeFactorRule.Rflo(), 0.1, UpdateSchedule.Online)
                )
                |> builder.AddProjection
                |> ignore

                builder.Build()

            let quiet = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 0
                    member _.MaxSteps = 3
                    member _.Events = 0
                    member _.Fill(_, _, _) = ()
            }

            let rule =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Third = ThirdFactor.Signal,
                    Source = AreaModulator(AreaId 0, 1, 4)
                )

            let look history () =
                Session.Create(graph history, quiet, 1L).Increments(0, rule, UpdateTime.Online)

            let found = nonNull ((look 4 ())[0])
            Numbers.isGreaterThan (norm found) 1e-6 "it learns"

            Expect.throwsC (look 3 >> ignore) (fun e ->
                Expect.stringContains e.Message "at most 3" "the message")
        }
    ]

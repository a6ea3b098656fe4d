/// A direction in the state of a circuit is the same whether its products are made beside the currents or alone.
module Rflo.Core.Tests.TangentTests

open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private uoro: LearningRule = StochasticRule InfluenceFactors.RankOne

/// The weights of all areas after a trial, and whether anybody asked to be multiplied beside the signals.
let private trained (graph: Graph) (task: ITask) beside =
    let network = Network<float>(graph, task.MaxSteps, task.Events, 1L)
    let learners = Learners.ForTraining network
    task.Fill(0, RandomStream(1L, "task"), network.Trial)
    network.Begin(0L, 0)
    learners.Begin(0, network.Trial.Steps)

    let asked =
        network.Areas |> Array.exists (fun area -> not (isNull area.Afferents.Beside))

    if not beside then
        for area in network.Areas do
            area.Afferents.Beside <- null

    for t in 1 .. network.Trial.Steps do
        network.Step t
        learners.Step t

    learners.End network.Trial.Steps

    asked,
    [|
        for area in network.Areas do
            yield! area.Afferents.Weights.Dense.Span.ToArray()

            for block in area.Afferents.Weights.Sparse do
                yield! block
    |]

let private isTheSame what graph task =
    let asked, beside = trained graph task true
    let _, alone = trained graph task false
    Expect.isTrue (sameBits beside alone) $"{what}: the same bits"
    asked

/// The states of all areas after a trial in which those of step 1 were moved by so much along a direction, and the direction as a
/// tangent carries it there.
let private moved (case: Case) (direction: float[][]) distance =
    let graph = graphWith asDeclared case.Circuit
    let task: ITask = WhiteNoise case
    let network = Network<float>(graph, task.MaxSteps, task.Events, 1L)
    let tangent = TangentState<float> network
    task.Fill(0, RandomStream(1L, "task"), network.Trial)
    network.Begin(0L, 0)
    tangent.Begin()

    for t in 1 .. network.Trial.Steps do
        network.Step t
        tangent.Advance t

        if t = 1 then
            for area in network.Areas do
                for i in 0 .. area.Units - 1 do
                    let along = direction[area.Index].[i]
                    let states = area.States 1
                    let carried = tangent.Of(area.Index, 1)
                    states[i] <- states[i] + distance * along
                    carried[i] <- along

                area.Transmit 1

    let all (row: AreaState<float> -> float[]) =
        network.Areas
        |> Array.collect (fun area -> Array.truncate area.Units (row area))

    let last = network.Trial.Steps

    all (fun area -> area.States(last).ToArray()),
    all (fun area -> tangent.Of(area.Index, last).ToArray())

/// Circuits whose readouts are not fed back: what such a readout sends was made before its areas were moved.
let private withoutFeedback =
    RandomCircuits.anyCircuit
    |> Arb.filter (fun case ->
        case.Circuit.Projections
        |> List.forall (fun one ->
            match one.Source with
            | Fed _ -> false
            | _ -> true))

/// A direction of states is carried forward as finite differences of the circuit carry it.
let private isDerivative (tally: Tally) (case: Case) =
    tally.Count()

    if GradientTests.isNearKink case 0 then
        tally.Idle()
    else
        let random = System.Random case.Seed

        let direction = [|
            for area in case.Circuit.Areas -> Array.init area.Units (fun _ -> gaussian random)
        |]

        let step = 1e-6
        let up, down = fst (moved case direction step), fst (moved case direction -step)
        let differences = Array.map2 (fun a b -> (a - b) / (2.0 * step)) up down
        let carried = snd (moved case direction 0.0)

        Numbers.isLessThan
            (norm (Array.map2 (-) differences carried))
            (1e-6 * (1.0 + norm carried))
            "states at the end"

/// An area that drives, and is driven by, one that is held while its gates are closed.
let private withWinners =
    let random = System.Random 3

    let draw rows columns =
        Synapses.Dense(Array.init (rows * columns) (fun _ -> random.NextDouble() - 0.5))

    let builder = GraphBuilder()

    let cortex =
        builder.AddArea(
            AreaSpec(
                Name = "cortex",
                Units = 6,
                Alpha = Array.create 6 0.4,
                InitialRates = Array.create 6 0.1
            )
        )

    let striatum =
        builder.AddArea(
            AreaSpec(
                Name = "striatum",
                Units = 3,
                Alpha = Array.create 3 1.0,
                Dynamics = Dynamics.WinnerTakeAll,
                InitialRates = [| 1.0; 0.0; 0.0 |]
            )
        )

    let y = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

    for name, source, target, weights, gate in
        [
            "recurrent", Source.Area cortex, Target.Area cortex, draw 6 6, Gate.Always
            "choice", Source.Area cortex, Target.Area striatum, draw 3 6, Gate.Every 3
            "chosen", Source.Area striatum, Target.Area cortex, draw 6 3, Gate.Always
            "y", Source.Area cortex, Target.Readout y, draw 1 6, Gate.Always
            "back", Source.Readout y, Target.Area cortex, draw 6 1, Gate.Every 2
        ] do
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = target,
            Synapses = weights,
            Gate = gate,
            Plasticity =
                (if name = "recurrent" then
                     Plasticity(uoro, 0.1, UpdateSchedule.Online)
                 else
                     null)
        )
        |> builder.AddProjection
        |> ignore

    builder.Build()

[<Tests>]
let tests =
    testList "tangents" [
        for name, rule, schedule in
            [
                "UORO", uoro, UpdateSchedule.Online
                "UORO at ends of trials", uoro, UpdateSchedule.TrialEnd
                "KeRNL", KernlRule 0.1, UpdateSchedule.Online
            ] do
            test $"of {name} are the same beside the currents and alone" {
                let tally = Tally()

                forAll (cases 100 2000) RandomCircuits.anyCircuit (fun case ->
                    tally.Count()
                    let graph = graphWith (learning rule schedule 0.1) case.Circuit

                    if not (isTheSame name graph (WhiteNoise case)) then
                        tally.Idle())

                tally.Demand 0.5
            }

        test "are carried forward as finite differences are" {
            let tally = Tally()
            forAll (cases 100 3000) withoutFeedback (isDerivative tally)
            // Few circuits have a current near a kink; the twenty of a brief run may hold several.
            tally.Demand 0.4
        }

        test "are the same where an area's gates are closed" {
            let task =
                Networks.Given(Array.create 9 [||], Array.create 9 [| 0.5 |], (fun _ -> 9))

            Expect.isTrue (isTheSame "held" withWinners task) "somebody asked"
        }

        test "of two learners, of whom one alone is multiplied beside the currents, are the same" {
            forAll (cases 50 1000) RandomCircuits.anyCircuit (fun case ->
                let setup = {
                    asDeclared with
                        Plasticity =
                            fun k ->
                                Plasticity(
                                    (if k % 2 = 0 then uoro else KernlRule 0.1),
                                    0.1,
                                    UpdateSchedule.Online
                                )
                }

                isTheSame "two" (graphWith setup case.Circuit) (WhiteNoise case) |> ignore)
        }
    ]

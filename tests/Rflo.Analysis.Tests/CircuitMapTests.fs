/// The map of a circuit: that it iterates what a session does, and that its Jacobian is its derivative.
module Rflo.Analysis.Tests.CircuitMapTests

open System
open Expecto
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests
open Rflo.Analysis
open Rflo.Analysis.Tests.Small

/// Units with two states that act on each other; the rate depends on both.
let private adapting: UnitModel =
    PointwiseUnits(
        "adapting",
        [| "v"; "a" |],
        (fun unit ->
            let v, a = unit.Before[0], unit.Before[1]
            unit.State[0] <- (1.0 - unit.Alpha) * v + unit.Alpha * (unit.Current - 0.5 * a * a)
            unit.State[1] <- 0.9 * a + 0.1 * v + 0.05 * unit.Current
            unit.A[0, 0] <- 1.0 - unit.Alpha
            unit.A[0, 1] <- -unit.Alpha * a
            unit.A[1, 0] <- 0.1
            unit.A[1, 1] <- 0.9
            unit.C[0] <- unit.Alpha
            unit.C[1] <- 0.05),
        (fun unit ->
            let rate = tanh (unit.State[0] + 0.3 * unit.State[1])
            unit.G[0] <- 1.0 - rate * rate
            unit.G[1] <- 0.3 * (1.0 - rate * rate)
            rate),
        Initial = [| 0.2 |]
    )

/// Circuits without noise and gates that begin where they are declared to; every third has an area of units with two states.
let private circuits =
    let still (case: Case) = {
        case with
            Circuit.Areas =
                case.Circuit.Areas
                |> List.map (fun area -> {
                    area with
                        Noise = 0.0
                        Start = InitialPolicy.Reset
                })
            Circuit.Projections =
                case.Circuit.Projections
                |> List.map (fun projection -> { projection with Gate = Gate.Always })
    }

    RandomCircuits.anyCircuit |> Arb.mapFilter still (fun _ -> true)

let private declared (case: Case) = {
    asDeclared with
        Plasticity = fun _ -> Plasticity(Rules.bptt, 0.01, UpdateSchedule.TrialEnd)
        Area =
            fun index area ->
                if (case.Seed + index) % 3 = 0 then
                    Remade.WithUnits(area, adapting)
                else
                    area
}

/// The same inputs in every trial, in every step or different ones, and a target of 1 for every output.
type private Shown(graph: Graph, inputs: float[], steps) =
    interface ITask with
        member _.Inputs = graph.InputChannels
        member _.Outputs = graph.Outputs
        member _.MaxSteps = steps
        member _.Events = 1

        member _.Fill(_, _, trial) =
            Array.blit inputs 0 trial.Inputs 0 inputs.Length
            Array.fill trial.Targets 0 trial.Targets.Length 1.0

let private steps = 12

let private draws (case: Case) count =
    let stream = RandomStream(int64 case.Seed, "a test of maps")
    Array.init count (fun _ -> stream.Gaussian())

/// What a session shows, after some training, is what the map of its weights iterates.
let private isSession isConstant (tally: Tally) (case: Case) =
    tally.Count()
    let graph = graphWith (declared case) case.Circuit
    let channels = graph.InputChannels
    let constant = draws case channels

    let inputs =
        if isConstant then
            Array.concat (Array.replicate steps constant)
        else
            draws case (steps * channels)

    let session = Session.Create(graph, Shown(graph, inputs, steps), int64 case.Seed)
    let status = session.Run 2
    let recording = session.Test 0

    if status.End <> RunEnd.Completed || not (norm (Seq.concat recording.Rates) < 1e3) then
        tally.Idle()
    else
        let map = CircuitMap.Of(session, constant)

        let states =
            if isConstant then
                map.Trajectory(map.InitialState(), steps)
            elif channels = 0 then
                map.Trajectory(map.InitialState(), steps)
            else
                map.Driven(map.InitialState(), inputs)

        for area, rates in Seq.zip graph.Areas recording.Rates do
            let found = [|
                for state in Array.skip 1 states do
                    yield! map.Rates(state, area.Name)
            |]

            Numbers.isLessThanOrEqual (relative rates found) 1e-10 $"rates of {area.Name}"

        let mutable first = 0

        for readout in graph.Readouts do
            let asked = [|
                for t in 0 .. steps - 1 do
                    for k in 0 .. readout.Outputs - 1 do
                        recording.Outputs[t * graph.Outputs + first + k]
            |]

            let found = [|
                for state in Array.skip 1 states do
                    yield! map.Outputs(state, readout.Name)
            |]

            first <- first + readout.Outputs
            Numbers.isLessThanOrEqual (relative asked found) 1e-10 $"outputs of {readout.Name}"

/// The currents of an area by source are all that its units receive: from their sum follow the next rates.
let private addsUp (tally: Tally) (case: Case) =
    tally.Count()
    let graph = graph case.Circuit
    let inputs = draws case (steps * graph.InputChannels)
    let session = Session.Create(graph, Shown(graph, inputs, steps), int64 case.Seed)
    let recording = session.Test 0
    let map = CircuitMap.Of(session, Array.zeroCreate graph.InputChannels)

    let received =
        graph.Areas
        |> Seq.indexed
        |> Seq.filter (fun (k, _) ->
            graph.Projections
            |> Seq.exists (fun one -> not one.Target.IsReadout && one.Target.Index = k))
        |> List.ofSeq

    if received.IsEmpty || not (norm (Seq.concat recording.Rates) < 1e3) then
        tally.Idle()

    for k, area in received do
        let found = SourceCurrents.Of(map, area.Name, recording)
        let total = Matrix<float>.Build.Dense(found.Total.RowCount, area.Units)
        let byProjection = Seq.fold (+) total found.ByProjection.Values
        let bySource = Seq.fold (+) total found.BySource.Values
        let scale = 1e-12 * (1.0 + found.Total.FrobeniusNorm())
        Numbers.isLessThanOrEqual ((byProjection - found.Total).FrobeniusNorm()) scale "projections"
        Numbers.isLessThanOrEqual ((bySource - found.Total).FrobeniusNorm()) scale "sources"
        Expect.equal (found.FirstStep + found.Total.RowCount) (steps + 1) "to the last step"

        if area.Dynamics = Dynamics.Leaky then
            for row in max 0 (2 - found.FirstStep) .. found.Total.RowCount - 1 do
                let current = found.Total.Row(row).ToArray()
                let value, slope = Array.copy current, Array.copy current
                TransferFunction.Evaluate(area.Transfer, current, value, slope)

                for i in 0 .. area.Units - 1 do
                    let rate step =
                        recording.Rates[k][(step - 1) * area.Units + i]

                    let step = found.FirstStep + row
                    let next = (1.0 - area.Alpha[i]) * rate (step - 1) + area.Alpha[i] * value[i]
                    isNear (1e-10 * (1.0 + abs next)) next (rate step) $"unit {i} in step {step}"

let private mapAndState (case: Case) =
    let graph = graphWith (declared case) case.Circuit
    let map = CircuitMap(graph, draws case graph.InputChannels)
    let drawn = draws case (graph.InputChannels + map.Size)
    map, Array.skip graph.InputChannels drawn

/// The change of F(z) with one number of z.
let private difference (map: CircuitMap) (state: float[]) step j =
    let at sign =
        let moved = Array.copy state
        moved[j] <- moved[j] + sign * step
        map.Next moved

    Array.map2 (fun up down -> (up - down) / (2.0 * step)) (at 1.0) (at -1.0)

/// Near a kink a difference is no derivative, unless its step is small enough.
let private isDerivative (tally: Tally) (case: Case) =
    tally.Count()
    let map, state = mapAndState case
    let jacobian = map.At(state).ToMatrix()
    let scale = 1.0 + jacobian.FrobeniusNorm()

    if not (scale < 1e4) then
        tally.Idle()
    else
        for j in 0 .. map.Size - 1 do
            let column = jacobian.Column(j).ToArray()

            let isColumn step =
                distance (difference map state step j) column < 1e-6 * scale

            Expect.isTrue (isColumn 1e-5 || isColumn 1e-7) $"column {j} of {map.Size}"

/// Products with the Jacobian and its transpose are those of its elements; its blocks are where the areas lie.
let private isOneMatrix (case: Case) =
    let map, state = mapAndState case
    let at = map.At state
    let jacobian = at.ToMatrix()
    let direction = draws { case with Seed = case.Seed + 1 } map.Size

    let product, back =
        Array.zeroCreate<float> map.Size, Array.create<float> map.Size nan

    at.Multiply(direction, product)
    at.MultiplyTransposed(direction, back)
    let vector = Vector<float>.Build.Dense direction
    let tolerance = 1e-12 * (1.0 + jacobian.FrobeniusNorm()) * vector.L2Norm()
    let expected = (jacobian * vector).ToArray()
    Numbers.isLessThanOrEqual (distance expected product) tolerance "J v"
    let expected = (jacobian.Transpose() * vector).ToArray()
    Numbers.isLessThanOrEqual (distance expected back) tolerance "J' w"

    for target in map.Graph.Areas do
        for source in map.Graph.Areas do
            let rows, columns = map.Block target.Name, map.Block source.Name
            let block = at.Block(target.Name, source.Name)

            for i in 0 .. rows.Length - 1 do
                for j in 0 .. columns.Length - 1 do
                    Expect.equal
                        block[i, j]
                        jacobian[rows.Start + i, columns.Start + j]
                        $"{source.Name} to {target.Name}"

/// A settled state is the same at all times before, so without a change of its units it stays settled.
let private isSettled (case: Case) =
    let map, state = mapAndState case
    let settled = map.Settled state

    for block in map.Blocks do
        if block.Age > 0 && block.Variable.StartsWith "rate" then
            let rates = map.Rates(settled, block.Name)
            Expect.equal (Array.sub settled block.Start block.Length) rates block.Variable
        elif block.Age > 0 then
            let outputs = map.Outputs(settled, block.Name)
            Expect.equal (Array.sub settled block.Start block.Length) outputs block.Variable
        else
            Expect.equal
                (Array.sub settled block.Start block.Length)
                (Array.sub state block.Start block.Length)
                "states of units are as given"

    Expect.equal (map.Blocks |> Seq.sumBy _.Length) map.Size "the parts of a state are all of it"

/// An area of three units with a part that has no derivative or no constant map.
let private with' (change: AreaSpec -> AreaSpec) gate =
    let builder = GraphBuilder()

    let area =
        AreaSpec(
            Name = "striatum",
            Units = 3,
            Alpha = Array.create 3 0.5,
            InitialRates = Array.zeroCreate 3
        )
        |> change
        |> builder.AddArea

    let input = builder.AddInput(InputSpec("x", 2))

    ProjectionSpec(
        Name = "x->striatum",
        Source = Source.Input input,
        Target = Target.Area area,
        Synapses = Synapses.Dense [| 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 |],
        Gate = gate
    )
    |> builder.AddProjection
    |> ignore

    builder.Build()

let private winners (area: AreaSpec) =
    Remade.Area(area, dynamics = Dynamics.WinnerTakeAll)

let private spiking (area: AreaSpec) =
    Remade.WithUnits(area, LeakyIntegrateAndFire())

[<Tests>]
let tests =
    testList "circuit maps" [
        testCase "iterate what a session does at constant inputs"
        <| fun () ->
            let tally = Tally()
            forAll (cases 150 3000) circuits (isSession true tally)
            tally.Demand 0.2

        testCase "iterate what a session does at inputs over time"
        <| fun () ->
            let tally = Tally()
            forAll (cases 100 2000) circuits (isSession false tally)
            tally.Demand 0.2

        testCase "have currents by source that add up to what units receive"
        <| fun () ->
            let tally = Tally()
            forAll (cases 100 2000) circuits (addsUp tally)
            tally.Demand 0.2

        testCase "have Jacobians that are their derivatives"
        <| fun () ->
            let tally = Tally()
            forAll (cases 150 3000) circuits (isDerivative tally)
            tally.Demand 0.1

        testCase "have one Jacobian by elements, by products and by blocks"
        <| fun () -> forAll (cases 150 3000) circuits isOneMatrix

        testCase "settle signals under way to those of the present"
        <| fun () -> forAll (cases 100 2000) circuits isSettled

        testCase "are refused for parts without a derivative, by name"
        <| fun () ->
            let make change gate options () =
                CircuitMap(with' change gate, [| 0.0; 0.0 |], options)

            isRefused [ "area striatum"; "winner-take-all" ] (make winners Gate.Always null)
            isRefused [ "area striatum"; "spikes" ] (make spiking Gate.Always null)
            isRefused [ "x->striatum"; "open or shut" ] (make id (Gate.Every 3) null)

            isRefused
                [ "y->striatum" ]
                (make id Gate.Always (MapOptions(Open = readOnlyDict [ "y->striatum", true ])))

            isRefused [ "step"; "0 ms" ] (make id Gate.Always (MapOptions(Dt = 0.0)))

        testCase "are refused for circuits that are perturbed in some steps"
        <| fun () ->
            let builder = GraphBuilder()

            let area =
                AreaSpec(
                    Name = "m1",
                    Units = 2,
                    Alpha = [| 0.5; 0.5 |],
                    InitialRates = [| 0.0; 0.0 |]
                )
                |> builder.AddArea

            builder.AddPerturbation(Silence(area, [| 0 |]))
            let graph = builder.Build()
            isRefused [ "Silence"; "perturbation" ] (fun () -> CircuitMap(graph, [||]))

        testCase "take a gate as it is said to be"
        <| fun () ->
            let rates isOpen =
                let map =
                    CircuitMap(
                        with' id Gate.TrialEnd,
                        [| 1.0; -1.0 |],
                        MapOptions(Open = readOnlyDict [ "x->striatum", isOpen ])
                    )

                map.Next(map.InitialState())

            Expect.equal (rates true) (Array.create 3 (0.5 * tanh -1.0)) "open"
            Expect.equal (rates false) (Array.zeroCreate 3) "shut"

        testCase "say what does not fit"
        <| fun () ->
            let graph = with' id Gate.Always
            let map = CircuitMap(graph, [| 0.0; 0.0 |])

            isRefused [ "inputs"; "1 numbers"; "2 input channels" ] (fun () ->
                CircuitMap(graph, [| 0.0 |]))

            isRefused [ "inputs"; "channel 1"; "NaN" ] (fun () -> map.WithInputs [| 0.0; nan |])
            isRefused [ "state"; "2 numbers"; "has 3" ] (fun () -> map.Next [| 0.0; 0.0 |])

            isRefused [ "no area cortex"; "striatum" ] (fun () ->
                map.Rates(map.InitialState(), "cortex"))

            isRefused [ "no readout y" ] (fun () -> map.Outputs(map.InitialState(), "y"))

            isRefused [ "no whole number of steps" ] (fun () ->
                map.Driven((map.InitialState(): float[]), [| 1.0 |]))
    ]

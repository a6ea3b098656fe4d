/// A graph is checked where a part is added: what does not fit is refused there, by the part's name.
module Rflo.Core.Tests.GraphTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.InCore

let private area =
    AreaSpec(
        Name = "cortex",
        Units = 3,
        Alpha = Array.create 3 0.1,
        InitialRates = Array.zeroCreate 3
    )

let private refuses part (add: GraphBuilder -> unit) =
    try
        add (GraphBuilder())
        failtest $"took a wrong {part}"
    with :? ArgumentException as refused ->
        Expect.stringContains refused.Message part "names the part"

/// A graph with an area of three units, two channels of input and a readout of two, and one more projection.
let private withProjection source target (weights: Synapses) change (builder: GraphBuilder) =
    let cortex = builder.AddArea area
    let input = builder.AddInput(InputSpec("light", 2))
    let readout = builder.AddReadout(ReadoutSpec(Name = "hand", Outputs = 2))

    ProjectionSpec(
        Name = "tested",
        Source = source cortex input readout,
        Target = target cortex readout,
        Synapses = weights
    )
    |> change
    |> builder.AddProjection
    |> ignore

let private onto cortex _ = Target.Area cortex
let private read _ readout = Target.Readout readout
let private rates cortex _ _ = Source.Area cortex
let private dense count = Synapses.Dense(Array.zeroCreate count)
let private asItIs (spec: ProjectionSpec) = spec

/// The recurrent projection with another property.
let private changed (change: ProjectionSpec -> ProjectionSpec) =
    refuses "tested" (withProjection rates onto (dense 9) change)

let private again (spec: ProjectionSpec) gate plasticity signs lower upper =
    ProjectionSpec(
        Name = spec.Name,
        Source = spec.Source,
        Target = spec.Target,
        Synapses = spec.Synapses,
        Gate = gate,
        Plasticity = plasticity,
        Signs = signs,
        Lower = lower,
        Upper = upper
    )

let private areaWith units alpha noise explore =
    AreaSpec(
        Name = "cortex",
        Units = units,
        Alpha = alpha,
        InitialRates = Array.zeroCreate (max 0 units),
        Noise = noise,
        Explore = explore
    )

let private refusesArea part spec =
    refuses part (fun builder -> builder.AddArea spec |> ignore)

let private plastic rule rate schedule = Plasticity(rule, rate, schedule)

let private refusesTask part (task: ITask) =
    let builder = GraphBuilder()
    withProjection rates onto (dense 9) asItIs builder

    try
        Session.Create(builder.Build(), task, 1L) |> ignore
        failtest "took a task that does not fit"
    with :? ArgumentException as refused ->
        Expect.stringContains refused.Message part "names what does not fit"

[<Tests>]
let tests =
    testList "graphs" [
        test "an area's numbers are in range" {
            refusesArea "cortex.Units" (areaWith 0 [||] 0.0 0.0)
            refusesArea "cortex.Alpha" (areaWith 2 [| 0.5 |] 0.0 0.0)
            refusesArea "cortex.Alpha" (areaWith 1 [| 1.5 |] 0.0 0.0)
            refusesArea "cortex.Alpha" (areaWith 1 [| nan |] 0.0 0.0)
            refusesArea "cortex.Noise" (areaWith 1 [| 0.5 |] -1.0 0.0)
            refusesArea "cortex.Noise" (areaWith 1 [| 0.5 |] nan 0.0)
            refusesArea "cortex.Explore" (areaWith 1 [| 0.5 |] 0.0 1.5)
        }

        test "inputs and readouts have something in them" {
            refuses "light.Channels" (fun builder ->
                builder.AddInput(InputSpec("light", 0)) |> ignore)

            refuses "hand.Outputs" (fun builder ->
                builder.AddReadout(ReadoutSpec(Name = "hand", Outputs = 0)) |> ignore)

            refuses "area" (fun builder -> builder.Build() |> ignore)
        }

        test "weights have the shape of their projection" {
            refuses "tested.Weights" (withProjection rates onto (dense 8) asItIs)
            refuses "tested.Weights" (withProjection rates read (dense 9) asItIs)

            refuses
                "tested.Exists"
                (withProjection
                    rates
                    onto
                    (Synapses.Dense(Array.zeroCreate 9, Array.create 8 true))
                    asItIs)

            for start, columns in
                [
                    [| 0; 1; 2 |], [| 0; 0 |]
                    [| 0; 1; 2; 4 |], [| 0; 1; 2 |]
                    [| 0; 2; 1; 3 |], [| 0; 1; 2 |]
                    [| 0; 2; 2; 3 |], [| 1; 0; 2 |]
                    [| 0; 1; 2; 3 |], [| 0; 1; 3 |]
                ] do
                let weights = Array.zeroCreate columns.Length

                refuses
                    "tested"
                    (withProjection rates onto (Synapses.Sparse(start, columns, weights)) asItIs)
        }

        test "a projection joins what there is" {
            let unknown _ _ _ = Source.Area(AreaId 3)
            refuses "tested" (withProjection unknown onto (dense 9) asItIs)
            let missing _ _ = Target.Readout(ReadoutId 7)
            refuses "tested" (withProjection rates missing (dense 9) asItIs)
            let outside cortex _ _ = Source.Area(cortex, 1, [| 0; 3 |])
            refuses "tested" (withProjection outside onto (dense 6) asItIs)
            let twice cortex _ = Target.Area(cortex, [| 1; 1 |])
            refuses "tested" (withProjection rates twice (dense 6) asItIs)
            let now cortex _ _ = Source.Area(cortex, 0)
            refuses "tested.Delay" (withProjection now onto (dense 9) asItIs)
            let light _ input _ = Source.Input input
            refuses "tested" (withProjection light read (dense 4) asItIs)
            let hand _ _ readout = Source.Readout readout
            refuses "tested" (withProjection hand read (dense 4) asItIs)
        }

        test "gates, signs, bounds and rates are possible" {
            let always, trialEnd = Gate.Always, UpdateSchedule.TrialEnd
            changed (fun one -> again one (Gate.Every 0) null null -infinity infinity)
            changed (fun one -> again one always null [| 1y; -1y |] -infinity infinity)
            changed (fun one -> again one always null null 1.0 -1.0)
            changed (fun one -> again one always (plastic Rules.rflo nan trialEnd) null -1.0 1.0)
            changed (fun one -> again one always (plastic Rules.rflo -0.1 trialEnd) null -1.0 1.0)
            let never = UpdateSchedule(UpdateTime.TrialEnd, 0)
            changed (fun one -> again one always (plastic Rules.rflo 0.1 never) null -1.0 1.0)
            let online = UpdateSchedule.Online
            changed (fun one -> again one always (plastic Rules.bptt 0.1 online) null -1.0 1.0)

            refuses
                "tested"
                (withProjection rates read (dense 6) (fun one ->
                    again one Gate.TrialEnd null null -1.0 1.0))
        }

        test "feedback has the shape of its area and readout" {
            refuses "feedback" (fun builder ->
                let cortex = builder.AddArea area
                let hand = builder.AddReadout(ReadoutSpec(Name = "hand", Outputs = 2))

                builder.AddFeedback(
                    FeedbackSpec(Readout = hand, Area = cortex, Matrix = Array.zeroCreate 5)
                ))
        }

        test "a task shows and asks what the graph takes and gives" {
            let rows width =
                Array.create 2 (Array.zeroCreate<float> width)

            refusesTask "task.Inputs" (Networks.Given(rows 1, rows 2, (fun _ -> 2)))
            refusesTask "task.Outputs" (Networks.Given(rows 2, rows 3, (fun _ -> 2)))
        }

        test "least squares take a linear readout without limits, and numbers in range" {
            let learning readout (spec: ProjectionSpec) =
                again
                    spec
                    Gate.Always
                    (Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd, Readout = readout))

            let refusesReadout part change =
                refuses part (withProjection rates read (dense 6) change)

            for readout in [ RlsReadout 1.0 :> ReadoutRule; RidgeReadout 1.0 ] do
                let learning = learning readout

                refusesReadout "tested" (fun spec ->
                    learning spec (Array.create 3 1y) -infinity infinity)

                refusesReadout "tested" (fun spec -> learning spec null -1.0 infinity)
                refusesReadout "tested" (fun spec -> learning spec null -infinity 1.0)

            for part, readout in
                [
                    "tested.Alpha", RlsReadout 0.0 :> ReadoutRule
                    "tested.Alpha", RidgeReadout nan
                    "tested.Forgetting", RlsReadout(1.0, 0.0)
                    "tested.Forgetting", RlsReadout(1.0, 1.01)
                    "tested.Every", RlsReadout(1.0, 1.0, 0)
                    "tested.Every", RidgeReadout(1.0, 0, 0)
                    "tested.Washout", RidgeReadout(1.0, -1)
                ] do
                refusesReadout part (fun spec -> learning readout spec null -infinity infinity)
        }
    ]

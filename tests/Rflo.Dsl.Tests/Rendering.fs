/// A compiled graph as text, for people and for golden files.
module Rflo.Dsl.Tests.Rendering

open Rflo.Dsl
open Rflo.Core

let private number (value: float) =
    match $"%.6g{value}" with
    | "-0" -> "0"
    | text -> text

let private numbers (values: float seq) =
    values |> Seq.map number |> String.concat " "

let private whole (values: int seq) =
    values |> Seq.map string |> String.concat " "

/// Equal numbers are said once.
let private shortly (values: float[]) =
    match Array.distinct values with
    | [| one |] -> $"all {number one}"
    | _ -> numbers values

let private area (spec: AreaSpec) = [
    $"area {spec.Name}: {spec.Units} units, {spec.Transfer}, {spec.Dynamics}"
    $"  alpha {shortly spec.Alpha}"
    $"  starts {spec.InitialPolicy} at {shortly spec.InitialRates}, spread {number spec.InitialSpread}"

    if spec.Noise > 0.0 then
        $"  noise {number spec.Noise}"

    if spec.Dynamics = Dynamics.WinnerTakeAll then
        $"  explores {number spec.Explore}"
]

let private units (chosen: int[] | null) =
    match chosen with
    | null -> ""
    | chosen -> $"[{whole chosen}]"

let private source (graph: Graph) (source: Source) =
    let from =
        match source.Kind with
        | SignalKind.Area -> graph.Areas[source.Index].Name
        | SignalKind.Input -> graph.Inputs[source.Index].Name
        | SignalKind.Readout -> graph.Readouts[source.Index].Name
        | _ -> "1"

    $"{from}{units source.Units}, delay {source.Delay}"

let private target (graph: Graph) (target: Target) =
    if target.IsReadout then
        graph.Readouts[target.Index].Name
    else
        $"{graph.Areas[target.Index].Name}{units target.Units}"

let private synapses (synapses: Synapses) (pre: int) = [
    match synapses with
    | :? SparseSynapses as sparse ->
        $"  sparse, {sparse.Count} weights"

        for i in 0 .. sparse.RowStart.Length - 2 do
            let row = [ sparse.RowStart[i] .. sparse.RowStart[i + 1] - 1 ]

            let entries =
                row |> List.map (fun k -> $"{sparse.Columns[k]}: {number sparse.Weights[k]}")

            "    "
            + (if List.isEmpty entries then
                   "none"
               else
                   String.concat ", " entries)
    | :? DenseSynapses as dense ->
        $"  dense, {dense.Count} weights"

        for row in 0 .. dense.Weights.Length / pre - 1 do
            let entries = [
                for j in 0 .. pre - 1 do
                    let k = row * pre + j

                    match dense.Exists with
                    | null -> number dense.Weights[k]
                    | exists when exists[k] -> number dense.Weights[k]
                    | _ -> "-"
            ]

            "    " + String.concat " " entries
    | other -> string other
]

let private projection (graph: Graph) index (spec: ProjectionSpec) = [
    let struct (post, pre) = graph.ShapeOf(ProjectionId index)
    $"projection {spec.Name}: {source graph spec.Source} -> {target graph spec.Target}, ({post}, {pre})"
    yield! synapses spec.Synapses pre

    if spec.Gate <> Gate.Always then
        $"  gate {spec.Gate.Kind} {spec.Gate.Number}"

    match spec.Signs with
    | null -> ()
    | signs -> $"  signs {signs |> Seq.map int |> whole}"

    if spec.Lower > -infinity || spec.Upper < infinity then
        $"  within {number spec.Lower} .. {number spec.Upper}"

    match spec.Plasticity with
    | null -> "  frozen"
    | plastic ->
        let schedule = plastic.Schedule
        let mean = if schedule.Mean then ", mean" else ""

        $"  {plastic.Rule.GetType().Name} {plastic.Rule.Path}, rate {number plastic.LearningRate}, {schedule.Time} {schedule.Every}{mean}"

        if plastic.Readout <> Rflo.Core.ReadoutRule.Delta then
            $"  {plastic.Readout}"

    if spec.Decay > 0.0 then
        $"  decay {number spec.Decay}"
]

let private feedback (graph: Graph) (spec: FeedbackSpec) =
    let weights =
        match spec.Matrix with
        | null -> "symmetric"
        | matrix -> numbers matrix

    $"feedback {graph.Readouts[spec.Readout.Index].Name} -> {graph.Areas[spec.Area.Index].Name}: {weights}"

/// A line or more for each part of the graph and for its task.
let render (compiled: Compiled) = [
    let graph = compiled.Graph
    let task = compiled.Task

    $"task: {task.Inputs} inputs, {task.Outputs} outputs, at most {task.MaxSteps} steps, {task.Events} events"
    $"seed {compiled.Seed}, {compiled.Precision}"

    if compiled.Lanes.AreSeveral then
        $"{compiled.Lanes}"

    for spec in graph.Areas do
        yield! area spec

    for spec in graph.Inputs do
        $"input {spec.Name}: {spec.Channels} channels"

    for spec in graph.Readouts do
        $"readout {spec.Name}: {spec.Outputs} outputs, {spec.Kind}"

    for index, spec in Seq.indexed graph.Projections do
        yield! projection graph index spec

    for spec in graph.Feedbacks do
        feedback graph spec
]

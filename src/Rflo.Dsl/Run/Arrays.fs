namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// The core's flat arrays as matrices, by the names of the parts.
[<RequireQualifiedAccess>]
module internal Arrays =

    let matrix rows columns (values: float[]) =
        Matrix<float>.Build.Dense(rows, columns, fun i j -> values[i * columns + j])

    /// Weights of a sparse projection, as a matrix that stores its connections, zeros included.
    let private stored rows columns start presynaptic values =
        SparseWeights.toMatrix {
            Rows = rows
            Columns = columns
            RowStart = start
            Presynaptic = presynaptic
            Values = values
            IsCompressed = true
        }

    /// The weights of every projection, shape (post, pre), by name. Where some connections do not exist, the matrix stores those
    /// that do.
    let private weights (graph: Graph) (read: ProjectionId -> float[]) = [
        for k in 0 .. graph.Projections.Count - 1 do
            let projection = graph.Projections[k]
            let values = read (ProjectionId k)
            let struct (post, pre) = graph.ShapeOf(ProjectionId k)

            projection.Name,
            match projection.Synapses with
            | :? SparseSynapses as sparse ->
                stored post pre (Array.ofSeq sparse.RowStart) (Array.ofSeq sparse.Columns) values
            | :? DenseSynapses as dense ->
                match dense.Exists with
                | null -> matrix post pre values
                | exists ->
                    SparseWeights.ofRows post pre false (fun i ->
                        seq {
                            for j in 0 .. pre - 1 do
                                if exists[i * pre + j] then
                                    struct (j, values[i * pre + j])
                        })
                    |> SparseWeights.toMatrix
            | _ -> invalidOp "no such kind of synapses"
    ]

    /// Everything that a run learns, by name: the weights of every projection, and the time constants, in ms, and initial states
    /// of areas that learn them, shape (units, 1).
    let learned
        (graph: Graph)
        dt
        read
        (steps: AreaId -> float[])
        (starts: AreaId -> float[])
        : Map<string, Matrix<float>> =
        Map.ofList [
            yield! weights graph read

            for k in 0 .. graph.Areas.Count - 1 do
                if not (isNull graph.Areas[k].TauPlasticity) then
                    let taus = steps (AreaId k) |> Array.map (fun steps -> steps * dt)
                    Wiring.tauName graph.Areas[k].Name, matrix taus.Length 1 taus

                if not (isNull graph.Areas[k].InitialPlasticity) then
                    let states = starts (AreaId k)
                    Wiring.startName graph.Areas[k].Name, matrix states.Length 1 states
        ]

    let private outputs (graph: Graph) (recording: Recording) =
        let widths = [ for readout in graph.Readouts -> readout.Outputs ]
        let firsts = widths |> List.scan (+) 0

        List.zip3
            [ for readout in graph.Readouts -> readout.Name ]
            (List.take widths.Length firsts)
            widths
        |> List.map (fun (name, first, width) ->
            name,
            Matrix<float>
                .Build.Dense(
                    recording.Steps,
                    width,
                    fun t k -> recording.Outputs[t * graph.Outputs + first + k]
                ))
        |> Map.ofList

    /// The readouts, in the order of their columns in the targets.
    let readouts (graph: Graph) : Readout list = [
        for readout in graph.Readouts ->
            {
                Name = readout.Name
                Outputs = readout.Outputs
                Output = readout.Kind
                Loss = Option.ofObj readout.Loss
                Lost = []
            }
    ]

    /// The steps of each event, counted from 1, by the names of the events in the order of their kinds.
    let private events (names: string list) (recording: Recording) =
        let kinds = recording.Events.Length / max 1 recording.Steps

        Map.ofList [
            for kind, name in List.indexed names do
                name,
                [
                    for t in 1 .. recording.Steps do
                        if kind < kinds && recording.Events[(t - 1) * kinds + kind] then
                            t
                ]
        ]

    /// A trial by the names of its parts.
    let activity
        (graph: Graph)
        (conditions: string seq)
        (marked: string list)
        (recording: Recording)
        : Activity =
        let steps = recording.Steps

        {
            Readouts = readouts graph
            Loss = recording.Loss
            Conditions = Decisions.conditions conditions recording.Conditions
            Performance = recording.Performance
            Inputs = matrix steps graph.InputChannels recording.Inputs
            Targets = matrix steps graph.Outputs recording.Targets
            Mask = matrix steps graph.Outputs recording.Mask
            Rewards = recording.Rewards
            Events = events marked recording
            Outputs = outputs graph recording
            Rates =
                Seq.zip graph.Areas recording.Rates
                |> Seq.map (fun (area, rates) -> area.Name, matrix steps area.Units rates)
                |> Map.ofSeq
            States =
                Map.ofSeq (
                    seq {
                        for area, states in Seq.zip graph.Areas recording.States do
                            for name, values in Seq.zip area.StateNames states ->
                                Wiring.stateName area.Name name, matrix steps area.Units values
                    }
                )
        }

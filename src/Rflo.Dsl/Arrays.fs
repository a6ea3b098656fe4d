namespace Rflo.Dsl

open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// The core's flat arrays as matrices, by the names of the parts.
[<RequireQualifiedAccess>]
module internal Arrays =

    let matrix rows columns (values: float[]) =
        Matrix<float>.Build.Dense(rows, columns, fun i j -> values[i * columns + j])

    let private sparseMatrix (synapses: SparseSynapses) columns (values: float[]) =
        let rows = synapses.RowStart.Length - 1

        let entries =
            seq {
                for i in 0 .. rows - 1 do
                    for k in synapses.RowStart[i] .. synapses.RowStart[i + 1] - 1 do
                        struct (i, synapses.Columns[k], values[k])
            }

        Matrix<float>.Build.SparseOfIndexed(rows, columns, entries)

    /// The weights of every projection, shape (post, pre), by name.
    let weights (graph: Graph) (read: ProjectionId -> float[]) =
        graph.Projections
        |> Seq.mapi (fun k projection ->
            let values = read (ProjectionId k)
            let struct (post, pre) = graph.ShapeOf(ProjectionId k)

            match projection.Synapses with
            | :? SparseSynapses as sparse -> projection.Name, sparseMatrix sparse pre values
            | _ -> projection.Name, matrix post pre values)
        |> Map.ofSeq

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

    /// A trial by the names of its parts.
    let activity (graph: Graph) (recording: Recording) : Activity =
        let steps = recording.Steps

        {
            Loss = recording.Loss
            Inputs = matrix steps graph.InputChannels recording.Inputs
            Targets = matrix steps graph.Outputs recording.Targets
            Mask = matrix steps graph.Outputs recording.Mask
            Rewards = recording.Rewards
            Outputs = outputs graph recording
            Rates =
                Seq.zip graph.Areas recording.Rates
                |> Seq.map (fun (area, rates) -> area.Name, matrix steps area.Units rates)
                |> Map.ofSeq
        }

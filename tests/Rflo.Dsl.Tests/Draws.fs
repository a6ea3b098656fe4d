/// What a compiled experiment has drawn, by the names of its parts.
module Rflo.Dsl.Tests.Draws

open Expecto
open Rflo.Core
open Rflo.Dsl

let checked' experiment =
    match Check.experiment experiment with
    | Ok ready -> ready
    | Error problems ->
        let found = problems |> List.map Problem.text |> String.concat "\n"
        failtest $"refused:\n{found}"

let compiled experiment =
    Compile.experiment (checked' experiment)

/// Connections and weights as lists that can be compared bit for bit.
type Drawn =
    | Full of weights: float list * exists: bool list
    | Rows of starts: int list * columns: int list * weights: float list

let drawnOf (synapses: Synapses) =
    match synapses with
    | :? SparseSynapses as sparse ->
        Rows(List.ofSeq sparse.RowStart, List.ofSeq sparse.Columns, List.ofArray sparse.Weights)
    | :? DenseSynapses as dense ->
        let exists =
            match dense.Exists with
            | null -> List.replicate dense.Weights.Length true
            | exists -> List.ofArray exists

        Full(List.ofArray dense.Weights, exists)
    | other -> failtest $"unknown synapses {other}"

let weightsOf (compiled: Compiled) =
    Map.ofList [
        for name, spec in Seq.zip compiled.Projections compiled.Graph.Projections ->
            name, drawnOf spec.Synapses
    ]

let feedbackOf (compiled: Compiled) =
    Map.ofList [
        for names, spec in Seq.zip compiled.Feedback compiled.Graph.Feedbacks ->
            names, spec.Matrix |> Option.ofObj |> Option.map List.ofArray
    ]

/// The matrix of a projection, shape (post, pre); what does not exist is 0.
let matrixOf (compiled: Compiled) name =
    let index = compiled.Projections |> List.findIndex ((=) name)
    let struct (post, pre) = compiled.Graph.ShapeOf(ProjectionId index)

    match compiled.Graph.Projections[index].Synapses with
    | :? SparseSynapses as sparse ->
        let matrix = Array2D.zeroCreate post pre

        for i in 0 .. post - 1 do
            for k in sparse.RowStart[i] .. sparse.RowStart[i + 1] - 1 do
                matrix[i, sparse.Columns[k]] <- sparse.Weights[k]

        matrix
    | :? DenseSynapses as dense -> Array2D.init post pre (fun i j -> dense.Weights[i * pre + j])
    | other -> failtest $"unknown synapses {other}"

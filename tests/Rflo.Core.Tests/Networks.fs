/// The network of the paper from given matrices, and a task from given arrays.
module Rflo.Core.Tests.Networks

open Rflo.Core

/// Matrices are (post, pre); an empty one is left out.
type Network = {
    Alpha: float[]
    Start: float[]
    Recurrent: float[,]
    Input: float[,]
    Bias: float[]
    Readout: float[,]
    Offset: float[]
    Feedback: float[,]
}

let flat (matrix: float[,]) = Seq.toArray (Seq.cast<float> matrix)

/// A column.
let column (numbers: float[]) =
    Array2D.init numbers.Length 1 (fun i _ -> numbers[i])

/// The graph of units with some transfer function, and its projections in the order recurrent, input, bias, readout,
/// offset; its time constants learn as given.
let graphOf transfer (tau: Plasticity | null) (plasticity: string -> Plasticity | null) network =
    let builder = GraphBuilder()
    let units = network.Alpha.Length
    let outputs = Array2D.length1 network.Readout

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "area",
                Units = units,
                Alpha = network.Alpha,
                Transfer = transfer,
                InitialRates = network.Start,
                TauPlasticity = tau
            )
        )

    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = outputs))

    let add name source target (weights: float[,]) =
        if weights.Length = 0 then
            None
        else
            ProjectionSpec(
                Name = name,
                Source = source,
                Target = target,
                Synapses = Synapses.Dense(flat weights),
                Plasticity = plasticity name
            )
            |> builder.AddProjection
            |> Some

    let onto, read = Target.Area area, Target.Readout readout
    let recurrent = add "recurrent" (Source.Area area) onto network.Recurrent

    let input =
        if network.Input.Length = 0 then
            None
        else
            let input = builder.AddInput(InputSpec("input", Array2D.length2 network.Input))

            add "input" (Source.Input input) onto network.Input

    let bias = add "bias" Source.One onto (column network.Bias)
    let weights = add "readout" (Source.Area area) read network.Readout
    let offset = add "offset" Source.One read (column network.Offset)

    builder.AddFeedback(
        FeedbackSpec(Readout = readout, Area = area, Matrix = flat network.Feedback)
    )

    builder.Build(), List.choose id [ recurrent; input; bias; weights; offset ]

/// The graph of tanh units whose time constants learn.
let graphWithTau tau plasticity network =
    graphOf Transfer.Tanh tau plasticity network

/// The graph of a network whose time constants are given.
let graph plasticity network = graphWithTau null plasticity network

/// The same inputs and targets in every trial, rows from step 1; trial k has so many steps.
type Given(inputs: float[][], targets: float[][], steps: int -> int) =
    let width rows =
        rows |> Array.tryHead |> Option.map Array.length |> Option.defaultValue 0

    interface ITask with
        member _.Inputs = width inputs
        member _.Outputs = width targets
        member _.MaxSteps = targets.Length
        member _.Events = 0

        member _.Fill(trial, _, into) =
            into.Steps <- steps trial
            (Array.concat (Array.truncate into.Steps inputs)).CopyTo(into.Inputs, 0)
            (Array.concat (Array.truncate into.Steps targets)).CopyTo(into.Targets, 0)

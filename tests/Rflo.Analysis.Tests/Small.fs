/// Circuits made by hand, whose dynamics are known.
module Rflo.Analysis.Tests.Small

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Analysis

/// One area that receives its own rates through a matrix (post, pre), and a constant.
let circuitOf transfer (alpha: float[]) (weights: float[,]) (bias: float[]) =
    let builder = GraphBuilder()
    let units = alpha.Length

    let area =
        builder.AddArea(
            AreaSpec(
                Name = "cortex",
                Units = units,
                Alpha = alpha,
                Transfer = transfer,
                InitialRates = Array.zeroCreate units
            )
        )

    let add name source (values: float[]) =
        ProjectionSpec(
            Name = name,
            Source = source,
            Target = Target.Area area,
            Synapses = Synapses.Dense values
        )
        |> builder.AddProjection
        |> ignore

    add "cortex->cortex" (Source.Area area) (Seq.toArray (Seq.cast<float> weights))
    add "bias->cortex" Source.One bias
    builder.Build()

/// Its map, where all units have the same time constant and nothing else arrives.
let mapOf transfer alpha (weights: float[,]) =
    let units = Array2D.length1 weights

    CircuitMap(
        circuitOf transfer (Array.create units alpha) weights (Array.zeroCreate units),
        Array.empty
    )

let modulus (mode: Mode) = mode.Value.Magnitude

let distance (a: float[]) (b: float[]) =
    Array.map2 (fun x y -> (x - y) * (x - y)) a b |> Array.sum |> sqrt

let isNear tolerance (expected: float) (found: float) message =
    if not (abs (expected - found) <= tolerance) then
        failtest $"{message}: {found} is not within {tolerance} of {expected}"

/// Normal weights of standard deviation gain / sqrt n.
let random gain units draw =
    let stream = RandomStream(draw, "weights")
    Array2D.init units units (fun _ _ -> gain * stream.Gaussian() / sqrt (float units))

let matrix (weights: float[,]) =
    Matrix<float>.Build.DenseOfArray weights

/// That a call is refused with a message that has these words.
let isRefused (words: string list) (call: unit -> 'a) =
    match
        try
            call () |> ignore
            None
        with :? ArgumentException as refusal ->
            Some refusal.Message
    with
    | None -> failtest $"it was not refused: {words}"
    | Some message ->
        for word in words do
            Expect.stringContains message word "the message"

/// Random circuits and tasks as small records that print and shrink; every array follows from a seed, so that a
/// smaller record is a valid circuit again.
module Rflo.Core.Tests.Circuits

open System
open Rflo.Core

// ---- what a circuit is --------------------------------------------------------------------------

type AreaCase = {
    Units: int
    /// The time constants of the units lie between these, in steps.
    Tau: float * float
    Transfer: Transfer
    Start: InitialPolicy
    Noise: float
    /// Leaky rates, or the current form.
    Dynamics: Dynamics
}

type SourceCase =
    | Rates of area: int * delay: int
    | Channels of input: int
    | Fed of readout: int * delay: int
    | Bias

type TargetCase =
    | Onto of area: int
    | Read of readout: int

type Layout =
    | Dense
    | Compressed

type ProjectionCase = {
    Source: SourceCase
    Target: TargetCase
    /// Some of the source's units only, in some order.
    FromPart: bool
    /// Some of the target's units only, in some order.
    OntoPart: bool
    /// Part of the connections that exist.
    Density: float
    Layout: Layout
    Gate: Gate
    Plastic: bool
    Gain: float
    Draw: int
}

type ReadoutCase = {
    Outputs: int
    Kind: OutputKind
    /// None for the loss that belongs to the kind.
    Loss: Loss option
}

type CircuitCase = {
    Areas: AreaCase list
    Inputs: int list
    Readouts: ReadoutCase list
    Projections: ProjectionCase list
    /// Readout, area, and whether B is random instead of symmetric.
    Feedbacks: (int * int * bool) list
}

type TaskCase = {
    /// Steps of trial 0, 1, ... and round again.
    Lengths: int list
    Masked: bool
    Events: int
}

type Case = {
    Circuit: CircuitCase
    Task: TaskCase
    Seed: int
}

// ---- its arrays ---------------------------------------------------------------------------------

let gaussian (random: Random) =
    sqrt (-2.0 * log (1.0 - random.NextDouble()))
    * cos (2.0 * Math.PI * random.NextDouble())

let taus (area: AreaCase) =
    let low, high = area.Tau
    let random = Random(area.Units * 7919)
    Array.init area.Units (fun _ -> low + (high - low) * random.NextDouble())

/// Different for every unit, so that an index gone astray shows.
let startOf (area: AreaCase) =
    Array.init area.Units (fun i -> 0.1 + 0.05 * float i)

/// Spread of random rates before the first step.
let spreadOfStart = 0.3

let sizeOfSource circuit source =
    match source with
    | Rates(area, _) -> circuit.Areas[area].Units
    | Channels input -> circuit.Inputs[input]
    | Fed(readout, _) -> circuit.Readouts[readout].Outputs
    | Bias -> 1

let sizeOfTarget circuit target =
    match target with
    | Onto area -> circuit.Areas[area].Units
    | Read readout -> circuit.Readouts[readout].Outputs

/// A random population: at least one unit, out of order.
let private part size (random: Random) =
    let order = Array.init size id
    random.Shuffle order
    Array.truncate (random.Next(1, size + 1)) order

/// A projection's arrays: populations, weights and which of them exist, (post, pre).
type Drawn = {
    From: int[] option
    To: int[] option
    Weights: float[,]
    Exists: bool[,]
}

let draw circuit (projection: ProjectionCase) =
    let random = Random projection.Draw

    let population wanted size =
        if wanted then Some(part size random) else None

    let pre, post =
        sizeOfSource circuit projection.Source, sizeOfTarget circuit projection.Target

    let from = population (projection.FromPart && projection.Source <> Bias) pre

    let onto = population projection.OntoPart post
    let columns = from |> Option.map _.Length |> Option.defaultValue pre
    let rows = onto |> Option.map _.Length |> Option.defaultValue post

    let weights =
        Array2D.init rows columns (fun _ _ ->
            projection.Gain * gaussian random / sqrt (float columns))

    let exists =
        Array2D.init rows columns (fun _ _ -> random.NextDouble() < projection.Density)

    {
        From = from
        To = onto
        Weights = Array2D.mapi (fun i j w -> if exists[i, j] then w else 0.0) weights
        Exists = exists
    }

let flat (matrix: 'a[,]) = Seq.toArray (Seq.cast<'a> matrix)

let synapses projection (drawn: Drawn) =
    match projection.Layout with
    | Dense when projection.Density >= 1.0 -> Synapses.Dense(flat drawn.Weights)
    | Dense -> Synapses.Dense(flat drawn.Weights, flat drawn.Exists)
    | Compressed ->
        let entries = [|
            for i in 0 .. Array2D.length1 drawn.Exists - 1 do
                [|
                    for j in 0 .. Array2D.length2 drawn.Exists - 1 do
                        if drawn.Exists[i, j] then
                            j, drawn.Weights[i, j]
                |]
        |]

        Synapses.Sparse(
            entries |> Array.map Array.length |> Array.scan (+) 0,
            entries |> Array.concat |> Array.map fst,
            entries |> Array.concat |> Array.map snd
        )

/// B, (units, outputs).
let feedbackMatrix circuit (readout, area) =
    let random = Random(1000 * readout + area + 17)

    Array2D.init circuit.Areas[area].Units circuit.Readouts[readout].Outputs (fun _ _ ->
        gaussian random)

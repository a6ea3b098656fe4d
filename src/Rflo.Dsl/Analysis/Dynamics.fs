namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Analysis

/// The dynamics of a trained circuit at constant inputs, without noise:
/// `let map = Dynamics.ofTrained trained |> Dynamics.at [ "x", [| 1.0 |] ]` is the map z(t) = F(z(t-1)); the other words give its
/// fixed points, its Jacobians, its Lyapunov exponents and its flow. An argument that does not fit raises an ArgumentException
/// that names it.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Dynamics =

    let private mapOf gates (ready: CheckedExperiment) =
        let compiled = Compile.experiment ready

        CircuitMap(
            compiled.Graph,
            Array.zeroCreate compiled.Graph.InputChannels,
            MapOptions(Dt = float compiled.Dt, Open = readOnlyDict gates)
        )

    /// `Dynamics.ofWeights [] final experiment` is the map of the experiment's circuit with those weights, at inputs of 0 and without
    /// the perturbations of its training. Each projection with a gate must be listed as open or shut:
    /// `Dynamics.ofWeights [ "pfc->m1", true ] final experiment`.
    let ofWeights
        (gates: (string * bool) list)
        (final: Map<string, Matrix<float>>)
        (experiment: Experiment)
        : Result<CircuitMap, Problem list> =
        Check.experiment {
            experiment with
                Circuit =
                    experiment.Circuit
                    |> Circuit.withWeightsBy "Dynamics.ofWeights" final
                    |> Circuit.freeze
                Trials = 0
                // A curriculum may need a validation to pass the check, though none is run here.
                Probes = experiment.Probes |> List.filter _.Probe.IsValidation
                Stopping = Stopping.never
                Perturbations = []
        }
        |> Result.map (mapOf gates)

    /// `Dynamics.ofTrained trained` is the map with the run's final weights, at inputs of 0.
    let ofTrained (trained: Trained) =
        match ofWeights [] trained.Final trained.Experiment with
        | Ok map -> map
        | Error problems ->
            invalidArg (nameof trained) (problems |> List.map Problem.text |> String.concat "; ")

    /// `map |> Dynamics.at [ "x", [| 1.0; 0.0 |] ]` is the map at those inputs, one number a channel; inputs that are not named stay as they
    /// were.
    let at (inputs: (string * float[]) list) (map: CircuitMap) =
        let specs = map.Graph.Inputs
        let values = Array.copy map.Inputs

        for name, channels in inputs do
            match specs |> Seq.tryFindIndex (fun spec -> spec.Name = name) with
            | None ->
                let known = specs |> Seq.map _.Name |> String.concat ", "
                let all = if known = "" then "none" else known
                invalidArg (nameof inputs) $"the circuit has no input {name} (it has: {all})"
            | Some k when channels.Length <> specs[k].Channels ->
                invalidArg
                    (nameof inputs)
                    $"input {name} has {specs[k].Channels} channels, and {channels.Length} numbers were given"
            | Some k ->
                let first = specs |> Seq.take k |> Seq.sumBy _.Channels
                Array.blit channels 0 values first channels.Length

        map.WithInputs values

    /// `Dynamics.states trials map` is the states z that the inputs of those trials drive the circuit through, without noise, each from the
    /// circuit's initial state: starting points of the search for fixed points.
    let states (trials: Activity list) (map: CircuitMap) : float[][] = [|
        for trial in trials do
            let start = map.InitialState()

            if trial.Inputs.ColumnCount = 0 then
                yield! map.Trajectory(start, trial.Inputs.RowCount)
            else
                yield! map.Driven(start, trial.Inputs.ToRowMajorArray())
    |]

    /// `Dynamics.every 10 states` is every tenth of them.
    let every step (states: float[][]) =
        if step < 1 then
            invalidArg (nameof step) $"every {step} states; it must be at least 1"

        [| for k in 0..step .. states.Length - 1 -> states[k] |]

    /// `map |> Dynamics.chosenStarts 20 states` is at most twenty of the states: half are the slowest that lie apart, the others are spread over all states
    /// (k-means++), with draws of seed 0. A search from them finds most of what a search from all states does, in a fraction of the time.
    let chosenStarts count (states: float[][]) (map: CircuitMap) =
        FixedPointStarts.Choose(map, states, count)

    /// `map |> Dynamics.fixedPointsWith (FixedPointOptions(SlowBelow = 1e-4)) starts` has tolerances of its own.
    let fixedPointsWith (options: FixedPointOptions) (starts: float[] seq) (map: CircuitMap) =
        FixedPoints.Find(map, starts, options) |> List.ofSeq

    /// `map |> Dynamics.fixedPoints starts` is the fixed and slow points that the search finds from those states (Sussillo and
    /// Barak 2013), fixed ones first: where they are, how fast the circuit is there, their modes, and how many directions leave
    /// them.
    let fixedPoints (starts: float[] seq) (map: CircuitMap) =
        fixedPointsWith FixedPointOptions.Standard starts map

    /// `map |> Dynamics.jacobian state` is dF/dz at a state; its rows and columns are those of `map.Blocks`.
    let jacobian (state: float[]) (map: CircuitMap) = map.At(state).ToMatrix()

    /// `map |> Dynamics.jacobianOnto "m1" "pfc" state` is the part of it from the states of pfc to those of m1.
    let jacobianOnto (target: string) (source: string) (state: float[]) (map: CircuitMap) =
        map.At(state).Block(target, source)

    /// `map |> Dynamics.modes 5 state` is the five modes of largest magnitude: eigenvalue, eigenvector, time constant, frequency.
    let modes count (state: float[]) (map: CircuitMap) =
        Modes.Of(map.At state, count, map.Options.Dt) |> List.ofArray

    /// `map |> Dynamics.lyapunov 3 2000` is the three largest Lyapunov exponents over 2,000 steps, from the initial state and after a quarter as
    /// many in which it settles.
    let lyapunov exponents steps (map: CircuitMap) =
        LyapunovSpectrum.Of(map, map.InitialState(), exponents, steps, steps / 4)

    /// The same along the trajectory from a state, which does not settle before.
    let lyapunovFrom (state: float[]) exponents steps (map: CircuitMap) =
        LyapunovSpectrum.Of(map, state, exponents, steps)

    /// `map |> Dynamics.direction "cortex" values` is a direction of the states of that area, one number a unit (and state variable), as one of
    /// all states.
    let direction (area: string) (values: float seq) (map: CircuitMap) : float[] =
        let block, values = map.Block area, Array.ofSeq values

        if values.Length <> block.Length then
            invalidArg
                (nameof values)
                $"area {area} has {block.Length} states, and {values.Length} numbers were given"

        Array.init map.Size (fun k ->
            if k >= block.Start && k < block.Start + block.Length then
                values[k - block.Start]
            else
                0.0)

    /// `map |> Dynamics.flow origin first second [| -1.0 .. 0.1 .. 1.0 |] [| -1.0 .. 0.1 .. 1.0 |]` is where the circuit goes from the states
    /// origin + a first + b second, with a and b of those coordinates.
    let flow
        (origin: float[])
        (first: float[])
        (second: float[])
        (horizontal: float[])
        (vertical: float[])
        (map: CircuitMap)
        =
        FlowField.Of(map, origin, first, second, horizontal, vertical)

    /// `Dynamics.probe "largest-exponent" model (fun map _ -> (map |> Dynamics.lyapunov 1 1000).PerSecond[0])` is a custom probe of the
    /// dynamics while the model trains: the function receives the map with the weights after the trial, at inputs of 0, and the
    /// trial. The map is made anew for each measurement; the model must be the experiment that the probe is added to, and
    /// its circuit has no gates (`Dynamics.ofWeights` in a `Probe.custom` says which are open).
    let probe name (experiment: Experiment) (measure: CircuitMap -> Rflo.Dsl.Observation -> float) =
        Probe.custom name (fun seen ->
            match ofWeights [] seen.Weights experiment with
            | Ok map -> measure map seen
            | Error problems ->
                problems |> List.map Problem.text |> String.concat "; " |> invalidOp)

    /// `map |> Dynamics.rates "cortex" state` is the rates of that area in a state.
    let rates (area: string) (state: float[]) (map: CircuitMap) = map.Rates(state, area)

    /// `map |> Dynamics.outputs "y" state` is the outputs of that readout in a state.
    let outputs (readout: string) (state: float[]) (map: CircuitMap) = map.Outputs(state, readout)

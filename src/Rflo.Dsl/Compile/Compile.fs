namespace Rflo.Dsl

open Rflo.Core

/// A circuit as the core runs it, and the names of its parts.
type Compiled = {
    /// Numbers and indices, with all weights drawn.
    Graph: Graph
    /// The task, counted in steps.
    Task: ITask
    Seed: int64
    /// Trials that share every update.
    Lanes: TrialLanes
    Precision: Precision
    /// Duration of a step.
    Dt: float<ms>
    /// Names of the projections, in the order of the graph.
    Projections: string list
    /// Names of the task's events, in the order of their kinds.
    Events: string list
    /// Readout and area of each feedback, in the order of the graph.
    Feedback: (string * string) list
    /// Measurements during training.
    Probes: ProbeSpec list
}

/// Compiles a checked experiment.
[<RequireQualifiedAccess>]
module Compile =

    let private observed
        (dt: float<ms>)
        graph
        conditions
        events
        (seen: Rflo.Core.Observation)
        : Rflo.Dsl.Observation = {
        Trial = seen.Trial
        Activity = Arrays.activity graph conditions events seen.Recording
        Weights = Arrays.learned graph (float dt) seen.Weights seen.TimeConstants seen.InitialStates
    }

    let private probe (experiment: Experiment) graph (task: ITask) (watched: Watched) : ProbeSpec =
        let every = watched.Every

        let area name =
            GraphCompile.areaId experiment.Circuit name

        match watched.Probe with
        | Probe.Angle(rule, reference) -> GraphCompile.angle experiment every rule reference
        | Probe.SpectralRadius name -> SpectralRadiusProbe(every, area name)
        | Probe.ParticipationRatio name -> ParticipationProbe(every, area name)
        | Probe.Rates name -> RatesProbe(every, area name)
        | Probe.WeightChange -> WeightChangeProbe every
        | Probe.Dale -> DaleProbe every
        | Probe.Masks -> MaskProbe every
        | Probe.Validation trials -> ValidationProbe(every, trials)
        | Probe.Own own ->
            CustomProbe(
                every,
                own.Name,
                (fun seen ->
                    own.Measure(
                        observed experiment.Dt graph task.Conditions experiment.Task.Events seen
                    ))
            )

    /// Compiles a checked experiment. It does not fail: an exception here is a bug of this library.
    let experiment (checkedExperiment: CheckedExperiment) =
        let experiment = checkedExperiment.Resolved
        let circuit = experiment.Circuit

        let graph = GraphCompile.graph Draw.synapses experiment
        let task = TaskCompile.compile circuit.Readouts experiment.Dt experiment.Task

        {
            Graph = graph
            Task = task
            Seed = experiment.Seed
            Lanes = experiment.Lanes
            Precision = experiment.Precision
            Dt = experiment.Dt
            Projections = circuit.Projections |> List.map Wiring.label
            Events = experiment.Task.Events
            Feedback = circuit.Feedback |> List.map (fun f -> f.Readout, f.Area)
            Probes = experiment.Probes |> List.map (probe experiment graph task)
        }

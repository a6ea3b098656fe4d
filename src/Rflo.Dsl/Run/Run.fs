namespace Rflo.Dsl

open System
open System.Threading
open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// The values of one column of a probe.
[<RequireQualifiedAccess>]
type Series = {
    /// The trials in which it was measured, from 0.
    Trials: int[]
    /// The values in these trials; NaN where there was nothing to measure.
    Values: float[]
}

/// The results of a run, as arrays.
type Trained = {
    Experiment: Experiment
    /// How the run ended, and where.
    Status: RunStatus
    /// L of every trial, measured while it ran; NaN where the trial had no target.
    Losses: float[]
    /// Steps of every trial.
    Steps: int[]
    /// As `Final`, for the trial of the smallest mean loss; empty where it was not kept.
    Best: Map<string, Matrix<float>>
    /// Rewards that the task gave in every trial, summed over its steps.
    Rewards: float[]
    /// Wall time of every trial, in seconds.
    Seconds: float[]
    /// Alignment of each readout with each fixed feedback matrix, by (readout, area), after every trial.
    Alignments: Map<string * string, float[]>
    /// The values of the experiment's probes, by the names of their columns, such as "angle own/bptt".
    Probes: Map<string, Series>
    /// The messages of the first exceptions of custom probes, by their names.
    ProbeFailures: Map<string, string>
    /// Weights before the first trial, shape (post, pre), by the name of their projection, and the time constants and initial states of
    /// areas that learn them ("tau cortex", in ms, and "start cortex", shape (units, 1)). Where some connections do not exist,
    /// the matrix is sparse and stores those that do, zeros included.
    Initial: Map<string, Matrix<float>>
    /// The same after the last trial.
    Final: Map<string, Matrix<float>>
    /// The projections of which the core stores existing connections only.
    Compressed: Set<string>
    /// Time constants of the areas that learned them, in ms, one a unit, after the last trial.
    TimeConstants: Map<string, float[]>
    /// Those of the smallest mean loss; empty where they were not kept.
    BestTimeConstants: Map<string, float[]>
    /// Initial states of the areas that learned them, one a unit, after the last trial.
    InitialStates: Map<string, float[]>
    /// Those of the smallest mean loss; empty where they were not kept.
    BestInitialStates: Map<string, float[]>
    /// The fixed feedback matrices B, shape (units, outputs), by (readout, area); symmetric ones have none.
    Feedback: Map<string * string, Matrix<float>>
    /// Test trial 0 before training, with learning off. It is no trial of the training, where the task draws its trials.
    Before: Activity
    /// The same trial after training.
    After: Activity
}

/// Runs experiments and returns the arrays.
[<RequireQualifiedAccess>]
module Run =

    let private learned (compiled: Compiled) read steps starts =
        Arrays.learned compiled.Graph (float compiled.Dt) read steps starts

    /// The current weights of every projection, shape (post, pre), by name, with learned time constants ("tau cortex") and
    /// learned initial states ("start cortex").
    let weights compiled (session: Session) =
        learned compiled session.Weights session.TimeConstants session.InitialStates

    let private feedback (compiled: Compiled) =
        Seq.zip compiled.Feedback compiled.Graph.Feedbacks
        |> Seq.choose (fun (names, spec) ->
            match spec.Matrix with
            | null -> None
            | values ->
                let units = compiled.Graph.Areas[spec.Area.Index].Units
                Some(names, Arrays.matrix units (values.Length / units) values))
        |> Map.ofSeq

    /// One test trial with learning off: the model's noise, no exploration, no perturbation of the training.
    let test (compiled: Compiled) (session: Session) trial =
        Arrays.activity
            compiled.Graph
            compiled.Task.Conditions
            compiled.Events
            (session.Test(trial, TestOptions(Perturbed = false)))

    /// One trial of the training with learning off, with the same noise and exploration as in training.
    let replay (compiled: Compiled) (session: Session) trial =
        Arrays.activity
            compiled.Graph
            compiled.Task.Conditions
            compiled.Events
            (session.Replay trial)

    /// The activity of a trial that the task could not make: empty.
    let private nothing (graph: Graph) : Activity = {
        Loss = nan
        Conditions = Map.empty
        Performance = nan
        Readouts = Arrays.readouts graph
        Inputs = Arrays.matrix 0 graph.InputChannels [||]
        Targets = Arrays.matrix 0 graph.Outputs [||]
        Mask = Arrays.matrix 0 graph.Outputs [||]
        Rewards = [||]
        Events = Map.empty
        Outputs =
            Map.ofList [
                for readout in graph.Readouts -> readout.Name, Arrays.matrix 0 readout.Outputs [||]
            ]
        Rates =
            Map.ofList [
                for area in graph.Areas -> area.Name, Arrays.matrix 0 area.Units [||]
            ]
        States =
            Map.ofList [
                for area in graph.Areas do
                    if area.RecordsStates then
                        for name in area.StateNames ->
                            Wiring.stateName area.Name name, Arrays.matrix 0 area.Units [||]
            ]
    }

    /// Test trial 0 with learning off. If the task throws there, the status of the run reports it.
    let private firstTrial (compiled: Compiled) (session: Session) =
        try
            test compiled session 0
        with :? TaskException ->
            nothing compiled.Graph

    /// A session of a compiled experiment: allocates its memory, runs nothing.
    let session (compiled: Compiled) =
        let session =
            Session.CreateInLanes(
                compiled.Graph,
                compiled.Task,
                compiled.Seed,
                compiled.Precision,
                compiled.Lanes
            )

        session.Watch(Array.ofList compiled.Probes)
        session

    let private probes (session: Session) =
        Map.ofList [
            for series in session.Metrics.Probes ->
                series.Name,
                {
                    Series.Trials = series.CopyTrials()
                    Series.Values = series.CopyValues()
                }
        ]

    let private failures (session: Session) =
        Map.ofList [
            for series in session.Metrics.Probes do
                match series.Failure with
                | null -> ()
                | failure -> series.Name, failure
        ]

    let private timeConstants (experiment: Experiment) (read: AreaId -> float[]) =
        Map.ofList [
            for k, area in List.indexed experiment.Circuit.Areas do
                if Option.isSome (Wiring.tauRate experiment area) then
                    area.Name,
                    read (AreaId k) |> Array.map (fun steps -> steps * float experiment.Dt)
        ]

    let private initialStates (experiment: Experiment) (read: AreaId -> float[]) =
        Map.ofList [
            for k, area in List.indexed experiment.Circuit.Areas do
                if Option.isSome (Wiring.initialRate experiment area) then
                    area.Name, read (AreaId k)
        ]

    /// A run before or between trials, with the data from before its first trial that its record needs.
    type Running = {
        Experiment: Experiment
        Compiled: Compiled
        Session: Session
        /// Weights before the first trial.
        Initial: Map<string, Matrix<float>>
        /// Test trial 0 before training.
        Before: Activity
    }

    /// Allocates the memory that a checked experiment needs, and runs only test trial 0.
    let start (ready: CheckedExperiment) : Running =
        let compiled = Compile.experiment ready
        let session = session compiled
        let stopping = ready.Experiment.Stopping

        session.Stopping <-
            Stopping(
                Option.defaultValue nan stopping.TargetLoss,
                Option.defaultValue 0 stopping.Patience,
                stopping.Window,
                stopping.ByValidation,
                Option.defaultValue nan stopping.TargetPerformance
            )

        if stopping.KeepBest then
            session.KeepBest()

        {
            Experiment = ready.Experiment
            Compiled = compiled
            Session = session
            Initial = weights compiled session
            Before = firstTrial compiled session
        }

    /// Trains the remaining trials of the experiment. `onTrial` receives the number and loss of every trial; `cancellation` is
    /// checked after each.
    let go onTrial (cancellation: CancellationToken) (running: Running) =
        let left = max 0 (running.Experiment.Trials - running.Session.TrialsDone)
        running.Session.Run(left, Action<int, float>(onTrial), cancellation)

    /// The results of a run that has ended.
    let finish (running: Running) status : Trained =
        let compiled, session = running.Compiled, running.Session

        {
            Experiment = running.Experiment
            Status = status
            Losses = session.Metrics.CopyLosses()
            Steps = session.Metrics.CopySteps()
            Best =
                if running.Experiment.Stopping.KeepBest then
                    learned
                        compiled
                        session.BestWeights
                        session.BestTimeConstants
                        session.BestInitialStates
                else
                    Map.empty
            Rewards = session.Metrics.CopyRewards()
            Seconds = session.Metrics.CopySeconds()
            Alignments =
                compiled.Feedback
                |> List.mapi (fun k names -> names, session.Metrics.CopyAlignments k)
                |> List.filter (fun (_, alignments) ->
                    Array.exists (Double.IsNaN >> not) alignments)
                |> Map.ofList
            Probes = probes session
            ProbeFailures = failures session
            Initial = running.Initial
            Final = weights compiled session
            Compressed =
                Set.ofSeq (
                    compiled.Graph.Projections
                    |> Seq.filter (fun projection -> projection.Synapses :? SparseSynapses)
                    |> Seq.map _.Name
                )
            TimeConstants = timeConstants running.Experiment session.TimeConstants
            BestTimeConstants =
                if running.Experiment.Stopping.KeepBest then
                    timeConstants running.Experiment session.BestTimeConstants
                else
                    Map.empty
            InitialStates = initialStates running.Experiment session.InitialStates
            BestInitialStates =
                if running.Experiment.Stopping.KeepBest then
                    initialStates running.Experiment session.BestInitialStates
                else
                    Map.empty
            Feedback = feedback compiled
            Before = running.Before
            After = firstTrial compiled session
        }

    /// Trains a checked experiment from its first trial to its last.
    let checkedExperiment onTrial cancellation (ready: CheckedExperiment) =
        let running = start ready
        running.Session.Threads <- System.Environment.ProcessorCount
        go onTrial cancellation running |> finish running

    let private shown (keep: Activity -> 'kept) (how: Evaluation) count (ready: CheckedExperiment) =
        let experiment = ready.Experiment

        // Nothing learns, so no updates are shared: an evaluation has lanes of its own.
        let compiled = {
            Compile.experiment ready with
                Task =
                    TaskCompile.compileTest
                        experiment.Circuit.Readouts
                        experiment.Dt
                        experiment.Task
                Lanes = TrialLanes.One
        }

        let session = session compiled

        let options =
            TestOptions(
                TrainingTrials = how.TrainingTrials,
                Noise = how.Noise,
                Exploration = how.Exploration,
                CarriesOver = true
            )

        let kept = ResizeArray<'kept>()

        let take recording =
            Arrays.activity compiled.Graph compiled.Task.Conditions compiled.Events recording
            |> keep
            |> kept.Add

        try
            session.Evaluate(how.First, count, take, options)
            Ok(List.ofSeq kept)
        with :? TaskException as failure ->
            Error [
                {
                    Part = InTask
                    Fault = Failed($"test trial {how.First + kept.Count}", failure.Message)
                }
            ]

    /// `Run.evaluateEach measure how weights experiment task 1000` is `Run.evaluate` that keeps the result of `measure` for each
    /// trial's activity, instead of the activity.
    let evaluateEach
        (measure: Activity -> 'kept)
        (how: Evaluation)
        (weights: Map<string, Matrix<float>>)
        (experiment: Experiment)
        (task: Task)
        (count: int)
        : Result<'kept list, Problem list> =
        let wrong = [
            if count < 0 then
                NotAllowed("the number of trials to show", string count, "at least 0")

            if how.First < 0 then
                NotAllowed("the number of the first trial", string how.First, "at least 0")

            if how.First > System.Int32.MaxValue - max 0 count then
                NotAllowed(
                    "the number of the first trial",
                    string how.First,
                    $"at most {System.Int32.MaxValue} less the number of trials"
                )
        ]

        if not (List.isEmpty wrong) then
            Error(CheckValues.at InExperiment wrong)
        else
            Check.evaluation {
                experiment with
                    Circuit =
                        experiment.Circuit
                        |> Circuit.withWeightsBy "the weights of test trials" weights
                        |> Circuit.freeze
                    Task = task
                    Trials = 0
                    // A curriculum may need a validation to pass the check, though none is run here.
                    Probes = experiment.Probes |> List.filter _.Probe.IsValidation
                    Stopping = Stopping.never
                    Perturbations = how.Perturbations
            }
            |> Result.bind (shown measure how count)

    /// `Run.evaluate { Evaluation.standard with Noise = false } final experiment task 3` runs three trials of that task, one after
    /// another, in the experiment's circuit with those weights. Nothing learns. Rates that carry over do so here, from the first state
    /// of a run on. The trials of a curriculum are those of its last task. The seed is the experiment's: the same call gives the same
    /// numbers.
    let evaluate
        (how: Evaluation)
        (final: Map<string, Matrix<float>>)
        (experiment: Experiment)
        (task: Task)
        (count: int)
        : Result<Activity list, Problem list> =
        evaluateEach id how final experiment task count

    /// `Run.performWith final experiment task 3` is three test trials of that task by the experiment's circuit with those weights:
    /// `Run.evaluate Evaluation.standard`. None of them is a trial of the training, unless the task is the same in every trial (given
    /// arrays) or depends on the trial's number alone.
    let performWith final experiment task count =
        evaluate Evaluation.standard final experiment task count

    /// `Run.contrast { Evaluation.standard with Perturbations = [ silence cortex |> during "delay" ] } final experiment task 100`
    /// runs a hundred trials twice, without and with the perturbation, and returns both. Each pair differs by the effect of the
    /// perturbation only.
    let contrast
        (how: Evaluation)
        (final: Map<string, Matrix<float>>)
        (experiment: Experiment)
        (task: Task)
        (count: int)
        : Result<Contrast list, Problem list> =
        if List.isEmpty how.Perturbations then
            CheckValues.at InExperiment [
                NotAllowed(
                    "the number of perturbations",
                    "0",
                    "at least 1, such as Perturbations = [ silence cortex ]"
                )
            ]
            |> Error
        else
            let shown how =
                evaluate how final experiment task count

            shown { how with Perturbations = [] }
            |> Result.bind (fun controls ->
                shown how
                |> Result.map (
                    List.map2
                        (fun control perturbed -> {
                            Control = control
                            Perturbed = perturbed
                        })
                        controls
                ))

    /// `Run.perform trained task 3` is three test trials of that task with the run's final weights and learned time constants,
    /// as by `Run.performWith`. The task may differ from the trained one.
    let perform (trained: Trained) task count =
        performWith trained.Final trained.Experiment task count

    /// `Run.trainWith onTrial token e` is `Run.train e` that calls `onTrial` with the number and loss of every trial. After the
    /// token is cancelled it ends with the current trial; the arrays hold the trials until then, and the status is that of a
    /// cancelled run.
    let trainWith onTrial cancellation (experiment: Experiment) : Result<Trained, Problem list> =
        Check.experiment experiment
        |> Result.map (checkedExperiment onTrial cancellation)

    /// Checks and trains an experiment, and prints nothing: the arrays, or every problem it has.
    let train (experiment: Experiment) : Result<Trained, Problem list> =
        trainWith (fun _ _ -> ()) CancellationToken.None experiment

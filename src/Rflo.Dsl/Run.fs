namespace Rflo.Dsl

open System
open System.Threading
open MathNet.Numerics.LinearAlgebra
open Rflo.Core

/// What a probe measured, under the name of its column.
type Series = {
    /// The trials in which it was measured, from 0.
    Trials: int[]
    /// What was measured in them; NaN where there was nothing to measure.
    Values: float[]
}

/// What a run leaves: arrays for a script of one's own.
type Trained = {
    Experiment: Experiment
    /// How the run ended, and where.
    Status: RunStatus
    /// L of every trial, measured while it ran.
    Losses: float[]
    /// Weights with which the smallest loss was measured; empty where they were not kept.
    Best: Map<string, Matrix<float>>
    /// Rewards that the task gave in every trial, summed over its steps.
    Rewards: float[]
    /// Wall time of every trial, in seconds.
    Seconds: float[]
    /// Alignment of each readout with each fixed feedback matrix, by (readout, area), after every trial.
    Alignments: Map<string * string, float[]>
    /// What the experiment's probes measured, by the names of their columns, such as "angle own/bptt".
    Probes: Map<string, Series>
    /// What probes of one's own said when they first threw, by their names.
    ProbeFailures: Map<string, string>
    /// Weights before the first trial, shape (post, pre), by the name of their projection; absent ones are 0.
    Initial: Map<string, Matrix<float>>
    /// Weights after the last trial.
    Final: Map<string, Matrix<float>>
    /// Time constants of the areas that learned them, in ms, one a unit, after the last trial.
    TimeConstants: Map<string, float[]>
    /// Those with which the smallest loss was measured; empty where they were not kept.
    BestTimeConstants: Map<string, float[]>
    /// The fixed feedback matrices B, shape (units, outputs), by (readout, area); symmetric ones have none.
    Feedback: Map<string * string, Matrix<float>>
    /// The first trial's task before training, with learning off.
    Before: Activity
    /// The same task after training, with learning off.
    After: Activity
}

/// Runs experiments and hands over the arrays.
[<RequireQualifiedAccess>]
module Run =

    let private weightsBy read (compiled: Compiled) = Arrays.weights compiled.Graph read

    /// The weights of every projection as they are now, shape (post, pre), by name.
    let weights (compiled: Compiled) (session: Session) = weightsBy session.Weights compiled

    let private feedback (compiled: Compiled) =
        Seq.zip compiled.Feedback compiled.Graph.Feedbacks
        |> Seq.choose (fun (names, spec) ->
            match spec.Matrix with
            | null -> None
            | values ->
                let units = compiled.Graph.Areas[spec.Area.Index].Units
                Some(names, Arrays.matrix units (values.Length / units) values))
        |> Map.ofSeq

    /// One trial with learning off.
    let test (compiled: Compiled) (session: Session) trial =
        Arrays.activity compiled.Graph (session.Test trial)

    /// What is left of a trial that the task could not make.
    let private nothing (graph: Graph) : Activity = {
        Loss = nan
        Inputs = Arrays.matrix 0 graph.InputChannels [||]
        Targets = Arrays.matrix 0 graph.Outputs [||]
        Mask = Arrays.matrix 0 graph.Outputs [||]
        Rewards = [||]
        Outputs =
            Map.ofList [
                for readout in graph.Readouts -> readout.Name, Arrays.matrix 0 readout.Outputs [||]
            ]
        Rates =
            Map.ofList [
                for area in graph.Areas -> area.Name, Arrays.matrix 0 area.Units [||]
            ]
    }

    /// The first trial with learning off. If the task throws there, the status of the run says so.
    let private firstTrial (compiled: Compiled) (session: Session) =
        try
            test compiled session 0
        with :? TaskException ->
            nothing compiled.Graph

    /// A session of a compiled experiment: takes the memory, runs nothing.
    let session (compiled: Compiled) =
        let session =
            Session.Create(compiled.Graph, compiled.Task, compiled.Seed, compiled.Precision)

        session.Watch(Array.ofList compiled.Probes)
        session

    let private probes (session: Session) =
        Map.ofList [
            for series in session.Metrics.Probes ->
                series.Name,
                {
                    Trials = series.CopyTrials()
                    Values = series.CopyValues()
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

    /// A run before or between trials, with what its record needs of the time before the first.
    type Running = {
        Experiment: Experiment
        Compiled: Compiled
        Session: Session
        /// Weights before the first trial.
        Initial: Map<string, Matrix<float>>
        /// The first trial's task before training.
        Before: Activity
    }

    /// Takes the memory that a checked experiment needs, and runs nothing but a look at its first trial.
    let start (ready: CheckedExperiment) : Running =
        let compiled = Compile.experiment ready
        let session = session compiled
        let stopping = ready.Experiment.Stopping

        session.Stopping <-
            Stopping(
                Option.defaultValue nan stopping.TargetLoss,
                Option.defaultValue 0 stopping.Patience
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

    /// Trains what is left of the experiment's trials. `onTrial` hears of every trial with its loss; `cancellation` is
    /// asked after each.
    let go onTrial (cancellation: CancellationToken) (running: Running) =
        let left = max 0 (running.Experiment.Trials - running.Session.TrialsDone)
        running.Session.Run(left, Action<int, float>(onTrial), cancellation)

    /// What a run that has ended leaves.
    let finish (running: Running) status : Trained =
        let compiled, session = running.Compiled, running.Session

        {
            Experiment = running.Experiment
            Status = status
            Losses = session.Metrics.CopyLosses()
            Best =
                if running.Experiment.Stopping.KeepBest then
                    weightsBy session.BestWeights compiled
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
            TimeConstants = timeConstants running.Experiment session.TimeConstants
            BestTimeConstants =
                if running.Experiment.Stopping.KeepBest then
                    timeConstants running.Experiment session.BestTimeConstants
                else
                    Map.empty
            Feedback = feedback compiled
            Before = running.Before
            After = firstTrial compiled session
        }

    /// Trains a checked experiment from its first trial to its last.
    let checkedExperiment onTrial cancellation (ready: CheckedExperiment) =
        let running = start ready
        go onTrial cancellation running |> finish running

    /// `Run.performWith final experiment task 3` shows three trials of that task, one after another, to the experiment's
    /// circuit with those weights: nothing learns, nobody explores, and what is carried over from trial to trial is.
    let performWith
        (final: Map<string, Matrix<float>>)
        (experiment: Experiment)
        (task: Task)
        (count: int)
        : Result<Activity list, Problem list> =
        let greedy (area: Area) =
            match area.Dynamics with
            | WinnerTakeAll _ -> {
                area with
                    Dynamics = WinnerTakeAll 0.0
              }
            | Leaky -> area

        let frozen = Circuit.withWeights final experiment.Circuit |> Circuit.freeze

        Check.experiment {
            experiment with
                Circuit = {
                    frozen with
                        Areas = List.map greedy frozen.Areas
                }
                Task = task
                Trials = 0
        }
        |> Result.map (fun ready ->
            let running = start ready

            [
                for trial in 0 .. count - 1 do
                    test running.Compiled running.Session trial
                    running.Session.Run 1 |> ignore
            ])

    /// `Run.perform trained task 3` shows three trials of that task to what the run left, as `Run.performWith` does, with
    /// the time constants that it learned. The task may be another than the trained.
    let perform (trained: Trained) task count =
        let learned (area: Area) =
            match Map.tryFind area.Name trained.TimeConstants with
            | Some taus -> {
                area with
                    Tau = TauOfUnit(Array.map (fun tau -> tau * 1.0<ms>) taus)
                    TauRate = None
              }
            | None -> area

        let circuit = trained.Experiment.Circuit

        performWith
            trained.Final
            {
                trained.Experiment with
                    Circuit = {
                        circuit with
                            Areas = List.map learned circuit.Areas
                    }
            }
            task
            count

    /// `Run.trainWith onTrial token e` is `Run.train e` that tells `onTrial` the number and loss of every trial, and ends after
    /// the trial in hand once the token is cancelled; the arrays are those of the trials until then, and the status says so.
    let trainWith onTrial cancellation (experiment: Experiment) : Result<Trained, Problem list> =
        Check.experiment experiment
        |> Result.map (checkedExperiment onTrial cancellation)

    /// Checks and trains an experiment, without a word: the arrays, or every problem it has.
    let train (experiment: Experiment) : Result<Trained, Problem list> =
        trainWith (fun _ _ -> ()) CancellationToken.None experiment

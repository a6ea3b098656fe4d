namespace Rflo.Dsl

open Rflo.Core

/// The random numbers of one named part of an experiment.
type RandomStream = Rflo.Core.RandomStream

/// The numbers of a run: Double (default) or Single.
type Precision = Rflo.Core.Precision

/// One presentation of a task. Row 0 is step t = 1.
type TrialData = {
    /// x(t), shape (steps, channels).
    Inputs: float[,]
    /// y*(t), shape (steps, outputs).
    Targets: float[,]
    /// m(t), shape (steps, outputs): 1 where a target counts, 0 where not; all of them where there is none.
    Mask: float[,] option
    /// Steps, counted from 1, in which each of the task's named events happens, for gates.
    Events: (string * int list) list
}

/// What a task shows and asks.
[<CustomEquality; NoComparison>]
type TaskKind =
    /// No input; the target is a sum of harmonics of a period, one period a trial.
    | Periodic of period: float<ms> * harmonics: (int * float) list
    /// The same arrays in every trial.
    | Arrays of TrialData
    /// Each trial from its number and its own random stream; inputs, outputs and the longest duration are fixed.
    | Drawn of
        inputs: int *
        outputs: int *
        duration: float<ms> *
        draw: (int -> RandomStream -> TrialData)
    /// A task written against the core.
    | Custom of ITask

    override this.Equals other =
        match other with
        | :? TaskKind as that ->
            match this, that with
            | Periodic(p, h), Periodic(q, i) -> p = q && h = i
            | Arrays a, Arrays b -> a = b
            | Drawn(a, b, c, d), Drawn(e, f, g, h) ->
                (a, b, c) = (e, f, g) && obj.ReferenceEquals(d, h)
            | Custom a, Custom b -> obj.ReferenceEquals(a, b)
            | _ -> false
        | _ -> false

    override this.GetHashCode() =
        match this with
        | Periodic(period, harmonics) -> hash (period, harmonics)
        | Arrays data -> hash (data.Targets.GetLength 0)
        | Drawn(inputs, outputs, duration, _) -> hash (inputs, outputs, duration)
        | Custom task -> hash task.MaxSteps

/// What is shown and asked, trial by trial.
type Task = {
    Name: string
    Kind: TaskKind
    /// Names of the events that the task marks, for gates.
    Events: string list
}

/// When a run ends before its last trial, and whether its best weights are kept.
type Stopping = {
    /// It ends after a trial whose loss is at or below this.
    TargetLoss: float option
    /// It ends when so many trials in a row brought no new smallest loss.
    Patience: int option
    /// Whether the weights with which the smallest loss was measured are kept beside the last.
    KeepBest: bool
}

/// A circuit that learns a task: all that decides the numbers of a run.
type Experiment = {
    Name: string
    Circuit: Circuit
    Task: Task
    Rule: Rule
    /// Trials to train.
    Trials: int
    Seed: int64
    /// Duration of one step.
    Dt: float<ms>
    Precision: Precision
    Stopping: Stopping
}

namespace Rflo.Dsl

open Rflo.Core

/// Trials that run as a group and share every update: how many, and whether an update is the mean of their increments or the sum.
type TrialLanes = Rflo.Core.TrialLanes

/// The random numbers of one named part of an experiment.
type RandomStream = Rflo.Core.RandomStream

/// The numbers of a run: Double (default) or Single.
type Precision = Rflo.Core.Precision

/// The circuit in a step, as a closed-loop task receives it: `now.Trial`, `now.Step`, `now.Outputs` (y of all readouts side by side),
/// `now.Rates "striatum"` (of an area that `Task.watching` names) and `now.Stream` (random numbers of this trial). The task can also
/// bar choices: after `(now.Allowed "striatum")[2] <- false` unit 2 of a winner-take-all area cannot win in the next step.
type Moment = Rflo.Core.Moment

/// A task whose steps depend on the circuit's activity. Its memory is an array of numbers that its functions change in place;
/// it lasts from trial to trial, and is saved with the run. Errors do not pass through it.
[<CustomEquality; NoComparison>]
type ClosedLoop = {
    /// Input channels.
    Inputs: int
    /// Outputs.
    Outputs: int
    /// Duration of every trial.
    Duration: float<ms>
    /// Names of the areas whose rates it receives.
    Watches: string list
    /// Its memory before the first trial.
    Memory: float[]
    /// Begins a trial: its number, its random numbers, the memory as the trial before left it.
    Begin: int -> RandomStream -> float[] -> unit
    /// Makes step t from the circuit as step t - 1 left it, and the memory.
    Step: Moment -> float[] -> Step
    /// The reward of step t from the circuit as that step left it, and the memory.
    Judge: (Moment -> float[] -> float) option
} with

    override this.Equals other =
        match other with
        | :? ClosedLoop as that ->
            (this.Inputs, this.Outputs, this.Duration, this.Watches, this.Memory) =
                (that.Inputs, that.Outputs, that.Duration, that.Watches, that.Memory)
            && obj.ReferenceEquals(this.Begin, that.Begin)
            && obj.ReferenceEquals(this.Step, that.Step)
            && (match this.Judge, that.Judge with
                | Some a, Some b -> obj.ReferenceEquals(a, b)
                | a, b -> a.IsNone && b.IsNone)
        | _ -> false

    override this.GetHashCode() =
        hash (this.Inputs, this.Outputs, this.Duration, this.Watches)

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
    /// The reward of each step, for rules that learn by it; none where there is none.
    Rewards: float[] option
    /// The conditions of the trial, numbers by name such as "coherence", by which results can be grouped.
    Conditions: (string * float) list
}

/// Trials, each of which a function draws.
[<CustomEquality; NoComparison>]
type DrawnTrials = {
    /// Input channels, as the first trial has them; -1 where it could not be drawn.
    Inputs: int
    /// Outputs, as the first trial has them; -1 where it could not be drawn.
    Outputs: int
    /// The duration of the longest.
    Duration: float<ms>
    /// Names of the conditions, as the first trial has them.
    Conditions: string list
    /// Why trial 0 could not be drawn, if it could not.
    Failure: string option
    /// Each trial from its number and its own random stream.
    Draw: int -> RandomStream -> TrialData
} with

    override this.Equals other =
        match other with
        | :? DrawnTrials as that ->
            (this.Inputs, this.Outputs, this.Duration, this.Conditions) =
                (that.Inputs, that.Outputs, that.Duration, that.Conditions)
            && obj.ReferenceEquals(this.Draw, that.Draw)
        | _ -> false

    override this.GetHashCode() =
        hash (this.Inputs, this.Outputs, this.Duration, this.Conditions)

/// The delays of interval matching.
type Delays =
    /// Each trial draws one, evenly between the two in whole steps.
    | DrawnBetween of shortest: float<ms> * longest: float<ms>
    /// Trial k takes number k of the list, and begins it again at its end.
    | InTurn of float<ms> list

/// Interval matching, or ready-set-go (Murray 2019, Fig 3, which leaves open all but the widths and longest delays): two
/// pulses a delay apart, and as the target a third after the same delay. Every trial lasts FirstPulse + 2 x the longest delay + Tail.
type ReadySetGo = {
    /// When the first pulse peaks.
    FirstPulse: float<ms>
    Delays: Delays
    /// Standard deviation of the Gaussian pulses, of inputs and target.
    Width: float<ms>
    /// Height of the input pulses.
    Amplitude: float
    /// Height of the target's pulse.
    TargetAmplitude: float
    /// Time after the latest possible peak of the target.
    Tail: float<ms>
    /// Whether each input pulse has a channel of its own, instead of both on one.
    OwnChannels: bool
}

/// The syllables that have an input: a tonic input on the syllable's own channel.
type Cue =
    /// Every one.
    | EachSyllable
    /// The first of a trial.
    | FirstSyllable
    /// None; the task has no channels.
    | NoSyllable

/// Moving a cursor by syllables (Murray 2019, Fig 4, which leaves most of it open). A syllable is a move and a hold; the
/// circuit's two outputs are the cursor's velocity, in lengths a move.
type Syllables = {
    /// Where each syllable goes, (x, y) in units of Length.
    Directions: (float * float) list
    Move: float<ms>
    /// Duration of the hold after each move, in which the target velocity is 0.
    Hold: float<ms>
    /// Whether the syllable's input stays on in the hold.
    InputInHold: bool
    /// The distance of a move.
    Length: float
    /// Even speed, instead of a bell, 2 sin^2(pi t / move).
    EvenSpeed: bool
    /// The tonic input of the syllable that is on.
    Amplitude: float
    /// Between which numbers x and y stay, if there is a workspace.
    Bounds: (float * float) option
    Start: float * float
    /// Whether the cursor returns to its start before every trial, instead of staying where it is.
    Returns: bool
    /// Whether the target moves the cursor, instead of the circuit.
    MovedByTarget: bool
    /// The syllables of a trial, one after another; drawn, where there are none, among those that stay in the workspace.
    Sequence: int list
    /// Syllables a trial, where they are drawn.
    PerTrial: int
    Cue: Cue
    /// The winner-take-all area that chooses each syllable of a sequence but the first, and is rewarded for it.
    Chooser: string option
    /// Whether a choice is right if it follows the syllable just run somewhere in the sequence, instead of if it is the one
    /// that the sequence has there.
    JudgedByPair: bool
    /// Whether a trial has no further choices and no further targets after a wrong choice.
    StopsAtError: bool
}

/// When a stage of a curriculum is passed.
type Passed =
    /// As soon as the mean loss of the last so many trials of the stage that had a target is below that number.
    | MeanLossBelow of loss: float * trials: int
    /// As soon as the mean reward of the last so many trials of the stage, each summed over its steps, is above that number.
    | MeanRewardAbove of reward: float * trials: int
    /// After so many trials.
    | AfterTrials of trials: int
    /// As soon as a validation (`validate`) of the stage has a mean loss below that.
    | ValidationLossBelow of loss: float
    /// As soon as a validation of the stage has a mean performance above that.
    | PerformanceAbove of performance: float

/// The inputs and targets of a task.
[<CustomEquality; NoComparison>]
type TaskKind =
    /// No input; the target is a sum of harmonics of a period, one period a trial.
    | Periodic of period: float<ms> * harmonics: (int * float) list
    /// The same arrays in every trial.
    | Arrays of TrialData
    /// Each trial from its number and its own random stream; inputs, outputs and the longest duration are fixed.
    | Drawn of DrawnTrials
    /// Step by step over named phases, from what the trial drew.
    | Phased of Phased
    /// A standard task of phases.
    | Standard of StandardTask
    /// Two input pulses; the target is a third after the same delay.
    | ReadySetGo of ReadySetGo
    /// The targets are velocities of a cursor.
    | Syllables of Syllables
    /// Step by step, from the activity of the circuit.
    | InLoop of ClosedLoop
    /// Several tasks, each for so many trials, one after another and from the first again.
    | Blocks of (Task * int) list
    /// Several tasks, of which each trial draws one with probability in proportion to its weight.
    | Mixture of (Task * float) list
    /// Several tasks, one after another, each until it is passed; then the last.
    | Curriculum of stages: (Task * Passed) list * last: Task
    /// A task written against the core.
    | Custom of ITask

    override this.Equals other =
        match other with
        | :? TaskKind as that ->
            match this, that with
            | Periodic(p, h), Periodic(q, i) -> p = q && h = i
            | Arrays a, Arrays b -> a = b
            | Drawn a, Drawn b -> a = b
            | Phased a, Phased b -> a = b
            | Standard a, Standard b -> a = b
            | ReadySetGo a, ReadySetGo b -> a = b
            | Syllables a, Syllables b -> a = b
            | InLoop a, InLoop b -> a = b
            | Blocks a, Blocks b -> a = b
            | Mixture a, Mixture b -> a = b
            | Curriculum(a, b), Curriculum(c, d) -> a = c && b = d
            | Custom a, Custom b -> obj.ReferenceEquals(a, b)
            | _ -> false
        | _ -> false

    override this.GetHashCode() =
        match this with
        | Periodic(period, harmonics) -> hash (period, harmonics)
        | Arrays data -> hash (data.Targets.GetLength 0)
        | Drawn task -> hash task
        | Phased task -> hash task
        | Standard task -> hash task
        | ReadySetGo task -> hash task
        | Syllables task -> hash task
        | InLoop task -> hash task
        | Blocks parts -> hash parts
        | Mixture parts -> hash parts
        | Curriculum(stages, last) -> hash (stages, last)
        | Custom task -> hash task.MaxSteps

/// Inputs and targets, trial by trial.
and Task = {
    Name: string
    Kind: TaskKind
    /// Names of the events that the task marks, for gates.
    Events: string list
    /// A mask beside that of its trials, shape (steps of the longest trial, outputs): the two are multiplied.
    Mask: float[,] option
    /// Conditions of trials that the script defines.
    Conditions: TrialCondition list
    /// When a trial is right; none where that is not defined.
    Score: Score option
    /// Words that can have no effect on it.
    Lost: Lost list
}

/// When a run ends before its last trial, and whether its best weights are kept.
type Stopping = {
    /// It ends as soon as the mean loss is at or below this.
    TargetLoss: float option
    /// It ends when so many trials in a row brought no new smallest mean loss.
    Patience: int option
    /// Whether the weights of the smallest mean loss are kept beside the last.
    KeepBest: bool
    /// Trials of that mean: the last so many that had a target.
    Window: int
    /// Whether these settings, and schedules that depend on the loss, use the validation loss instead of the mean loss.
    ByValidation: bool
    /// It ends as soon as the validation performance is at or above this.
    TargetPerformance: float option
}

/// When runs end.
[<RequireQualifiedAccess>]
module Stopping =

    /// After the last trial. Where another setting uses the mean loss, it is over 50 trials.
    let never = {
        TargetLoss = None
        Patience = None
        KeepBest = false
        Window = Rflo.Core.Stopping.DefaultWindow
        ByValidation = false
        TargetPerformance = None
    }

/// A circuit that learns a task: everything that determines the numbers of a run.
type Experiment = {
    Name: string
    Circuit: Circuit
    Task: Task
    Rule: Rule
    /// The settings of its rule that words of the experiment set; `Rule` has them too.
    Settings: RuleSettings
    /// Trials to train.
    Trials: int
    Seed: int64
    /// Trials that run side by side as a group and share every update.
    Lanes: TrialLanes
    /// Duration of one step.
    Dt: float<ms>
    Precision: Precision
    Stopping: Stopping
    /// Measurements during training; they change no number of the run.
    Probes: Watched list
    /// Perturbations of the circuit in its trials.
    Perturbations: Perturbation list
}

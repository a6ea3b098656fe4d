namespace Rflo.Dsl

open System
open Rflo.Core

/// How long a phase of a trial lasts, in whole steps; 0 leaves it out.
type Lasting =
    /// The same in every trial.
    | FixedFor of float<ms>
    /// Drawn in every trial, evenly in whole steps, both ends among them.
    | EvenlyBetween of shortest: float<ms> * longest: float<ms>
    /// Drawn in every trial among the durations of a list, each as often.
    | OneOf of float<ms> list
    /// Drawn in every trial from an exponential distribution that begins at the shortest and is truncated after the longest, so that
    /// the hazard rate of its end is nearly constant; `mean` is that of the distribution before truncation, less the shortest.
    | ExponentialBetween of mean: float<ms> * shortest: float<ms> * longest: float<ms>

/// A named stretch of a trial.
type Phase = { Name: string; Lasts: Lasting }

/// A name that no phase has.
type internal UnknownPhase(name: string, known: string list) =
    inherit
        ArgumentException(
            let names = String.concat ", " known
            $"no phase is named {name} (known: {names})"
        )

    member _.Name = name
    member _.Known = known

/// The phases of one trial, with the durations that it drew. Phases follow each other without a gap; step t lasts from (t - 1) dt
/// to t dt.
[<Sealed>]
type Timeline internal (dt: float<ms>, names: string[], lengths: int[]) =
    let onsets = Array.scan (+) 0 lengths
    let conditions = System.Collections.Generic.Dictionary<string, float>()

    /// The conditions of the trial that the task's code returns.
    member internal _.Conditions = conditions

    member internal _.Names = names
    member internal _.Lengths = lengths
    member internal _.Onsets = onsets

    member internal _.Place name =
        match Array.IndexOf(names, name) with
        | -1 -> raise (UnknownPhase(name, List.ofArray names))
        | place -> place

    /// Duration of a step.
    member _.Dt = dt
    /// Steps of the trial.
    member _.Steps = onsets[names.Length]
    /// Duration of the trial.
    member this.Duration = float this.Steps * dt

    /// Name, onset and duration of every phase, in order; an onset of 0 ms is the start of the trial.
    member _.Phases = [
        for k in 0 .. names.Length - 1 -> names[k], float onsets[k] * dt, float lengths[k] * dt
    ]

    /// When a phase begins, from the start of the trial. An exception if there is no such phase.
    member this.OnsetOf name = float onsets[this.Place name] * dt
    /// How long a phase lasts in this trial. An exception if there is no such phase.
    member this.DurationOf name = float lengths[this.Place name] * dt

/// One step of a trial, as a task of phases receives it.
[<Sealed>]
type Instant internal (timeline: Timeline, trial: int, step: int, place: int, stream: RandomStream)
    =

    /// Number of the trial, from 0.
    member _.Trial = trial
    /// The step t, from 1.
    member _.Step = step
    /// t dt: the time from the start of the trial to the end of the step.
    member _.Time = float step * timeline.Dt
    /// Name of the phase.
    member _.Phase = timeline.Names[place]
    /// Time from the onset of the phase to the end of the step: dt in its first step, its duration in its last.
    member _.Since = float (step - timeline.Onsets[place]) * timeline.Dt
    /// Whether this is the first step of the phase.
    member _.IsOnset = step = timeline.Onsets[place] + 1

    /// Whether the step is in the phase of that name. An exception if there is no such phase, so that a misspelled name is found.
    member _.During name = timeline.Place name = place

    /// All phases of the trial.
    member _.Timeline = timeline
    /// When a phase begins, from the start of the trial. An exception if there is no such phase.
    member _.OnsetOf name = timeline.OnsetOf name
    /// How long a phase lasts in this trial. An exception if there is no such phase.
    member _.DurationOf name = timeline.DurationOf name
    /// Random numbers of this trial, for noise: steps are made in order, so each draw is the next of the trial.
    member _.Stream = stream

/// One step of a trial, made by tasks of phases and closed-loop tasks. `Step.ofArrays x y |> Step.mask 0.0` is one.
type Step = {
    /// x(t), one number a channel.
    Input: float[]
    /// y*(t), one number an output.
    Target: float[]
    /// m(t), one number an output, or one for all of them: 1 where the target counts, 0 where not, or any weight. Without a number
    /// every target counts.
    Mask: float[]
    /// Names of the events that happen in the step, for gates, beside those of its phase.
    Events: string list
} with

    /// m(t) of output k.
    member this.MaskOf k =
        match this.Mask.Length with
        | 0 -> 1.0
        | 1 -> this.Mask[0]
        | _ -> this.Mask[k]

/// Steps of trials.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Step =

    /// `Step.ofArrays [| 0.5; 0.0 |] [| 1.0 |]` has those inputs, one a channel, and those targets, one an output.
    let ofArrays (input: float[]) (target: float[]) = {
        Input = input
        Target = target
        Mask = [||]
        Events = []
    }

    /// `s |> Step.mask 0.0` weighs all targets of the step so; 0 counts none.
    let mask weight (step: Step) = { step with Mask = [| weight |] }

    /// `s |> Step.maskEach [| 1.0; 0.0 |]` weighs each target of the step by a number of its own.
    let maskEach (weights: float[]) (step: Step) = { step with Mask = weights }

    /// `s |> Step.event "choose"` marks that event in the step, for gates.
    let event name (step: Step) = {
        step with
            Events = step.Events @ [ name ]
    }

/// A task of named phases.
[<CustomEquality; NoComparison>]
type Phased = {
    /// Input channels.
    Inputs: int
    /// Outputs.
    Outputs: int
    /// In their order.
    Phases: Phase list
    /// Names of the conditions that `Make` returns for a trial, beside the durations of phases.
    Conditions: string list
    /// From a trial's phases and its random numbers: the function that makes each of its steps. It is called once for each step, in
    /// order, so it may keep values from step to step.
    Make: Timeline -> RandomStream -> Instant -> Step
} with

    override this.Equals other =
        match other with
        | :? Phased as that ->
            (this.Inputs, this.Outputs, this.Phases, this.Conditions) =
                (that.Inputs, that.Outputs, that.Phases, that.Conditions)
            && obj.ReferenceEquals(this.Make, that.Make)
        | _ -> false

    override this.GetHashCode() =
        hash (this.Inputs, this.Outputs, this.Phases)

/// Words for phases.
[<AutoOpen>]
module Phases =

    /// `phase "delay" (between 100.0<ms> 500.0<ms>)` is a phase of that name and duration.
    let phase name lasts : Phase = { Name = name; Lasts = lasts }

    /// `fixedFor 200.0<ms>` is that long in every trial.
    let fixedFor duration = FixedFor duration

    /// `between 100.0<ms> 500.0<ms>` is drawn in every trial, evenly in whole steps, both ends among them.
    let between shortest longest = EvenlyBetween(shortest, longest)

    /// `oneOf [ 100.0<ms>; 200.0<ms>; 400.0<ms> ]` is drawn in every trial, each as often.
    let oneOf durations = OneOf durations

    /// `exponential 100.0<ms> 50.0<ms> 500.0<ms>` is 50 ms and a time from the exponential distribution with mean 100 ms, at most
    /// 500 ms together, so that the hazard rate of its end is nearly constant.
    let exponential mean shortest longest =
        ExponentialBetween(mean, shortest, longest)

/// Names of the events of tasks of phases.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Phase =

    /// The event of a phase's first step.
    let onset name = name + ".onset"

    /// The events that a task of those phases marks, for gates: each phase's name in all of its steps, and `onset` of it in its
    /// first.
    let events (phases: Phase list) =
        [ for phase in phases -> phase.Name ]
        @ [ for phase in phases -> onset phase.Name ]

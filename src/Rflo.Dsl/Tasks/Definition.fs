namespace Rflo.Dsl

open System
open Rflo.Core

/// A parameter of a standard task.
type Setting =
    | Time of float<ms>
    | Number of float
    | Numbers of float list
    | Pairs of (float * float) list
    | Whole of int
    | Flag of bool
    | Word of string

/// The definition of a standard task.
type internal Definition = {
    /// In half a sentence.
    Summary: string
    /// Its parameters by name, phases left out.
    Settings: (string * Setting) list
    Inputs: int
    Outputs: int
    /// Names of the conditions that `Make` sets for each trial.
    Conditions: string list
    /// What is wrong with the parameters beside the phases' durations.
    Faults: float<ms> option -> Fault list
    Make: Timeline -> RandomStream -> Instant -> Step
}

/// What definitions share.
module internal Defining =

    /// Noise of a step of dt whose sum over a time does not depend on dt: its variance is that of a step of 1 ms over dt.
    let noiseOf (noise: float) (dt: float<ms>) = noise / sqrt (float dt)

    /// +1 or -1 by equal chance.
    let sign (stream: RandomStream) = if stream.Chance 0.5 then 1.0 else -1.0

    /// Sets the conditions of a trial.
    let says (timeline: Timeline) (conditions: (string * float) list) =
        for name, value in conditions do
            timeline.Conditions[name] <- value

    let oneOf (choices: 'choice[]) (stream: RandomStream) =
        choices[stream.Between(0, choices.Length)]

    /// A step with two outputs, of which one is right, in "decision".
    let answered (answer: Answer) right (now: Instant) (input: float[]) =
        if now.Phase = "decision" then
            {
                Input = input
                Target = [|
                    for k in 0..1 -> if k = right then answer.High else answer.Low
                |]
                Mask = [||]
                Events = []
            }
        else
            {
                Input = input
                Target = [| 0.0; 0.0 |]
                Mask = [| answer.QuietWeight |]
                Events = []
            }

    /// The channel that is 1 until the decision.
    let fixation (now: Instant) =
        if now.Phase = "decision" then 0.0 else 1.0

    let answerSettings (answer: Answer) = [
        "high", Number answer.High
        "low", Number answer.Low
        "quietWeight", Number answer.QuietWeight
    ]

    let answerFaults (answer: Answer) = [
        yield! CheckValues.finite "the target of the right output" answer.High
        yield! CheckValues.finite "the target of the wrong output" answer.Low
        yield! CheckValues.notNegative "the weight before the decision" answer.QuietWeight
    ]

    let noiseFaults (noise: float) =
        CheckValues.notNegative "the noise" noise

    let coherenceFaults (coherences: float list) = [
        if List.isEmpty coherences then
            NotAllowed("the number of coherences", "0", "at least 1")

        for coherence in coherences do
            yield! CheckValues.notNegative "a coherence" coherence
    ]

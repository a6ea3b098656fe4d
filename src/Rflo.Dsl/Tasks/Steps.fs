namespace Rflo.Dsl

open System
open Rflo.Core

/// Times as whole numbers of steps, and steps as rows of trials.
[<RequireQualifiedAccess>]
module internal Steps =

    /// No trial has so many steps.
    let private tooMany = 2e9

    /// The number of steps of a duration, if it is a whole number of them.
    let ofTime (dt: float<ms>) (duration: float<ms>) =
        let exact = duration / dt
        let whole = Math.Round exact

        if
            Double.IsFinite exact
            && abs (exact - whole) <= 1e-9 * max 1.0 (abs exact)
            && abs whole < tooMany
        then
            Some(int whole)
        else
            None

    /// The faults of a time that must be a whole number of steps; where dt itself is wrong, only those that do not depend on dt.
    let faults field (dt: float<ms> option) (duration: float<ms>) = [
        let given = $"{string (float duration)} ms"

        match dt with
        | Some dt when not (duration >= dt) || not (Double.IsFinite(float duration)) ->
            NotAllowed(field, given, $"finite and at least one step, {string (float dt)} ms")
        | Some dt when duration / dt >= tooMany ->
            NotAllowed(field, given, $"fewer than {string tooMany} steps of {string (float dt)} ms")
        | Some dt when Option.isNone (ofTime dt duration) -> NotWholeSteps(field, duration, dt)
        | None when not (duration > 0.0<ms>) || not (Double.IsFinite(float duration)) ->
            NotAllowed(field, given, "finite and more than 0 ms")
        | _ -> ()
    ]

    /// Writes a step without faults into its row of a trial. `events` are those of the task.
    let write (events: string list) row (step: Step) (into: Trial) =
        step.Input.CopyTo(into.Inputs, row * into.InputChannels)
        step.Target.CopyTo(into.Targets, row * into.Outputs)

        for k in 0 .. into.Outputs - 1 do
            into.Mask[row * into.Outputs + k] <- step.MaskOf k

        for event in step.Events do
            let kind = List.findIndex ((=) event) events
            into.Events[row * into.EventKinds + kind] <- true

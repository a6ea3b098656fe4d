namespace Rflo.Dsl

open System
open Rflo.Core

/// Closed-loop tasks of a script as the core wants them.
[<RequireQualifiedAccess>]
module internal ClosedLoops =

    let private length field (given: float[]) expected because = [
        if given.Length <> expected then
            WrongLength(field, given.Length, expected, because)
    ]

    let private numbers field isAllowed allowed (values: float[]) = [
        match values |> Array.tryFind (isAllowed >> not) with
        | Some wrong -> NotAllowed(field, string wrong, allowed)
        | None -> ()
    ]

    /// What is wrong with a step.
    let private stepFaults inputs outputs (events: string list) (data: StepData) = [
        yield! length "the inputs of a step" data.Shown inputs "one number a channel"
        yield! length "the targets of a step" data.Asked outputs "one number an output"
        yield! numbers "an input" Double.IsFinite "finite" data.Shown
        yield! numbers "a target" Double.IsFinite "finite" data.Asked

        match data.Counted with
        | Some mask ->
            let isWeight weight = weight >= 0.0 && Double.IsFinite weight
            yield! length "the mask of a step" mask outputs "one number an output"
            yield! numbers "a number of the mask" isWeight "finite and at least 0" mask
        | None -> ()

        for event in data.Marked do
            if not (List.contains event events) then
                Unknown(EventName, event, events)
    ]

    let private rewardFaults reward = [
        if not (Double.IsFinite reward) then
            NotAllowed("a reward", string reward, "finite")
    ]

    let private attempt what (action: unit -> Fault list) =
        try
            action ()
        with error -> [ Failed(what, error.Message) ]

    /// Step 1 of trial 0 shows what every step would, with a circuit at rest.
    let firstStep seed (events: string list) (units: int list) (loop: ClosedLoop) =
        let memory = Array.copy loop.Memory
        let stream = RandomStream.OfTrial(seed, "task", 0)
        let now = Moment(loop.Outputs, List.toArray loop.Watches, List.toArray units)
        now.MoveTo(0, 1, stream)

        let beginning =
            attempt "beginning trial 0" (fun () ->
                loop.Begin 0 stream memory
                [])

        if not (List.isEmpty beginning) then
            beginning
        else
            let making =
                attempt "making step 1 of trial 0" (fun () ->
                    loop.Step now memory |> stepFaults loop.Inputs loop.Outputs events)

            match loop.Judge with
            | Some judge when List.isEmpty making ->
                attempt "judging step 1 of trial 0" (fun () -> rewardFaults (judge now memory))
            | _ -> making

    let private insist faults =
        match faults with
        | first :: _ -> raise (ArgumentException(Problem.text { Part = InTask; Fault = first }))
        | [] -> ()

    let private write (events: string list) (data: StepData) step (into: Trial) =
        insist (stepFaults into.InputChannels into.Outputs events data)
        let row = step - 1
        data.Shown.CopyTo(into.Inputs, row * into.InputChannels)
        data.Asked.CopyTo(into.Targets, row * into.Outputs)

        match data.Counted with
        | Some mask -> mask.CopyTo(into.Mask, row * into.Outputs)
        | None -> into.Mask.AsSpan(row * into.Outputs, into.Outputs).Fill 1.0

        into.Events.AsSpan(row * into.EventKinds, into.EventKinds).Clear()
        into.Rewards[row] <- 0.0

        for event in data.Marked do
            into.Events[row * into.EventKinds + List.findIndex ((=) event) events] <- true

    /// The task for the core; it has no faults that can be known beforehand.
    let compile steps (events: string list) (loop: ClosedLoop) : ITask =
        let memory = Array.copy loop.Memory
        let watches = List.toArray loop.Watches

        {
            new IClosedLoopTask with
                member _.Watches = watches
                member _.StateLength = memory.Length
                member _.SaveState state = memory.AsSpan().CopyTo state
                member _.RestoreState state = state.CopyTo(memory.AsSpan())

                member _.Before(now, trial) =
                    write events (loop.Step now memory) now.Step trial

                member _.After(now, trial) =
                    match loop.Judge with
                    | Some judge ->
                        let reward = judge now memory
                        insist (rewardFaults reward)
                        trial.Rewards[now.Step - 1] <- reward
                    | None -> ()
            interface ITask with
                member _.Inputs = loop.Inputs
                member _.Outputs = loop.Outputs
                member _.MaxSteps = steps
                member _.Events = List.length events
                member _.GivesRewards = loop.Judge.IsSome

                member _.Fill(trial, stream, into) =
                    into.Steps <- steps
                    loop.Begin trial stream memory
        }

namespace Rflo.Dsl

open System
open System.Collections.Generic
open Rflo.Core

/// Trials as whole arrays: their faults, and how they fill the core's buffers.
[<RequireQualifiedAccess>]
module internal TrialCompile =

    let private shape (a: float[,]) = $"({a.GetLength 0}, {a.GetLength 1})"

    /// The first number that is not allowed, by its row and column.
    let private numbers field isAllowed allowed (values: float[,]) = [
        let mutable found = None
        let mutable row = 0

        while found.IsNone && row < values.GetLength 0 do
            let mutable column = 0

            while found.IsNone && column < values.GetLength 1 do
                if not (isAllowed row column values[row, column]) then
                    found <- Some(NotAllowed(field row column, string values[row, column], allowed))

                column <- column + 1

            row <- row + 1

        yield! Option.toList found
    ]

    /// The faults of one trial of a task with those events; `ofTrial` is the end of their messages.
    let private faultsIn ofTrial (events: string list) (data: TrialData) = [
        let steps = data.Targets.GetLength 0

        let at what row column =
            $"{what} {column} in step {row + 1}{ofTrial}"

        if steps < 1 then
            NotAllowed("the number of steps of the targets", "0", "at least 1")
        elif data.Inputs.GetLength 0 <> steps then
            WrongShape(
                "the inputs",
                shape data.Inputs,
                $"({steps}, {data.Inputs.GetLength 1}), since the targets have {steps} steps"
            )

        yield! numbers (at "the input of channel") (fun _ _ -> Double.IsFinite) "finite" data.Inputs

        // A target that does not count may be anything, such as NaN for "no target".
        let counts row column =
            match data.Mask with
            | Some mask when row < mask.GetLength 0 && column < mask.GetLength 1 ->
                mask[row, column] <> 0.0
            | _ -> true

        yield!
            numbers
                (at "the target of output")
                (fun row column target -> Double.IsFinite target || not (counts row column))
                "finite, or its mask 0"
                data.Targets

        match data.Mask with
        | Some mask when mask.GetLength 0 <> steps || mask.GetLength 1 <> data.Targets.GetLength 1 ->
            WrongShape("the mask", shape mask, $"{shape data.Targets}, as the targets")
        | Some mask ->
            let isWeight _ _ weight = weight >= 0.0 && Double.IsFinite weight

            yield! numbers (at "the mask of output") isWeight "finite and at least 0" mask
        | None -> ()

        match data.Rewards with
        | Some rewards when rewards.Length <> steps ->
            WrongLength("the rewards", rewards.Length, steps, "one a step")
        | Some rewards ->
            match rewards |> Array.tryFindIndex (Double.IsFinite >> not) with
            | Some row ->
                NotAllowed($"the reward of step {row + 1}{ofTrial}", string rewards[row], "finite")
            | None -> ()
        | None -> ()

        for name, value in data.Conditions do
            if not (Double.IsFinite value) then
                NotAllowed($"the condition {name}{ofTrial}", string value, "finite")

        for name, values in data.Conditions |> List.countBy fst do
            if values > 1 then
                Contradiction(
                    $"the condition {name}{ofTrial} has more than one value",
                    "leave one of them out, or give it another name"
                )

        for event, marked in data.Events do
            if not (List.contains event events) then
                Unknown(EventName, event, events)

            for step in marked |> List.filter (fun step -> step < 1 || step > steps) do
                NotAllowed($"a step of event {event}", string step, $"in 1 .. {steps}")
    ]

    /// The faults of the one trial of an arrays task. An event that it does not mark never happens.
    let faults events data =
        match faultsIn "" events data with
        | [] -> [
            for event in events do
                if
                    data.Events
                    |> List.forall (fun (marked, steps) -> marked <> event || List.isEmpty steps)
                then
                    Contradiction(
                        $"it names the event {event} and marks no step with it",
                        $"mark some, such as Task.marked [ \"{event}\", [ 1 ] ], or leave the name out"
                    )
          ]
        | wrong -> wrong

    /// The faults of a trial's sizes and conditions, by the declaration of its task.
    let private sizeFaults inputs outputs longest conditions (data: TrialData) = [
        let steps = data.Targets.GetLength 0

        if steps > longest then
            NotAllowed(
                "the number of steps of a trial",
                string steps,
                $"at most {longest}, the duration of the task"
            )

        if data.Inputs.GetLength 1 <> inputs then
            WrongShape("the inputs", shape data.Inputs, $"({steps}, {inputs}), (steps, channels)")

        if data.Targets.GetLength 1 <> outputs then
            WrongShape("the targets", shape data.Targets, $"({steps}, {outputs}), (steps, outputs)")

        for name, _ in data.Conditions do
            if not (List.contains name conditions) then
                Contradiction(
                    $"it has a condition {name}, which the first trial does not have",
                    $"give it in every trial, such as Trial.condition \"{name}\" 0.0"
                )

        for name in conditions do
            if data.Conditions |> List.forall (fun (other, _) -> other <> name) then
                Contradiction(
                    $"it has no condition {name}, which the first trial has",
                    "give it in every trial"
                )
    ]

    let drawFirst seed draw : Result<TrialData, string> =
        try
            Ok(draw 0 (RandomStream.OfTrial(seed, "task", 0)))
        with error ->
            Error error.Message

    /// The faults of trial 0, in which most faults of later trials appear.
    let firstTrial seed (task: Task) longest (drawn: DrawnTrials) = [
        match drawFirst seed drawn.Draw with
        | Ok data ->
            yield! faultsIn " of trial 0" task.Events data

            match drawn.Failure with
            | Some reason -> Failed("drawing trial 0 with seed 1, for its sizes,", reason)
            | None -> yield! sizeFaults drawn.Inputs drawn.Outputs longest drawn.Conditions data
        | Error reason -> Failed("drawing trial 0", reason)
    ]

    let private copy (rows: int) (columns: int) (from: float[,]) (into: float[]) =
        for t in 0 .. rows - 1 do
            for k in 0 .. columns - 1 do
                into[t * columns + k] <- from[t, k]

    let private mark (events: string list) (data: TrialData) (into: Trial) =
        for event, marked in data.Events do
            let kind = List.findIndex ((=) event) events

            for step in marked do
                into.Events[(step - 1) * into.EventKinds + kind] <- true

    /// Writes the arrays into a cleared trial.
    let fill (task: Task) conditions trial (data: TrialData) (into: Trial) =
        let wrong =
            faultsIn "" task.Events data
            @ sizeFaults into.InputChannels into.Outputs into.MaxSteps conditions data

        match wrong with
        | first :: _ ->
            let text = Problem.text { Part = InTask; Fault = first }
            raise (ArgumentException $"trial {trial} of {task.Name}: {text}")
        | [] -> ()

        let steps = data.Targets.GetLength 0
        into.Steps <- steps
        copy steps into.InputChannels data.Inputs into.Inputs
        copy steps into.Outputs data.Targets into.Targets
        mark task.Events data into

        data.Mask |> Option.iter (fun mask -> copy steps into.Outputs mask into.Mask)

        data.Rewards |> Option.iter (fun rewards -> rewards.CopyTo(into.Rewards, 0))

        for k, name in List.indexed conditions do
            into.Conditions[k] <- data.Conditions |> List.find (fst >> (=) name) |> snd

    /// A task with one trial: made once, then copied.
    let unchanging (task: Task) (data: TrialData) =
        let mutable made: Trial | null = null
        let conditions = List.map fst data.Conditions
        let names: IReadOnlyList<string> = Array.ofList conditions

        {
            new ITask with
                member _.Inputs = data.Inputs.GetLength 1
                member _.Outputs = data.Targets.GetLength 1
                member _.MaxSteps = data.Targets.GetLength 0
                member _.Events = List.length task.Events
                member _.GivesRewards = data.Rewards.IsSome
                member _.Conditions = names
                member _.IsPerformancePure = true

                member _.Fill(trial, _, into) =
                    let from =
                        match made with
                        | null ->
                            let first =
                                Trial(
                                    into.MaxSteps,
                                    into.InputChannels,
                                    into.Outputs,
                                    into.EventKinds,
                                    into.Conditions.Length
                                )

                            fill task conditions trial data first
                            made <- first
                            first
                        | before -> before

                    into.Steps <- from.Steps
                    from.Inputs.CopyTo(into.Inputs, 0)
                    from.Targets.CopyTo(into.Targets, 0)
                    from.Mask.CopyTo(into.Mask, 0)
                    from.Events.CopyTo(into.Events, 0)
                    from.Rewards.CopyTo(into.Rewards, 0)
                    from.Conditions.CopyTo(into.Conditions, 0)
        }

    let harmonicSum steps harmonics =
        Array2D.init steps 1 (fun row _ ->
            harmonics
            |> List.sumBy (fun (k, amplitude) ->
                amplitude * sin (2.0 * Math.PI * float k * float (row + 1) / float steps)))

namespace Rflo.Dsl

open System
open Rflo.Core

/// Tasks as the core wants them: counted in steps, filled into buffers.
[<RequireQualifiedAccess>]
module internal TaskCompile =

    let steps = Steps.ofTime
    let durationFaults = Steps.faults

    let private shape (a: float[,]) = $"({a.GetLength 0}, {a.GetLength 1})"

    let private numbers field isAllowed allowed (values: float[,]) = [
        match values |> Seq.cast<float> |> Seq.tryFind (isAllowed >> not) with
        | Some wrong -> NotAllowed(field, string wrong, allowed)
        | None -> ()
    ]

    /// What is wrong with one trial of a task that marks those events.
    let private trialFaults (events: string list) (data: TrialData) = [
        let steps = data.Targets.GetLength 0

        if steps < 1 then
            NotAllowed("the number of steps of the targets", "0", "at least 1")
        elif data.Inputs.GetLength 0 <> steps then
            WrongShape(
                "the inputs",
                shape data.Inputs,
                $"({steps}, {data.Inputs.GetLength 1}), since the targets have {steps} steps"
            )

        yield! numbers "an input" Double.IsFinite "finite" data.Inputs
        yield! numbers "a target" Double.IsFinite "finite" data.Targets

        match data.Mask with
        | Some mask when mask.GetLength 0 <> steps || mask.GetLength 1 <> data.Targets.GetLength 1 ->
            WrongShape("the mask", shape mask, $"{shape data.Targets}, as the targets")
        | Some mask ->
            let isWeight weight = weight >= 0.0 && Double.IsFinite weight

            yield! numbers "a number of the mask" isWeight "finite and at least 0" mask
        | None -> ()

        match data.Rewards with
        | Some rewards when rewards.Length <> steps ->
            WrongLength("the rewards", rewards.Length, steps, "one a step")
        | Some rewards ->
            match rewards |> Array.tryFind (Double.IsFinite >> not) with
            | Some wrong -> NotAllowed("a reward", string wrong, "finite")
            | None -> ()
        | None -> ()

        for event, marked in data.Events do
            if not (List.contains event events) then
                Unknown(EventName, event, events)

            for step in marked |> List.filter (fun step -> step < 1 || step > steps) do
                NotAllowed($"a step of event {event}", string step, $"in 1 .. {steps}")
    ]

    /// What is wrong with a trial beside the declaration of its task.
    let private sizeFaults inputs outputs longest (data: TrialData) = [
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
    ]

    let private drawFirst seed draw : Result<TrialData, string> =
        try
            Ok(draw 0 (RandomStream.OfTrial(seed, "task", 0)))
        with error ->
            Error error.Message

    /// Trial 0 shows what every trial would.
    let private firstTrial seed (task: Task) inputs outputs longest draw = [
        match drawFirst seed draw with
        | Ok data ->
            yield! trialFaults task.Events data
            yield! sizeFaults inputs outputs longest data
        | Error reason -> Failed("drawing trial 0", reason)
    ]

    let private noEvents (task: Task) = [
        if not (List.isEmpty task.Events) then
            let names = String.concat ", " task.Events
            NotAllowed("events", names, "none: this task marks no event")
    ]

    let private notNegative field (given: int) = [
        if given < 0 then
            NotAllowed(field, string given, "at least 0")
    ]

    let private custom (declared: Task) (task: ITask) = [
        yield! notNegative "the number of input channels" task.Inputs
        yield! notNegative "the number of outputs" task.Outputs

        if task.MaxSteps < 1 then
            NotAllowed("the number of steps", string task.MaxSteps, "at least 1")

        if declared.Events.Length > task.Events then
            WrongLength(
                "the names of events",
                declared.Events.Length,
                task.Events,
                "as many as the task marks"
            )
    ]

    let private closedLoop dt seed (circuit: Circuit) (task: Task) (loop: ClosedLoop) = [
        let units =
            loop.Watches
            |> List.map (fun name ->
                circuit.Areas
                |> List.tryFind (fun area -> area.Name = name)
                |> Option.map (fun area -> name, area.Units))

        let wrong = [
            yield! durationFaults "duration" dt loop.Duration
            yield! notNegative "the number of input channels" loop.Inputs
            yield! notNegative "the number of outputs" loop.Outputs

            if loop.Memory |> Array.exists (Double.IsFinite >> not) then
                NotAllowed("a number of the memory", "not finite", "finite")

            for name, area in List.zip loop.Watches units do
                if Option.isNone area then
                    Unknown(AreaName, name, circuit.Areas |> List.map (fun area -> area.Name))
        ]

        yield! wrong

        let sizes = units |> List.choose id |> List.map snd

        if List.isEmpty wrong && List.forall (fun size -> size > 0) sizes then
            yield! ClosedLoops.firstStep seed task.Events sizes loop
    ]

    /// What is wrong with a task that a circuit is to learn.
    let faults (dt: float<ms> option) seed (circuit: Circuit) (task: Task) = [
        match task.Kind with
        | Periodic(period, harmonics) ->
            yield! durationFaults "period" dt period

            if List.isEmpty harmonics then
                NotAllowed("the number of harmonics", "0", "at least 1")

            for harmonic, amplitude in harmonics do
                if harmonic < 1 then
                    NotAllowed("a harmonic", string harmonic, "at least 1")

                if not (Double.IsFinite amplitude) then
                    NotAllowed($"the amplitude of harmonic {harmonic}", string amplitude, "finite")

            yield! noEvents task
        | Arrays data -> yield! trialFaults task.Events data
        | Drawn(inputs, outputs, duration, draw) ->
            let wrong = [
                yield! durationFaults "duration" dt duration
                yield! notNegative "the number of input channels" inputs
                yield! notNegative "the number of outputs" outputs
            ]

            yield! wrong

            match dt with
            | Some dt when List.isEmpty wrong ->
                yield! firstTrial seed task inputs outputs (steps dt duration).Value draw
            | _ -> ()
        | ReadySetGo parameters ->
            yield! Intervals.faults dt parameters
            yield! noEvents task
        | Syllables parameters -> yield! Moves.faults dt circuit task.Events parameters
        | InLoop loop -> yield! closedLoop dt seed circuit task loop
        | Custom given -> yield! custom task given
    ]

    /// Whether the trials of a task carry rewards; that of drawn trials is seen in the first.
    let givesRewards seed (task: Task) =
        match task.Kind with
        | Periodic _ -> false
        | Arrays data -> data.Rewards.IsSome
        | Drawn(_, _, _, draw) ->
            match drawFirst seed draw with
            | Ok data -> data.Rewards.IsSome
            | Error _ -> true
        | ReadySetGo _ -> false
        | Syllables parameters -> parameters.Chooser.IsSome
        | InLoop loop -> loop.Judge.IsSome
        | Custom task -> task.GivesRewards

    /// (input channels, outputs) of a task.
    let sizes (task: Task) =
        match task.Kind with
        | Periodic _ -> 0, 1
        | Arrays data -> data.Inputs.GetLength 1, data.Targets.GetLength 1
        | Drawn(inputs, outputs, _, _) -> inputs, outputs
        | ReadySetGo parameters -> (if parameters.OwnChannels then 2 else 1), 1
        | Syllables { Cue = NoSyllable } -> 0, 2
        | Syllables parameters -> parameters.Directions.Length, 2
        | InLoop loop -> loop.Inputs, loop.Outputs
        | Custom task -> task.Inputs, task.Outputs

    /// The longest trial of a task without faults, in steps.
    let longest dt (task: Task) =
        match task.Kind with
        | Periodic(duration, _)
        | Drawn(_, _, duration, _) -> (steps dt duration).Value
        | InLoop { Duration = duration } -> (steps dt duration).Value
        | ReadySetGo parameters -> (Intervals.compile dt parameters).MaxSteps
        | Syllables parameters -> (Moves.compile dt parameters).MaxSteps
        | Arrays data -> data.Targets.GetLength 0
        | Custom task -> task.MaxSteps

    let private copy (rows: int) (columns: int) (from: float[,]) (into: float[]) =
        for t in 0 .. rows - 1 do
            for k in 0 .. columns - 1 do
                into[t * columns + k] <- from[t, k]

    let private mark (events: string list) (data: TrialData) (into: Trial) =
        into.Events.AsSpan().Clear()

        for event, marked in data.Events do
            let kind = List.findIndex ((=) event) events

            for step in marked do
                into.Events[(step - 1) * into.EventKinds + kind] <- true

    let private fill (task: Task) trial (data: TrialData) (into: Trial) =
        let wrong =
            trialFaults task.Events data
            @ sizeFaults into.InputChannels into.Outputs into.MaxSteps data

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

        match data.Mask with
        | None -> into.Mask.AsSpan().Fill 1.0
        | Some mask -> copy steps into.Outputs mask into.Mask

        match data.Rewards with
        | None -> into.Rewards.AsSpan().Clear()
        | Some rewards -> rewards.CopyTo(into.Rewards, 0)

    /// A task that never changes: filled once, then left as it is.
    let private unchanging (task: Task) (data: TrialData) =
        let mutable filled: Trial | null = null

        {
            new ITask with
                member _.Inputs = data.Inputs.GetLength 1
                member _.Outputs = data.Targets.GetLength 1
                member _.MaxSteps = data.Targets.GetLength 0
                member _.Events = List.length task.Events
                member _.GivesRewards = data.Rewards.IsSome

                member _.Fill(trial, _, into) =
                    if not (obj.ReferenceEquals(filled, into)) then
                        fill task trial data into
                        filled <- into
        }

    let private harmonicSum steps harmonics =
        Array2D.init steps 1 (fun row _ ->
            harmonics
            |> List.sumBy (fun (k, amplitude) ->
                amplitude * sin (2.0 * Math.PI * float k * float (row + 1) / float steps)))

    /// The task for the core; it has no faults.
    let compile dt (task: Task) : ITask =
        match task.Kind with
        | Periodic(period, harmonics) ->
            let count = (steps dt period).Value

            unchanging task {
                Inputs = Array2D.zeroCreate count 0
                Targets = harmonicSum count harmonics
                Mask = None
                Events = []
                Rewards = None
            }
        | Arrays data -> unchanging task data
        | Drawn(inputs, outputs, duration, draw) ->
            let longest = (steps dt duration).Value

            {
                new ITask with
                    member _.Inputs = inputs
                    member _.Outputs = outputs
                    member _.MaxSteps = longest
                    member _.Events = List.length task.Events

                    member _.Fill(trial, stream, into) =
                        fill task trial (draw trial stream) into
            }
        | ReadySetGo parameters -> Intervals.compile dt parameters
        | Syllables parameters -> Moves.compile dt parameters
        | InLoop loop -> ClosedLoops.compile (steps dt loop.Duration).Value task.Events loop
        | Custom task -> task

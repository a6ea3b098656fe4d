namespace Rflo.Dsl

open System
open Rflo.Core

/// Compilation of tasks of phases to tasks of the core.
[<RequireQualifiedAccess>]
module internal PhaseCompile =

    let private durations =
        function
        | FixedFor duration -> [ "duration", duration ]
        | EvenlyBetween(shortest, longest)
        | ExponentialBetween(_, shortest, longest) -> [
            "shortest duration", shortest
            "longest duration", longest
          ]
        | OneOf durations -> [
            for duration in List.distinct durations -> "duration", duration
          ]

    let private shortest lasts =
        durations lasts |> List.map snd |> List.min

    let private longest lasts =
        durations lasts |> List.map snd |> List.max

    let private phaseFaults dt (phase: Phase) = [
        for what, duration in durations phase.Lasts do
            if duration <> 0.0<ms> then
                yield! Steps.faults $"the {what} of phase {phase.Name}" dt duration

        match phase.Lasts with
        | EvenlyBetween(shortest, longest)
        | ExponentialBetween(_, shortest, longest) when shortest > longest ->
            NotAllowed(
                $"the shortest duration of phase {phase.Name}",
                $"{string (float shortest)} ms",
                $"at most the longest, {string (float longest)} ms"
            )
        | OneOf [] ->
            NotAllowed($"the number of durations of phase {phase.Name}", "0", "at least 1")
        | _ -> ()

        match phase.Lasts with
        | ExponentialBetween(mean, _, _) when
            not (mean > 0.0<ms>) || not (Double.IsFinite(float mean))
            ->
            NotAllowed(
                $"the mean duration of phase {phase.Name}",
                $"{string (float mean)} ms",
                "finite and more than 0 ms"
            )
        | _ -> ()
    ]

    let private allPhases dt (phases: Phase list) = [
        if List.isEmpty phases then
            NotAllowed("the number of phases", "0", "at least 1")

        for k, phase in List.indexed phases do
            let earlier = phases |> List.truncate k |> List.map _.Name
            yield! CheckValues.name earlier phase.Name
            yield! phaseFaults dt phase
    ]

    let private total by (phases: Phase list) =
        phases |> List.sumBy (fun phase -> by phase.Lasts)

    /// Draws a number of steps.
    let private drawing dt lasts : RandomStream -> int =
        let steps duration = (Steps.ofTime dt duration).Value

        match lasts with
        | FixedFor duration ->
            let count = steps duration
            fun _ -> count
        | EvenlyBetween(shortest, longest) ->
            let low, high = steps shortest, steps longest
            fun stream -> stream.Between(low, high + 1)
        | OneOf durations ->
            let counts = [| for duration in durations -> steps duration |]
            fun stream -> counts[stream.Between(0, counts.Length)]
        | ExponentialBetween(mean, shortest, longest) ->
            let low, high = steps shortest, steps longest
            let mean = mean / dt
            // Drawn from the truncated distribution by its inverse, and rounded to whole steps.
            let within = 1.0 - exp (-float(high + 1 - low) / mean)

            fun stream ->
                let wait = -mean * log (1.0 - within * stream.Uniform(0.0, 1.0))
                min high (low + int wait)

    /// Makes the trials of a task, step by step, with independent streams for the durations, the trial and its steps.
    let private maker dt (task: Phased) =
        let names = [| for phase in task.Phases -> phase.Name |]
        let draws = [| for phase in task.Phases -> drawing dt phase.Lasts |]

        fun trial (stream: RandomStream) ->
            let ofPhases = stream.Part "phases"
            let timeline = Timeline(dt, names, draws |> Array.map (fun draw -> draw ofPhases))
            let at = task.Make timeline (stream.Part "trial")
            let ofSteps = stream.Part "steps"

            let steps (visit: Instant -> Step -> unit) =
                for place in 0 .. names.Length - 1 do
                    let onset = timeline.Onsets[place]

                    for step in onset + 1 .. onset + timeline.Lengths[place] do
                        let now = Instant(timeline, trial, step, place, ofSteps)
                        visit now (at now)

            timeline, steps

    let private isWeight weight = weight >= 0.0 && Double.IsFinite weight

    let private isSound events (task: Phased) (shown: Step) =
        let mutable areTargets = true

        // Targets that do not count may be anything, such as NaN for "no target".
        if
            shown.Target.Length = task.Outputs
            && (shown.Mask.Length <= 1 || shown.Mask.Length = task.Outputs)
        then
            for k in 0 .. task.Outputs - 1 do
                if not (Double.IsFinite shown.Target[k]) && shown.MaskOf k <> 0.0 then
                    areTargets <- false
        else
            areTargets <- false

        areTargets
        && shown.Input.Length = task.Inputs
        && Array.forall Double.IsFinite shown.Input
        && Array.forall isWeight shown.Mask
        && shown.Events |> List.forall (fun event -> List.contains event events)

    let private stepFaults events (task: Phased) (now: Instant) (shown: Step) = [
        if not (isSound events task shown) then
            let inPhase = $"in phase {now.Phase}"

            if shown.Input.Length <> task.Inputs then
                let field = $"the input {inPhase}"
                WrongLength(field, shown.Input.Length, task.Inputs, "one number a channel")

            if shown.Target.Length <> task.Outputs then
                let field = $"the target {inPhase}"
                WrongLength(field, shown.Target.Length, task.Outputs, "one number an output")

            let place = $"in step {now.Step} of trial {now.Trial}, {inPhase}"

            match shown.Input |> Array.tryFindIndex (Double.IsFinite >> not) with
            | Some k ->
                NotAllowed($"the input of channel {k} {place}", string shown.Input[k], "finite")
            | None -> ()

            if shown.Mask.Length > 1 && shown.Mask.Length <> task.Outputs then
                let field = $"the mask {inPhase}"
                WrongLength(field, shown.Mask.Length, task.Outputs, "one number an output")
            else
                let isWrong (k, target) =
                    not (Double.IsFinite target) && shown.MaskOf k <> 0.0

                match shown.Target |> Array.indexed |> Array.tryFind isWrong with
                | Some(k, target) when k < task.Outputs ->
                    NotAllowed(
                        $"the target of output {k} {place}",
                        string target,
                        "finite, or the mask of the step 0"
                    )
                | _ -> ()

            match shown.Mask |> Array.tryFind (isWeight >> not) with
            | Some weight -> yield! CheckValues.notNegative $"the mask {place}" weight
            | None -> ()

            for event in shown.Events do
                if not (List.contains event events) then
                    Unknown(EventName, event, events)
    ]

    /// The faults of trial 0.
    let private firstTrial dt seed events task =
        let found = ResizeArray()

        try
            let _, steps = maker dt task 0 (RandomStream.OfTrial(seed, "task", 0))
            let phases = System.Collections.Generic.HashSet<string>()

            // The first wrong step of each phase stands for the others.
            steps (fun now shown ->
                if not (isSound events task shown) && phases.Add now.Phase then
                    found.AddRange(stepFaults events task now shown))
        with
        | :? UnknownPhase as wrong -> found.Add(Unknown(PhaseName, wrong.Name, wrong.Known))
        | error -> found.Add(Failed("drawing trial 0", error.Message))

        found |> Seq.distinct |> List.ofSeq

    /// The faults of a task; `own` are those of its parameters beside its phases.
    let faults (dt: float<ms> option) seed (events: string list) own (task: Phased) = [
        let wrong = [
            yield! allPhases dt task.Phases

            if task.Inputs < 0 then
                NotAllowed("the number of input channels", string task.Inputs, "at least 0")

            if task.Outputs < 0 then
                NotAllowed("the number of outputs", string task.Outputs, "at least 0")

            yield! own
        ]

        yield! wrong

        if List.isEmpty wrong then
            let lengths = [
                yield! Steps.faults "the shortest trial" dt (total shortest task.Phases)
                yield! Steps.faults "the longest trial" dt (total longest task.Phases)
            ]

            yield! lengths

            match dt with
            | Some dt when List.isEmpty lengths -> yield! firstTrial dt seed events task
            | _ -> ()

        let marked = Phase.events task.Phases

        if List.truncate marked.Length events <> marked then
            let given = String.concat ", " events
            let needed = String.concat ", " marked

            NotAllowed(
                "events",
                $"'{given}'",
                $"'{needed}', those of its phases, and then those that its steps mark"
            )
    ]

    /// The phases whose duration varies between trials; it is a condition of the trial by the phase's name.
    let private varying (phases: Phase list) =
        phases |> List.filter (fun phase -> shortest phase.Lasts < longest phase.Lasts)

    /// Names of the conditions of a task of phases: those of its code, then the durations that vary, in ms.
    let conditions (task: Phased) =
        task.Conditions @ (varying task.Phases |> List.map _.Name)

    /// The longest trial of a task without faults, in steps.
    let longestTrial dt (task: Phased) =
        (Steps.ofTime dt (total longest task.Phases)).Value

    /// The task of the core. Faults that appear without a run were found before.
    let compile dt name (events: string list) (task: Phased) : ITask =
        let make = maker dt task
        let kinds = task.Phases.Length
        let longest = longestTrial dt task
        let conditions = List.toArray (conditions task)
        let own = task.Conditions.Length

        let condition (timeline: Timeline) k =
            if k >= own then
                float (timeline.DurationOf conditions[k])
            else
                match timeline.Conditions.TryGetValue conditions[k] with
                | true, value -> value
                | false, _ -> nan

        {
            new ITask with
                member _.Inputs = task.Inputs
                member _.Outputs = task.Outputs
                member _.MaxSteps = longest
                member _.Events = List.length events
                member _.Conditions = conditions
                member _.IsPerformancePure = true

                member _.Fill(trial, stream, into) =
                    let timeline, steps = make trial stream
                    into.Steps <- timeline.Steps

                    for k in 0 .. min conditions.Length into.Conditions.Length - 1 do
                        into.Conditions[k] <- condition timeline k

                    for place in 0 .. kinds - 1 do
                        let onset = timeline.Onsets[place]

                        for row in onset .. onset + timeline.Lengths[place] - 1 do
                            into.Events[row * into.EventKinds + place] <- true

                        if timeline.Lengths[place] > 0 then
                            into.Events[onset * into.EventKinds + kinds + place] <- true

                    steps (fun now shown ->
                        if not (isSound events task shown) then
                            let fault = List.head (stepFaults events task now shown)
                            let text = Problem.text { Part = InTask; Fault = fault }
                            raise (ArgumentException $"trial {trial} of {name}: {text}")

                        Steps.write events (now.Step - 1) shown into)
        }

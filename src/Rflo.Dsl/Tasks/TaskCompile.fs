namespace Rflo.Dsl

open System
open System.Collections.Generic
open Rflo.Core

/// Compilation of tasks to tasks of the core: times in steps, trials in buffers.
[<RequireQualifiedAccess>]
module internal TaskCompile =

    let steps = Steps.ofTime
    let durationFaults = Steps.faults

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

            match loop.Memory |> Array.tryFindIndex (Double.IsFinite >> not) with
            | Some k -> NotAllowed($"number {k} of the memory", string loop.Memory[k], "finite")
            | None -> ()

            for name, area in List.zip loop.Watches units do
                if Option.isNone area then
                    Unknown(AreaName, name, circuit.Areas |> List.map (fun area -> area.Name))
        ]

        yield! wrong

        let sizes = units |> List.choose id |> List.map snd

        if List.isEmpty wrong && List.forall (fun size -> size > 0) sizes then
            yield! ClosedLoops.firstStep seed task.Events sizes circuit.Readouts loop
    ]

    let private own (dt: float<ms> option) seed (circuit: Circuit) (task: Task) = [
        match task.Kind with
        | Periodic(period, harmonics) ->
            yield! durationFaults "period" dt period

            if List.isEmpty harmonics then
                NotAllowed("the number of harmonics", "0", "at least 1")

            for harmonic, amplitude in harmonics do
                if harmonic < 1 then
                    NotAllowed("a harmonic", string harmonic, "at least 1")

                if not (Double.IsFinite amplitude) then
                    NotAllowed(
                        $"the amplitude of harmonic {string harmonic}",
                        string amplitude,
                        "finite"
                    )

            yield! noEvents task
        | Arrays data -> yield! TrialCompile.faults task.Events data
        | Drawn drawn ->
            let wrong = durationFaults "duration" dt drawn.Duration

            yield! wrong

            match dt with
            | Some dt when List.isEmpty wrong ->
                yield! TrialCompile.firstTrial seed task (steps dt drawn.Duration).Value drawn
            | _ -> ()
        | Phased given -> yield! PhaseCompile.faults dt seed task.Events [] given
        | Standard given ->
            let wrong = (StandardTasks.definition given).Faults dt

            yield! PhaseCompile.faults dt seed task.Events wrong (StandardTasks.phased given)
        | ReadySetGo parameters ->
            yield! Intervals.faults dt parameters
            yield! noEvents task
        | Syllables parameters -> yield! Moves.faults dt circuit task.Events parameters
        | InLoop loop -> yield! closedLoop dt seed circuit task loop
        | Blocks _
        | Mixture _
        | Curriculum _ -> ()
        | Custom given -> yield! custom task given
    ]

    /// Whether the trials of a task have rewards; for drawn trials, whether the first has.
    let rec givesRewards seed (task: Task) =
        match task.Kind with
        | Periodic _
        | Phased _
        | Standard _ -> false
        | Arrays data -> data.Rewards.IsSome
        | Drawn drawn ->
            match TrialCompile.drawFirst seed drawn.Draw with
            | Ok data -> data.Rewards.IsSome
            | Error _ -> true
        | ReadySetGo _ -> false
        | Syllables parameters -> parameters.Chooser.IsSome
        | InLoop loop -> loop.Judge.IsSome
        | Blocks _
        | Mixture _
        | Curriculum _ -> Task.parts task |> List.exists (givesRewards seed)
        | Custom task -> task.GivesRewards

    /// (input channels, outputs) of a task; those of the first, if it is made of several.
    let rec sizes (task: Task) =
        match task.Kind with
        | Periodic _ -> 0, 1
        | Arrays data -> data.Inputs.GetLength 1, data.Targets.GetLength 1
        | Drawn drawn -> drawn.Inputs, drawn.Outputs
        | Phased given -> given.Inputs, given.Outputs
        | Standard given ->
            let phased = StandardTasks.phased given
            phased.Inputs, phased.Outputs
        | ReadySetGo parameters -> (if parameters.OwnChannels then 2 else 1), 1
        | Syllables { Cue = NoSyllable } -> 0, 2
        | Syllables parameters -> parameters.Directions.Length, 2
        | InLoop loop -> loop.Inputs, loop.Outputs
        | Blocks _
        | Mixture _
        | Curriculum _ ->
            match Task.parts task with
            | first :: _ -> sizes first
            // A combination of no tasks has no sizes; it has its own problem.
            | [] -> -1, -1
        | Custom task -> task.Inputs, task.Outputs

    /// The longest trial of a task without faults, in steps.
    let rec longest dt (task: Task) =
        match task.Kind with
        | Periodic(duration, _)
        | Drawn { Duration = duration } -> (steps dt duration).Value
        | Phased given -> PhaseCompile.longestTrial dt given
        | Standard given -> PhaseCompile.longestTrial dt (StandardTasks.phased given)
        | InLoop { Duration = duration } -> (steps dt duration).Value
        | ReadySetGo parameters -> (Intervals.compile dt parameters).MaxSteps
        | Syllables parameters -> (Moves.compile dt parameters).MaxSteps
        | Arrays data -> data.Targets.GetLength 0
        | Blocks _
        | Mixture _
        | Curriculum _ -> Task.parts task |> List.map (longest dt) |> List.max
        | Custom task -> task.MaxSteps

    /// A task that is made of no others.
    let private single dt (task: Task) : ITask =
        match task.Kind with
        | Periodic(period, harmonics) ->
            let count = (steps dt period).Value

            TrialCompile.unchanging task {
                Inputs = Array2D.zeroCreate count 0
                Targets = TrialCompile.harmonicSum count harmonics
                Mask = None
                Events = []
                Rewards = None
                Conditions = []
            }
        | Arrays data -> TrialCompile.unchanging task data
        | Drawn drawn ->
            let longest = (steps dt drawn.Duration).Value
            let conditions: IReadOnlyList<string> = Array.ofList drawn.Conditions

            {
                new ITask with
                    member _.Inputs = drawn.Inputs
                    member _.Outputs = drawn.Outputs
                    member _.MaxSteps = longest
                    member _.Events = List.length task.Events
                    member _.Conditions = conditions
                    member _.IsPerformancePure = true

                    member _.Fill(trial, stream, into) =
                        TrialCompile.fill task drawn.Conditions trial (drawn.Draw trial stream) into
            }
        | Phased given -> PhaseCompile.compile dt task.Name task.Events given
        | Standard given ->
            PhaseCompile.compile dt task.Name task.Events (StandardTasks.phased given)
        | ReadySetGo parameters -> Intervals.compile dt parameters
        | Syllables parameters -> Moves.compile dt parameters
        | InLoop loop -> ClosedLoops.compile (steps dt loop.Duration).Value task.Events loop
        | Blocks _
        | Mixture _
        | Curriculum _ -> invalidOp "a task that is made of others is no single one"
        | Custom task -> task

    let rec private compileAt isTest readouts dt depth (task: Task) : ITask =
        match task.Kind with
        | Blocks _
        | Mixture _
        | Curriculum _ -> Combined.compile isTest depth (compileAt isTest readouts dt) task
        | _ ->
            single dt task
            |> TaskMask.applied task
            |> Scoring.applied dt readouts task
            |> TargetFit.watched readouts

    /// The task of the core, for a task without faults. A run that trains those readouts fails at the first target that their
    /// losses do not allow.
    let compile readouts dt (task: Task) = compileAt false readouts dt 0 task

    /// The task of test trials: the same task, and of a curriculum its last task.
    let compileTest readouts dt (task: Task) = compileAt true readouts dt 0 task

    // What is wrong.

    /// The number of first trials whose targets are checked.
    let private looks = 4

    /// The first target, in the first trials of a task without other faults, that its readout's loss does not allow. Closed
    /// loops, whose trials need a circuit, and tasks written against the core, which may count their calls, are checked during a
    /// run instead.
    let private firstTargets dt seed (circuit: Circuit) (task: Task) =
        let readouts = circuit.Readouts
        let outputs = readouts |> List.sumBy _.Outputs

        match task.Kind with
        | InLoop _
        | Syllables _
        | Custom _ -> []
        | _ when
            not (TargetFit.matters readouts)
            || readouts |> List.exists (fun readout -> readout.Outputs < 1)
            || snd (sizes task) <> outputs
              ->
              []
        | _ ->
            try
                let core = single dt task |> TaskMask.applied task

                let buffer = Trial.For core

                Seq.init looks id
                |> Seq.tryPick (fun number ->
                    core.Fill(number, RandomStream.OfTrial(seed, "task", number), buffer)
                    TargetFit.ofTrial number readouts buffer)
                |> Option.toList
            with _ ->
                // An exception of the script's function in a later trial is reported by the run.
                []

    /// Names of the conditions that the kind of a task defines.
    let private ownConditions (task: Task) =
        match task.Kind with
        | Phased given -> PhaseCompile.conditions given
        | Standard given -> PhaseCompile.conditions (StandardTasks.phased given)
        | ReadySetGo _ -> [ "delay" ]
        | Syllables _ -> [ "syllable" ]
        | Arrays data -> List.map fst data.Conditions
        | Drawn drawn -> drawn.Conditions
        | Custom given -> List.ofSeq given.Conditions
        | _ -> []

    let rec private problemsOf dt seed circuit names (task: Task) : Problem list = [
        let part =
            match names with
            | [] -> InTask
            | _ -> InTaskPart names

        let faults =
            match task.Kind with
            | Blocks _
            | Mixture _
            | Curriculum _ -> Combined.faults sizes (givesRewards seed) task
            | _ ->
                match own dt seed circuit task, dt with
                | [], Some dt ->
                    match TaskMask.faults (longest dt task) (snd (sizes task)) task with
                    | [] -> firstTargets dt seed circuit task
                    | wrong -> wrong
                | wrong, _ -> wrong

        yield! CheckValues.at part faults

        if List.isEmpty faults then
            yield! CheckValues.at part (Scoring.faults seed (ownConditions task) task)

        yield! CheckValues.at part (CheckValues.lost task.Lost)

        for name, inner in Combined.named task do
            yield! problemsOf dt seed circuit (names @ [ name ]) inner
    ]

    /// The problems of a task for a circuit, and of the tasks that it is made of.
    let problems (dt: float<ms> option) seed (circuit: Circuit) (task: Task) =
        problemsOf dt seed circuit [] task

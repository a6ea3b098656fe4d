namespace Rflo.Host

open System
open Rflo.Dsl

/// A task in words.
[<RequireQualifiedAccess>]
module internal TaskText =

    let private ofSteps count = Counted.words count "step"
    let private ofTrials count = Counted.words count "trial"

    let private size inputs outputs =
        Counted.words inputs "input" + ", " + Counted.words outputs "output"

    let private harmonic (k: int, amplitude: float) =
        let times = if k = 1 then "" else $"{string k}·"
        let factor = if amplitude = 1.0 then "" else $"{string amplitude} "
        $"{factor}sin(2π·{times}t/P)"

    /// A duration in words.
    let lasting =
        function
        | FixedFor duration -> $"{string (float duration)} ms"
        | EvenlyBetween(shortest, longest) ->
            $"{string (float shortest)} to {string (float longest)} ms"
        | OneOf durations ->
            let list = durations |> List.map (float >> string) |> String.concat " or "
            $"{string list} ms"
        | ExponentialBetween(mean, shortest, longest) ->
            $"{string (float shortest)} to {string (float longest)} ms, exponential with mean {string (float mean)} ms"

    let private phases (phases: Phase list) =
        phases
        |> List.map (fun phase -> $"{phase.Name} {string (lasting phase.Lasts)}")
        |> String.concat ", "

    let private until =
        function
        | MeanLossBelow(loss, trials) ->
            $"until the mean loss of its last {trials} trials is below {string loss}"
        | MeanRewardAbove(reward, trials) ->
            $"until the mean reward of its last {trials} trials is above {string reward}"
        | AfterTrials trials -> $"for {ofTrials trials}"
        | ValidationLossBelow loss -> $"until its validation loss is below {string loss}"
        | PerformanceAbove performance ->
            $"until its validation performance is above {string performance}"

    let private score (task: Task) =
        let standard =
            match task.Kind with
            | Standard given -> given.Score
            | _ -> None

        // The score of a standard task is part of its definition.
        if task.Score = standard then
            ""
        else
            match task.Score with
            | None -> "; its trials have no score"
            | Some Score.Decision -> "; a trial is right where the chosen output is the target's"
            | Some(Score.ErrorBelow error) ->
                $"; a trial is right where its mean absolute error is below {string error}"
            | Some(Score.ShareWithin error) ->
                $"; the performance of a trial is the share of targets met to less than {string error}"

    let private conditions (task: Task) =
        match task.Conditions |> List.map _.Name |> String.concat ", " with
        | "" -> ""
        | names -> $"; conditions: {names}"

    let rec private what (task: Task) =
        match task.Mask with
        | Some _ ->
            $"{kind task}; its targets count by a mask beside that of its trials{score task}{conditions task}"
        | None -> $"{kind task}{score task}{conditions task}"

    and private kind (task: Task) =
        match task.Kind with
        | Periodic(period, harmonics) ->
            let sum = harmonics |> List.map harmonic |> String.concat " + "
            $"no input; the target is y*(t) = {sum} with P = {string (float period)} ms, one period a trial"
        | Arrays data ->
            $"the same arrays in every trial: {ofSteps (Array2D.length1 data.Targets)}, {size (Array2D.length2 data.Inputs) (Array2D.length2 data.Targets)}"
        | Drawn drawn ->
            $"trials drawn anew by the script, at most {string (float drawn.Duration)} ms, {size drawn.Inputs drawn.Outputs}"
        | Phased given ->
            $"trials made by the script over phases, {size given.Inputs given.Outputs}: {phases given.Phases}"
        | Standard given -> $"{StandardTasks.summary given}. Phases: {phases given.Phases}"
        | ReadySetGo p ->
            let delays =
                match p.Delays with
                | DrawnBetween(shortest, longest) ->
                    $"drawn anew between {string (float shortest)} and {string (float longest)} ms"
                | InTurn delays ->
                    let list = delays |> List.map (float >> string) |> String.concat ", "
                    $"of {list} ms in turn"

            $"two pulses of {string (float p.Width)} ms (SD), the first at {string (float p.FirstPulse)} ms, a delay apart that is {delays}; the target is a third after the same delay"
        | Syllables p ->
            let order =
                match p.Sequence with
                | [] -> $"{p.PerTrial} a trial, drawn among those that stay in the workspace"
                | sequence ->
                    let list = sequence |> List.map string |> String.concat ", "
                    $"{list} in every trial"

            let choice =
                match p.Chooser with
                | Some area -> $"; {area} chooses all but the first, and is rewarded for it"
                | None -> ""

            $"a cursor moved by {p.Directions.Length} syllables of {string (float p.Move)} ms and a hold of {string (float p.Hold)} ms: {order}{choice}"
        | InLoop loop ->
            $"trials of {string (float loop.Duration)} ms that the script makes step by step from the activity of the circuit, {size loop.Inputs loop.Outputs}"
        | Blocks blocks ->
            let parts =
                blocks
                |> List.map (fun (part, trials) ->
                    $"{ofTrials trials} of {part.Name} ({what part})")

            "blocks, one after another and again from the first: "
            + String.concat "; " parts
        | Mixture shares ->
            let sum = List.sumBy snd shares

            let parts =
                shares
                |> List.map (fun (part, weight) ->
                    $"{part.Name} in %.3g{100.0 * weight / sum} %% ({what part})")

            "a mixture, drawn in every trial: " + String.concat "; " parts
        | Curriculum(stages, last) ->
            let parts =
                stages
                |> List.map (fun (part, criterion) ->
                    $"{part.Name} {until criterion} ({what part})")

            "a curriculum: "
            + String.concat "; then " (parts @ [ $"{last.Name} ({what last})" ])
        | Custom task ->
            $"a task of its own, at most {ofSteps task.MaxSteps}, {size task.Inputs task.Outputs}"

    /// The name of the task, and its inputs and targets.
    let sentence (task: Task) = $"Task {task.Name}", what task + "."

namespace Rflo.Dsl

open System
open Rflo.Core

/// The cursor task in steps.
[<RequireQualifiedAccess>]
module internal Moves =

    let private chooser (circuit: Circuit) (task: Syllables) = [
        match task.Chooser with
        | None -> ()
        | Some _ when List.isEmpty task.Sequence ->
            Contradiction(
                "an area chooses the syllables, and no sequence defines the right choices",
                "give one, such as Syllables.inOrder [ 0; 1 ], or leave the chooser out"
            )
        | Some name ->
            match circuit.Areas |> List.tryFind (fun area -> area.Name = name) with
            | None -> Unknown(AreaName, name, circuit.Areas |> List.map (fun area -> area.Name))
            | Some area when not area.Dynamics.IsWinnerTakeAll ->
                Contradiction(
                    $"{name} chooses the syllables, and is no winner-take-all area",
                    $"declare it so, as winnerTakeAll \"{name}\" {task.Directions.Length}"
                )
            | Some area when area.Units <> task.Directions.Length ->
                NotAllowed(
                    $"the number of units of {name}, which chooses",
                    string area.Units,
                    $"{task.Directions.Length}, one a syllable"
                )
            | Some _ -> ()
    ]

    /// What is wrong with its parameters.
    let faults (dt: float<ms> option) circuit (events: string list) (task: Syllables) = [
        let count = task.Directions.Length

        if count < 1 then
            NotAllowed("the number of directions", "0", "at least 1")

        for x, y in task.Directions do
            if not (Double.IsFinite(x + y)) then
                NotAllowed("a direction", $"({string x}, {string y})", "finite")

        yield! Steps.faults "the duration of a move" dt task.Move

        if task.Hold <> 0.0<ms> then
            yield! Steps.faults "the duration of a hold" dt task.Hold

        if not (task.Length > 0.0) || not (Double.IsFinite task.Length) then
            NotAllowed("the length of a move", string task.Length, "finite and more than 0")

        if not (Double.IsFinite task.Amplitude) then
            NotAllowed("the amplitude", string task.Amplitude, "finite")

        match task.Bounds with
        | Some(low, high) when not (high - low >= task.Length) ->
            NotAllowed(
                "the workspace",
                $"from {string low} to {string high}",
                $"at least one length, {string task.Length}, wide"
            )
        | Some(low, high) when
            [ fst task.Start; snd task.Start ]
            |> List.exists (fun p -> not (p >= low && p <= high))
            ->
            NotAllowed(
                "the start of the cursor",
                $"({string (fst task.Start)}, {string (snd task.Start)})",
                $"between {string low} and {string high} in both coordinates"
            )
        | _ ->
            if not (Double.IsFinite(fst task.Start + snd task.Start)) then
                NotAllowed(
                    "the start of the cursor",
                    $"({string (fst task.Start)}, {string (snd task.Start)})",
                    "finite"
                )

        for syllable in task.Sequence |> List.filter (fun k -> k < 0 || k >= count) do
            NotAllowed("a syllable of the sequence", string syllable, $"in 0 .. {count - 1}")

        if List.isEmpty task.Sequence && task.PerTrial < 1 then
            NotAllowed("the number of syllables a trial", string task.PerTrial, "at least 1")

        if events <> [ "decide"; "move" ] then
            let given = String.concat ", " events
            NotAllowed("events", given, "decide, move: this task marks these")

        yield! chooser circuit task
    ]

    /// The task of the core, for parameters without faults.
    let compile dt (task: Syllables) : ITask =
        let steps duration = (Steps.ofTime dt duration).Value
        let low, high = task.Bounds |> Option.defaultValue (-infinity, infinity)

        SyllablesTask(
            SyllablesSpec(
                Directions = [|
                    for x, y in task.Directions do
                        x
                        y
                |],
                Move = steps task.Move,
                Hold = steps task.Hold,
                InputInHold = task.InputInHold,
                Length = task.Length,
                EvenSpeed = task.EvenSpeed,
                Amplitude = task.Amplitude,
                Low = low,
                High = high,
                Start = [| fst task.Start; snd task.Start |],
                Returns = task.Returns,
                MovedByTarget = task.MovedByTarget,
                Sequence =
                    (if List.isEmpty task.Sequence then
                         null
                     else
                         List.toArray task.Sequence),
                PerTrial = task.PerTrial,
                Cue =
                    (match task.Cue with
                     | EachSyllable -> SyllableCue.Each
                     | FirstSyllable -> SyllableCue.First
                     | NoSyllable -> SyllableCue.None),
                Chooser = Option.toObj task.Chooser,
                JudgedByPair = task.JudgedByPair,
                StopsAtError = task.StopsAtError
            )
        )

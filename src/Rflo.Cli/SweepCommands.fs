namespace Rflo.Cli

open System
open System.Diagnostics
open System.IO
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs

/// `rflo status` and `rflo collect`: the state of a sweep, read from its folder, on any machine that has it and
/// while other processes run it.
[<RequireQualifiedAccess>]
module internal SweepCommands =

    [<Literal>]
    let private Listed = 20

    let private guarded work =
        try
            work ()
        with
        | :? RunFileException as e ->
            eprintfn $"rflo: {e.Message}"
            ExitCode.Arguments
        | :? IOException
        | :? UnauthorizedAccessException as e ->
            eprintfn $"rflo: {e.Message}"
            ExitCode.Arguments

    let private words = [
        PointStage.Finished, "finished"
        PointStage.Failed, "failed"
        PointStage.Damaged, "damaged"
        PointStage.Stopped, "stopped, to go on"
        PointStage.Running, "running"
        PointStage.NotBegun, "not begun"
    ]

    let private counts (states: (string * PointState)[]) = [
        for stage, word in words do
            match
                states |> Array.filter (fun (_, state) -> state.Stage = stage) |> Array.length
            with
            | 0 -> ()
            | count -> $"  %7d{count} {word}"
    ]

    /// The settings of a point that has left a run folder.
    let private settings (folder: SweepFolder) id = [
        for pair in folder.SettingsOf id -> pair.Key, pair.Value
    ]

    let private failures (folder: SweepFolder) (states: (string * PointState)[]) =
        let failed =
            states
            |> Array.filter (fun (_, state) ->
                state.Stage = PointStage.Failed || state.Stage = PointStage.Damaged)

        [
            for id, state in Array.truncate Listed failed do
                Printable.Line $"{Sweep.label (settings folder id)} ({id}): {state.Reason}"

            if failed.Length > Listed then
                $"and {failed.Length - Listed} more"
        ]

    let private tellStatus place =
        let folder = SweepFolder.Open place
        let axes = folder.Description.Axes |> Seq.map _.Name |> String.concat ", "
        let ids = folder.ReadPoints() |> Array.ofSeq
        let states = ids |> Array.map (fun id -> id, folder.StateOf id)

        let isDamaged =
            states |> Array.exists (fun (_, state) -> state.Stage = PointStage.Damaged)

        printfn "%s" (Printable.Line $"{folder.Description.Name}: {ids.Length} points over {axes}")
        List.iter (printfn "%s") (counts states)
        List.iter (printfn "%s") (failures folder states)

        if isDamaged then
            eprintfn
                "rflo: the command of the sweep with --retry begins damaged points anew, and keeps the damaged folders beside them"

        for note in folder.Notes ids do
            eprintfn $"rflo: {note}"

        // The printed points are not all of the sweep.
        if isDamaged || ids.Length <> folder.Description.Points then
            ExitCode.EndedEarly
        else
            StandardOutput.finish ExitCode.Done

    /// How far the points of a sweep are.
    let status (arguments: string list) =
        match arguments with
        | [ place ] when not (place.StartsWith '-' || place = "help") ->
            guarded (fun () -> tellStatus place)
        | _ ->
            Usage.answer
                "status"
                "DIR"
                "Prints how many points of the sweep in that folder are finished, failed, damaged, running and left."
                arguments

    let private tellCollected place (path: string) =
        let folder = SweepFolder.Open place
        let clock = Stopwatch.StartNew()
        let table = SweepTable.Write(folder, path, null)

        for complaint in table.Damaged do
            eprintfn $"rflo: {complaint}"

        for note in folder.Notes(folder.ReadPoints()) do
            eprintfn $"rflo: {note}"

        let missing =
            if table.Missing = 0 then
                ""
            else
                $"; {table.Missing} points have left no results so far"

        let size = Problem.bytes (float (FileInfo table.Path).Length)

        printfn
            $"{table.Points} points, {table.Rows} rows, {size}, in %.3g{clock.Elapsed.TotalSeconds} s{missing}"

        printfn $"{path}"

        if table.Damaged.Count = 0 then
            StandardOutput.finish ExitCode.Done
        else
            ExitCode.EndedEarly

    /// Writes the results of a sweep as one Parquet file.
    let collect (arguments: string list) =
        let words = [
            for word in arguments do
                if word.StartsWith("--out=", StringComparison.Ordinal) then
                    "--out"
                    word.Substring 6
                else
                    word
        ]

        match words with
        | [ place ] when not (place.StartsWith '-' || place = "help") ->
            guarded (fun () -> tellCollected place (Path.Combine(place, "results.parquet")))
        | [ place; "--out"; file ]
        | [ "--out"; file; place ] -> guarded (fun () -> tellCollected place file)
        | _ ->
            Usage.answer
                "collect"
                "DIR [--out results.parquet]"
                "Writes the results of the sweep in that folder as one table, a row a point and trial."
                arguments

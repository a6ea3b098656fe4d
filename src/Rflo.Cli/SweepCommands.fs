namespace Rflo.Cli

open System
open System.Diagnostics
open System.IO
open Argu
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs

/// The options of `rflo collect`.
type internal CollectOption =
    | [<MainCommand>] Folder of folder: string
    | Out of file: string
    | Csv

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Folder _ -> "the folder of the sweep."
            | Out _ ->
                "write the table here; without it, results.parquet or points.csv in the folder. With --csv, - prints it."
            | Csv ->
                "a row a point, the best first, as comma-separated text; without it, a row a point and trial, as Parquet."

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

    /// Points that are printed when a sweep is collected.
    [<Literal>]
    let private Best = 5

    let private best (folder: SweepFolder) (scores: (string * RunScore)[]) =
        let order = RunRanking.Order(Array.map snd scores) |> Array.truncate Best

        let rows = [|
            for place in order do
                let id = fst scores[place]
                let run = RunFolder.Open(folder.PlaceOf id)
                PointRow.Of(id, run.Manifest, run.ReadMetrics())
        |]

        let struct (heads, fields) = (PointTable.Of rows).Cells()
        let isWide name = name = "seconds" || name = "status"

        let kept = heads |> Seq.indexed |> Seq.filter (snd >> isWide >> not) |> List.ofSeq

        let short (cell: string) =
            match
                Double.TryParse(
                    cell,
                    Globalization.NumberStyles.Float,
                    Globalization.CultureInfo.InvariantCulture
                )
            with
            | true, value when cell.Contains '.' || cell.Contains 'E' -> $"%.4g{value}"
            | _ when cell = "" -> "–"
            | _ -> cell

        if rows.Length > 1 then
            Terminal.table (List.map snd kept) [
                for row in fields -> [ for k, _ in kept -> Printable.Line(short row[k]) ]
            ]

            let by = RunRanking.Words(RunRanking.Criterion(Array.map snd scores))
            Terminal.sentence $"best first, by {by}; {rows.Length} of {scores.Length} points"

    let private complaints (folder: SweepFolder) (damaged: string seq) =
        for complaint in damaged do
            eprintfn $"rflo: {complaint}"

        for note in folder.Notes(folder.ReadPoints()) do
            eprintfn $"rflo: {note}"

    let private unfinished missing =
        if missing = 0 then
            ""
        else
            $"; {missing} points have left no results so far"

    let private ended (damaged: string seq) =
        if Seq.isEmpty damaged then
            StandardOutput.finish ExitCode.Done
        else
            ExitCode.EndedEarly

    let private toParquet place (path: string) =
        let folder = SweepFolder.Open place
        let clock = Stopwatch.StartNew()
        let table = SweepTable.Write(folder, path, null)
        complaints folder table.Damaged
        let size = Problem.bytes (float (FileInfo table.Path).Length)

        best folder [| for struct (id, score) in table.Scores -> id, score |]

        printfn
            $"{table.Points} points, {table.Rows} rows, {size}, in %.3g{clock.Elapsed.TotalSeconds} s{unfinished table.Missing}"

        printfn $"{path}"
        ended table.Damaged

    /// A row a point, the best first: into a file, or to the standard output, where everything else goes to the standard error.
    let private toCsv place path =
        let folder = SweepFolder.Open place
        let table = PointTable.Read folder
        complaints folder table.Damaged

        match path with
        | Some "-" ->
            table.WriteCsv Console.Out

            if table.Missing > 0 then
                eprintfn $"rflo: {table.Rows.Count} points{unfinished table.Missing}"
        | _ ->
            let path = path |> Option.defaultWith (fun () -> Path.Combine(place, "points.csv"))

            table.WriteCsv(path: string) |> ignore

            printfn
                $"{table.Rows.Count} points, best first, by {RunRanking.Words table.By}{unfinished table.Missing}"

            printfn $"{path}"

        ended table.Damaged

    let private collectFrom (place: string) options =
        let out =
            options
            |> List.choose (function
                | CollectOption.Out file -> Some file
                | _ -> None)
            |> List.tryLast

        match out with
        | Some "-" when not (List.contains Csv options) ->
            Mistake.refuse "rflo collect" [
                Refused "--out - prints a table as text, which Parquet is not; give --csv too"
            ]
        | _ ->
            guarded (fun () ->
                if List.contains Csv options then
                    toCsv place out
                else
                    toParquet
                        place
                        (out
                         |> Option.defaultWith (fun () -> Path.Combine(place, "results.parquet"))))

    /// Writes the results of a sweep as one file: all trials as Parquet, or a row a point as comma-separated text.
    let collect (arguments: string list) =
        Arguments.command<CollectOption> "rflo collect" arguments (fun options ->
            let folders =
                options
                |> List.choose (function
                    | Folder place -> Some place
                    | _ -> None)

            Arguments.oneFolder<CollectOption>
                "rflo collect"
                "DIR [--csv] [--out FILE]"
                folders
                (fun place -> collectFrom place options))

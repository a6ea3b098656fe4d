namespace Rflo.Cli

open System
open System.IO
open Argu
open Rflo.Host
open Rflo.Runs

/// The options of `rflo report`.
type internal ReportOption =
    | [<MainCommand>] Folder of folder: string
    | Figures

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Folder _ -> "the folder of a run or of a sweep."
            | Figures ->
                "also write every figure of the page as SVG, and its numbers as CSV, into the folder figures beside it."

/// `rflo report`: the page of a run folder made again from its other files, or that of a sweep.
[<RequireQualifiedAccess>]
module internal ReportCommand =

    /// The page of a folder, and the folder without links.
    let private read place =
        if SweepFolder.IsSweep place then
            let folder = SweepFolder.Open place
            SweepReport.page folder, folder.Place
        else
            let saved = RunFolder.Open place
            Report.page (RunRecord.ofSaved saved), saved.Place

    let private writeFigures folder sections =
        let place = Path.Combine(folder, FigureFiles.FolderName)
        let files, leftOut = FigureFiles.write place (Page.panels sections)

        for title, reason in leftOut do
            printfn $"left out: {Printable.Line title}: {reason}"

        printfn "%s" (FigureFiles.words (Printable.Line place) files)

    let private write withFigures ((head, sections), folder) =
        try
            if withFigures then
                writeFigures folder sections

            let target = Path.Combine(folder, RunFileNames.Report)
            TextFiles.Write(target, Page.html head sections)
            printfn "%s" (Printable.Line target)
            StandardOutput.finish ExitCode.Done
        with :? RunFileException as e ->
            eprintfn $"rflo: the report cannot be written: {e.Message}"
            ExitCode.EndedEarly

    let private guarded place withFigures =
        try
            read place |> write withFigures
        with
        | :? OutOfMemoryException ->
            eprintfn "rflo: there is not enough memory to make the report"
            ExitCode.EndedEarly
        | :? RunFileException as e ->
            eprintfn $"rflo: {e.Message}"
            ExitCode.Arguments
        | e ->
            // Each file is complete, but their shapes do not agree.
            let reason = Printable.Line e.Message

            eprintfn
                $"rflo: {place}: no report can be made of its files, which do not fit each other ({e.GetType().Name}: {reason}). Copy them again from where they were made."

            ExitCode.Arguments

    /// The command; its exit code.
    let run (arguments: string list) =
        Arguments.command<ReportOption> "rflo report" arguments (fun options ->
            let folders =
                options
                |> List.choose (function
                    | Folder place -> Some place
                    | Figures -> None)

            Arguments.oneFolder<ReportOption> "rflo report" "DIR [--figures]" folders (fun place ->
                guarded place (List.contains Figures options)))

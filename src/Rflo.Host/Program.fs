module Rflo.Host.Program

open System.IO
open Rflo.Runs

/// Rebuilds report.html from the other files of a run folder, or makes that of a sweep.
let private report (arguments: string list) =
    match arguments with
    | [ place ] when place <> "--help" ->
        try
            let html, folder =
                if SweepFolder.IsSweep place then
                    let folder = SweepFolder.Open place
                    SweepReport.html folder, folder.Place
                else
                    let saved = RunFolder.Open place
                    Report.html (RunRecord.ofSaved saved), saved.Place

            let target = Path.Combine(folder, RunFileNames.Report)
            let temporary = target + ".new"
            File.WriteAllText(temporary, html)
            File.Move(temporary, target, overwrite = true)
            printfn $"{target}"
            ExitCode.Done
        with
        | :? RunFileException as e ->
            eprintfn $"rflo: {e.Message}"
            ExitCode.Arguments
        | :? IOException
        | :? System.UnauthorizedAccessException as e ->
            eprintfn $"rflo: the report cannot be written: {e.Message}"
            ExitCode.EndedEarly
    | _ ->
        printfn
            "rflo report RUNDIR rebuilds report.html from the other files of a run folder; of a sweep it makes one page"

        if arguments = [ "--help" ] then
            ExitCode.Done
        else
            ExitCode.Arguments

let private version _ =
    let versions = RunVersions.Current
    printfn $"rflo {versions.Rflo}, .NET {versions.DotNet}"
    ExitCode.Done

type private Command = {
    Name: string
    Usage: string
    Summary: string
    Run: string list -> int
}

let private commands = [
    {
        Name = "run"
        Usage = "run SCRIPT [options]"
        Summary = "train the experiment of a model script"
        Run = Scripts.run "run"
    }
    {
        Name = "check"
        Usage = "check SCRIPT [options]"
        Summary = "print all problems of a model script, or what it compiles to"
        Run =
            fun arguments ->
                match arguments with
                | script :: rest when script <> "--help" ->
                    Scripts.run "check" (script :: "--check" :: rest)
                | _ -> Scripts.run "check" arguments
    }
    {
        Name = "graph"
        Usage = "graph SCRIPT [--out FILE]"
        Summary = "draw the circuit of a model script, as circuit.html or .svg"
        Run = Scripts.graph
    }
    {
        Name = "sweep"
        Usage = "sweep SCRIPT [options]"
        Summary = "run the sweep of a script, here or by --slurm on a cluster"
        Run = Scripts.run "sweep"
    }
    {
        Name = "status"
        Usage = "status DIR"
        Summary = "tell how far the points of a sweep are"
        Run = SweepCommands.status
    }
    {
        Name = "collect"
        Usage = "collect DIR [--out FILE]"
        Summary = "write the results of a sweep as one Parquet file"
        Run = SweepCommands.collect
    }
    {
        Name = "report"
        Usage = "report DIR"
        Summary = "rebuild report.html of a run folder, or make that of a sweep"
        Run = report
    }
    {
        Name = "demo"
        Usage = "demo [--quick] [--out DIR]"
        Summary = "train the periodic task by RFLO, BPTT and RTRL and compare them"
        Run = Demo.run
    }
    {
        Name = "reproduce"
        Usage = "reproduce FIGURE|all|list [options]"
        Summary = "run the figures of Murray (2019) and decide its claims"
        Run = Reproduce.command
    }
    {
        Name = "bench"
        Usage = "bench [options]"
        Summary = "measure microseconds and bytes a step on the periodic task"
        Run = Bench.run
    }
    {
        Name = "version"
        Usage = "version"
        Summary = "print the versions of rflo and .NET"
        Run = version
    }
]

let private help () =
    printfn "rflo COMMAND\n"

    for command in commands do
        printfn $"  {command.Usage, -28} {command.Summary}"

    printfn
        "\nEach command takes --help. Exit codes: 0 done, 1 problems in the model, 2 bad arguments, 3 ended early."

/// The `rflo` command.
[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | [] ->
        help ()
        ExitCode.Arguments
    | [ "--help" ]
    | [ "-h" ]
    | [ "help" ] ->
        help ()
        ExitCode.Done
    | [ "--version" ] -> version []
    | name :: rest ->
        match commands |> List.tryFind (fun command -> command.Name = name) with
        | Some command -> command.Run rest
        | None ->
            let known = commands |> List.map _.Name

            let hint =
                match Rflo.Dsl.Problem.nearest name known with
                | Some near -> $"; did you mean {near}?"
                | None -> ""

            let all = String.concat ", " known
            eprintfn $"rflo: there is no command {name} (known: {all}){hint}"
            ExitCode.Arguments

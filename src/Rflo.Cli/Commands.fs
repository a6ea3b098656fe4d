/// The commands of `rflo`.
module internal Rflo.Cli.Commands

open Rflo.Host
open Rflo.Runs

let private version arguments =
    if List.isEmpty arguments then
        let versions = RunVersions.Current
        printfn $"rflo {versions.Rflo}, .NET {versions.DotNet}"
        ExitCode.Done
    else
        Usage.answer "version" "" "Prints the versions of rflo and .NET." arguments

let private working = [
    {
        Name = "new"
        Usage = "new NAME [--template T]"
        Summary = "write a commented model script and its tests, to begin with"
        Options = Arguments.names<NewOption>()
        Run = New.run
    }
    {
        Name = "run"
        Usage = "run SCRIPT [options]"
        Summary = "train the experiment of a model script"
        Options = Arguments.names<ScriptOption>()
        Run = Scripts.run "run"
    }
    {
        Name = "check"
        Usage = "check SCRIPT [options]"
        Summary = "print all problems of a model script, or what it compiles to"
        Options = Arguments.names<ScriptOption>()
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
        Summary = "draw the circuit of a model script, as circuit.html, .svg or .dot"
        Options = [ "--out"; "--width"; "--font" ]
        Run = Scripts.graph
    }
    {
        Name = "sweep"
        Usage = "sweep SCRIPT [options]"
        Summary = "run the sweep of a script, here or by --slurm on a cluster"
        Options = Arguments.names<SweepOption>() @ Arguments.names<ScriptOption>()
        Run = Scripts.run "sweep"
    }
    {
        Name = "status"
        Usage = "status DIR"
        Summary = "print how far the points of a sweep are"
        Options = []
        Run = SweepCommands.status
    }
    {
        Name = "collect"
        Usage = "collect DIR [--csv] [--out FILE]"
        Summary = "write the results of a sweep as one table, Parquet or CSV"
        Options = Arguments.names<CollectOption>()
        Run = SweepCommands.collect
    }
    {
        Name = "report"
        Usage = "report DIR [--figures]"
        Summary = "rebuild report.html of a run folder, or make that of a sweep"
        Options = Arguments.names<ReportOption>()
        Run = ReportCommand.run
    }
    {
        Name = "analyze"
        Usage = "analyze RUN [options]"
        Summary = "compute what a run learned, as a page with figures and numbers"
        Options = "--run" :: Arguments.names<AnalysisOption>()
        Run = Analyze.run
    }
    {
        Name = "compare"
        Usage = "compare RUN RUN ... [--out DIR]"
        Summary = "lay finished runs side by side, of any scripts"
        Options = Arguments.names<CompareOption>()
        Run = CompareRuns.run
    }
    {
        Name = "demo"
        Usage = "demo [--quick] [--out DIR]"
        Summary = "train the periodic task by RFLO, BPTT and RTRL and compare them"
        Options = Arguments.names<DemoOption>()
        Run = Demo.run
    }
    {
        Name = "reproduce"
        Usage = "reproduce FIGURE|all|list [options]"
        Summary = "run the figures of Murray (2019) and decide its claims"
        Options = Arguments.names<Rflo.Reproductions.Murray2019.ReproduceOption>()
        Run = Rflo.Reproductions.Murray2019.Reproduce.command
    }
    {
        Name = "bench"
        Usage = "bench [options]"
        Summary = "measure microseconds and bytes a step on the periodic task"
        Options = Arguments.names<BenchOption>()
        Run = Bench.run
    }
    {
        Name = "version"
        Usage = "version"
        Summary = "print the versions of rflo and .NET"
        Options = []
        Run = version
    }
]


let private completion arguments =
    match arguments with
    | [ shell ] when List.contains shell Completion.shells ->
        printf $"%s{Completion.script shell working}"
        ExitCode.Done
    | _ ->
        let shells = String.concat "|" Completion.shells

        Usage.answer
            "completion"
            shells
            "Prints a script that completes commands and options: `source <(rflo completion bash)`."
            arguments

/// All commands, in the order of a first use.
let all =
    working
    @ [
        {
            Name = "completion"
            Usage = "completion bash|zsh|fish"
            Summary = "print a script that completes commands and options"
            Options = []
            Run = completion
        }
    ]

namespace Rflo.Host

open System
open System.ComponentModel
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices

/// Model scripts, run in a process of their own by `dotnet fsi`.
[<RequireQualifiedAccess>]
module Scripts =

    let private dotnet () =
        match Environment.GetEnvironmentVariable "DOTNET_HOST_PATH" with
        | null
        | "" -> "dotnet"
        | path -> path

    let private complaint (script: string) =
        if not (script.EndsWith(".fsx", StringComparison.OrdinalIgnoreCase)) then
            Some $"{script} is no F# script; its name must end in .fsx"
        elif Directory.Exists script then
            Some $"{script} is a folder; name a script in it"
        elif not (File.Exists script) then
            Some $"there is no script {script} in {Directory.GetCurrentDirectory()}"
        else
            None

    /// The script decides how a Ctrl-C ends; this process waits for it.
    let private wait (child: Process) =
        use _ =
            PosixSignalRegistration.Create(
                PosixSignal.SIGINT,
                (fun signal -> signal.Cancel <- true)
            )

        child.WaitForExit()
        child.ExitCode

    let private start script arguments =
        let info = ProcessStartInfo(dotnet ())
        // What stands behind -- is the script's, even --help.
        List.iter info.ArgumentList.Add ([ "fsi"; script; "--" ] @ arguments)

        try
            use child = Process.Start info |> nonNull
            wait child
        with :? Win32Exception as e ->
            eprintfn
                $"rflo: dotnet cannot be started ({e.Message}); install the .NET SDK, or put it on the PATH"

            ExitCode.Arguments

    /// Runs a script with its options; its exit code.
    let run command (arguments: string list) =
        match arguments with
        | []
        | [ "--help" | "-h" | "help" ] ->
            Usage.answer
                command
                "SCRIPT.fsx [options]"
                $"`rflo {command} SCRIPT.fsx --help` lists the options, which are those of the script."
                arguments
        | script :: rest ->
            match complaint script with
            | Some complaint ->
                eprintfn $"rflo: {complaint}"
                ExitCode.Arguments
            | None -> start script rest

    /// Draws the circuit of a script; `--out` is where.
    let graph (arguments: string list) =
        let rec words given =
            match given with
            | "--out" :: file :: rest -> "--graph" :: file :: words rest
            | word :: rest when word.StartsWith("--out=", StringComparison.Ordinal) ->
                "--graph" :: word.Substring 6 :: words rest
            | word :: rest -> word :: words rest
            | [] -> []

        match words arguments with
        | []
        | [ "--help" | "-h" | "help" ] ->
            Usage.answer
                "graph"
                "SCRIPT.fsx [--out circuit.html | --out circuit.svg]"
                "Draws the circuit of a model script, whatever its problems, and trains nothing."
                arguments
        | script :: rest when not (List.contains "--graph" rest) ->
            run "graph" (script :: rest @ [ "--graph"; "circuit.html" ])
        | all -> run "graph" all

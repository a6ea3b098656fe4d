namespace Rflo.Cli

open System
open System.ComponentModel
open System.Diagnostics
open System.IO
open System.Runtime.InteropServices
open Rflo.Host

/// Model scripts, run in a process of their own: compiled, if that can be kept, or else by `dotnet fsi`.
[<RequireQualifiedAccess>]
module internal Scripts =

    let private complaint (script: string) =
        if not (script.EndsWith(".fsx", StringComparison.OrdinalIgnoreCase)) then
            Some $"{script} is no F# script; its name must end in .fsx"
        elif Directory.Exists script then
            Some $"{script} is a folder; name a script in it"
        elif not (File.Exists script) then
            Some $"there is no script {script} in {Directory.GetCurrentDirectory()}"
        else
            None

    [<DllImport("libc", EntryPoint = "kill")>]
    extern int private sendSignal(int id, int signal)

    [<Literal>]
    let private Terminate = 15

    /// The script handles signals; this process waits for its end. A terminal sends SIGINT and SIGHUP to both; a signal to this
    /// process alone is passed to the script.
    let private wait (child: Process) =
        let leave (signal: PosixSignalContext) = signal.Cancel <- true

        let hand (signal: PosixSignalContext) =
            signal.Cancel <- true
            sendSignal (child.Id, Terminate) |> ignore

        use _ = PosixSignalRegistration.Create(PosixSignal.SIGINT, leave)
        use _ = PosixSignalRegistration.Create(PosixSignal.SIGHUP, leave)
        use _ = PosixSignalRegistration.Create(PosixSignal.SIGTERM, hand)
        child.WaitForExit()
        child.ExitCode

    /// The words behind `dotnet` that run a script, and the variables that they need.
    let private running (script: string) (compiled: CompiledScript option) =
        match compiled, typeof<CompiledScript>.Assembly.Location with
        | Some compiled, ourselves when ourselves <> "" ->
            [ ourselves; ScriptLoader.Command; script ], ScriptLoader.environment compiled
        | _ -> [ "fsi"; script ], []

    let private startProcess command script compiled arguments =
        let environment, waitsAt = HandOver.environment command
        let words, variables = running script compiled
        let info = ProcessStartInfo(ScriptCompiler.dotnet ())
        // Words after -- belong to the script, --help too.
        List.iter info.ArgumentList.Add (words @ [ "--" ] @ arguments)

        for name, value in environment @ variables do
            info.Environment[name] <- value

        let code =
            try
                use child = Process.Start info |> nonNull
                wait child
            with :? Win32Exception as e ->
                eprintfn
                    $"rflo: dotnet cannot be started ({e.Message}); install the .NET SDK, or put it on the PATH"

                ExitCode.Arguments

        if HandOver.isMissing waitsAt && code = ExitCode.Done then
            eprintfn
                $"rflo {command}: {script} passed no experiment to the host; end it with `|> Host.run`, or run it by `dotnet fsi {script}`"

            ExitCode.Problems
        else
            code

    let private start command script arguments =
        match ScriptCache.find script with
        | Some(Error said) ->
            eprintfn $"{said}"
            ExitCode.Problems
        | Some(Ok compiled) ->
            if compiled.Warnings <> "" then
                eprintfn $"{compiled.Warnings}"

            startProcess command script (Some compiled) arguments
        | None -> startProcess command script None arguments

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
            | None -> start command script rest

    /// The options of `rflo graph`, with the script's options for them.
    let private graphOptions = [
        "--out", "--graph"
        "--width", "--graph-width"
        "--font", "--graph-font"
    ]

    /// Draws the circuit of a script into the file of `--out`.
    let graph (arguments: string list) =
        let words given = [
            for word: string in given do
                match
                    graphOptions
                    |> List.tryFind (fun (name, _) ->
                        word = name || word.StartsWith(name + "=", StringComparison.Ordinal))
                with
                | Some(name, ofScript) -> ofScript + word.Substring name.Length
                | None -> word
        ]

        match words arguments with
        | []
        | [ "--help" | "-h" | "help" ] ->
            Usage.answer
                "graph"
                "SCRIPT.fsx [--out circuit.html | circuit.svg | circuit.dot] [--width MM] [--font NAME]"
                "Draws the circuit of a model script, also of one with problems, and trains nothing. An .svg may have its width on paper, in millimeters, and a font; a .dot is for Graphviz."
                arguments
        | script :: rest when
            rest
            |> List.forall (fun word ->
                word <> "--graph" && not (word.StartsWith("--graph=", StringComparison.Ordinal)))
            ->
            run "graph" (script :: rest @ [ "--graph"; "circuit.html" ])
        | all -> run "graph" all

module Rflo.Host.Tests.CompletionTests

open System.IO
open Expecto
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private bash = "/bin/bash"

/// The script for bash, written once for all tests.
let private forBash =
    lazy
        (let mutable text = ""

         inFolder (fun folder ->
             let script = rflo folder [ "completion"; "bash" ]
             Expect.equal script.Code 0 "exit code"
             text <- script.Output)

         text)

/// What bash would offer for the last of these words.
let private offered (words: string list) =
    if not (File.Exists bash) then
        skiptest $"there is no {bash}"

    let mutable answer = ""

    inFolder (fun folder ->
        let line = words |> List.map (fun word -> $"'{word}'") |> String.concat " "

        let program =
            forBash.Value
            + $"COMP_WORDS=({line}); COMP_CWORD={words.Length - 1}; _rflo; echo \"${{COMPREPLY[*]}}\"\n"

        let ended = run folder bash [ "--norc"; "-c"; program ]
        Expect.isEmpty ended.Errors "what bash says"
        answer <- ended.Output.Trim())

    answer

let private offers words expected =
    test $"""{String.concat " " words}""" { Expect.equal (offered words) expected "completions" }

[<Tests>]
let tests =
    testList "completion" [
        offers [ "rflo"; "re" ] "report reproduce"
        offers [ "rflo"; "run"; "model.fsx"; "--tri" ] "--trials"
        offers [ "rflo"; "sweep"; "model.fsx"; "--slu" ] "--slurm"
        offers [ "rflo"; "run"; "model.fsx"; "--rule"; "rtrl" ] "rtrl rtrl-random"
        offers [ "rflo"; "new"; "reach"; "--template"; "" ] (String.concat " " Templates.names)
        offers [ "rflo"; "completion"; "" ] "bash zsh fish"
        offers [ "rflo"; "collect"; "runs" ] ""

        test "knows every command and takes every option" {
            let all = offered [ "rflo"; "" ]

            for command in Commands.all do
                Expect.contains (all.Split ' ') command.Name "command"

            Expect.equal
                (offered [ "rflo"; "run"; "--" ])
                (String.concat " " (Arguments.names<ScriptOption>() @ [ "--help" ]))
                "options"
        }

        for shell in [ "zsh"; "fish" ] do
            test $"has a script for {shell}" {
                inFolder (fun folder ->
                    let script = rflo folder [ "completion"; shell ]
                    Expect.equal script.Code 0 "exit code"

                    for command in Commands.all do
                        Expect.stringContains script.Output command.Name "command")
            }

        test "names its shells" {
            inFolder (fun folder ->
                let ended = rflo folder [ "completion"; "tcsh" ]
                Expect.equal ended.Code 2 "exit code"

                Expect.stringContains
                    ended.Errors
                    "it must be: rflo completion bash|zsh|fish; given: tcsh"
                    "message")
        }

        test "every command tells its use and exit codes" {
            inFolder (fun folder ->
                for command in Commands.all do
                    let ended = rflo folder [ command.Name; "--help" ]
                    Expect.equal ended.Code 0 $"{command.Name}: exit code ({ended.Errors})"
                    Expect.stringContains ended.Output $"USAGE: rflo {command.Name}" "use"
                    Expect.stringContains ended.Output ExitCode.help "exit codes"
                    Expect.isEmpty (Directory.GetFileSystemEntries folder) "files")
        }

        for arguments in
            [
                [ "report" ]
                [ "status"; "a"; "b" ]
                [ "collect" ]
                [ "run" ]
                [ "graph" ]
                [ "version"; "x" ]
            ] do
            test $"""says what it must be: {String.concat " " arguments}""" {
                inFolder (fun folder ->
                    let ended = rflo folder arguments
                    Expect.equal ended.Code 2 "exit code"
                    Expect.isEmpty ended.Output "output"

                    Expect.stringContains
                        ended.Errors
                        $"it must be: rflo {arguments.Head}"
                        "message")
            }
    ]

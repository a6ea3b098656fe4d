module Rflo.Host.Tests.CommandTests

open System
open System.IO
open System.Text.Json
open Expecto
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private periodic = Path.Combine(examples, "01-periodic.fsx")

let private refused name arguments (message: string) =
    test name {
        inFolder (fun folder ->
            let ended = rflo folder arguments
            Expect.equal ended.Code 2 "exit code"
            Expect.stringContains ended.Errors message "message"
            Expect.isFalse (ended.Errors.Contains "   at ") "no stack trace")
    }

[<Tests>]
let tests =
    testList "rflo" [
        refused "names an unknown command" [ "chekc" ] "there is no command chekc"
        refused "names a script that is not there" [ "run"; "no.fsx" ] "there is no script no.fsx"
        refused "runs F# scripts only" [ "run"; "model.py" ] "model.py is no F# script"
        refused "names a folder that holds no run" [ "report"; "nowhere" ] "nowhere/manifest.json"
        refused "names a wrong option of bench" [ "bench"; "--unit"; "5" ] "did you mean --units?"
        refused
            "names a wrong value of bench"
            [ "bench"; "--units"; "0" ]
            "--units is '0'; it must be a whole number, at least 1"
        refused
            "names a wrong number of threads of bench"
            [ "bench"; "--threads"; "two" ]
            "--threads is 'two'; it must be a whole number, at least 1"
        refused "names a wrong option of demo" [ "demo"; "--quik" ] "did you mean --quick?"

        test "lists its commands" {
            inFolder (fun folder ->
                let ended = rflo folder [ "--help" ]
                Expect.equal ended.Code 0 "exit code"

                for command in [ "run"; "check"; "report"; "demo"; "bench"; "version" ] do
                    Expect.stringContains ended.Output command "help")
        }

        test "checks a script and trains nothing" {
            inFolder (fun folder ->
                let ended = rflo folder [ "check"; periodic ]
                Expect.equal ended.Code 0 "exit code"

                for words in
                    [
                        "periodic: no problems"
                        "cortex->cortex   (50, 50)   2500 connections"
                        "parameters  2550, of which 2550 learn"
                        "memory"
                    ] do
                    Expect.stringContains ended.Output words "summary"

                Expect.isEmpty (Directory.GetFileSystemEntries folder) "files")
        }

        test "runs a script, and rebuilds its report" {
            inFolder (fun folder ->
                let ended =
                    rflo folder [
                        "run"
                        periodic
                        "--trials"
                        "3"
                        "--out"
                        "a"
                        "--no-report"
                    ]

                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.equal (rflo folder [ "report"; "a" ]).Code 0 "report"
                let page = File.ReadAllText(Path.Combine(folder, "a", "report.html"))
                Expect.stringContains page "completed 3 trials" "page"

                // Files that are whole, each by itself, and do not fit each other.
                let activity = Path.Combine(folder, "a", "activity.npz")

                Npz.Write(
                    activity,
                    [
                        for array in Npz.Read activity ->
                            if array.Name = "after/targets" then
                                NamedArray(array.Name, [| 1; 1 |], [| 0.0 |])
                            else
                                array
                    ]
                )

                let misfit = rflo folder [ "report"; "a" ]
                Expect.equal misfit.Code 2 "exit code"
                Expect.stringContains misfit.Errors "which do not fit each other" "said"
                Expect.isFalse (misfit.Errors.Contains "   at ") misfit.Errors)
        }

        test "passes the exit code of a script on" {
            inFolder (fun folder ->
                Expect.equal
                    (rflo folder [ "run"; periodic; "--rule"; "nothing" ]).Code
                    2
                    "exit code")
        }

        test "bench prints one object as its last line" {
            inFolder (fun folder ->
                let ended =
                    rflo folder [
                        "bench"
                        "--units"
                        "8"
                        "--steps"
                        "20"
                        "--trials"
                        "50"
                        "--json"
                    ]

                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                use json = JsonDocument.Parse((ended.Output.Trim().Split '\n') |> Array.last)

                for name in [ "usPerStep"; "allocatedBytesPerStep"; "finalLoss" ] do
                    let value = json.RootElement.GetProperty(name).GetDouble()
                    Expect.isTrue (Double.IsFinite value && value >= 0.0) name)
        }

        test "bench trains trials side by side, online and in batches, at any size" {
            inFolder (fun folder ->
                for options in
                    [
                        [ "--lanes"; "8"; "--threads"; "2"; "--rule"; "bptt" ]
                        [ "--lanes"; "4"; "--update"; "online" ]
                        [ "--units"; "1200" ]
                        [ "--units"; "200"; "--update"; "every-12" ]
                    ] do
                    let ended =
                        rflo
                            folder
                            ([ "bench"; "--steps"; "50"; "--trials"; "24"; "--json" ] @ options)

                    Expect.equal ended.Code 0 $"{options} ({ended.Errors})"
                    use json = JsonDocument.Parse((ended.Output.Trim().Split '\n') |> Array.last)
                    let loss = json.RootElement.GetProperty("finalLoss").GetDouble()
                    Numbers.isLessThan loss 0.6 $"{options}: it does not diverge"
                    let bytes = json.RootElement.GetProperty("allocatedBytesPerStep").GetDouble()

                    Expect.isTrue
                        (bytes >= 0.0 && bytes < 100.0)
                        $"{options}: {bytes} bytes a step")
        }

        test "demo compares three rules, and finds RTRL and BPTT the same" {
            inFolder (fun folder ->
                let ended = rflo folder [ "demo"; "--quick" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.stringContains ended.Output "rtrl's losses agree with bptt's" "agreement"
                let place = Path.Combine(folder, "runs", "demo-1")
                Expect.isTrue (File.Exists(Path.Combine(place, "report.html"))) "report"

                for rule, trials in [ "rflo", 300; "bptt", 300; "rtrl", 60 ] do
                    let saved = RunFolder.Open(Path.Combine(place, rule))
                    Expect.equal saved.Manifest.Trials trials rule)
        }
    ]

module Rflo.Host.Tests.InterruptTests

open System
open System.IO
open Expecto
open Rflo.Core
open Rflo.Runs
open Rflo.Host.Tests.Processes

/// The process itself and every one that it started, youngest last.
let private family (pid: int) =
    let children =
        Directory.GetDirectories "/proc"
        |> Array.choose (fun folder ->
            try
                let stat = File.ReadAllText(Path.Combine(folder, "stat"))
                let fields = stat.Substring(stat.LastIndexOf(')') + 2).Split ' '
                Some(int (Path.GetFileName folder), int fields[1])
            with _ ->
                None)

    let rec below parent = [
        for child, above in children do
            if above = parent then
                child
                yield! below child
    ]

    pid :: below pid

let private host =
    Path.Combine(root, "src", "Rflo.Cli", "bin", "Release", "net10.0", "Rflo.Cli.dll")

let private interrupt signal pids =
    for pid in pids do
        run "/" "/bin/sh" [ "-c"; $"kill -{signal} {pid} 2>/dev/null || true" ]
        |> ignore

[<Tests>]
let tests =
    testList "interrupts" [
        for signal in [ "INT"; "TERM" ] do
            test $"SIG{signal} ends a run cleanly, with a whole folder" {
                if not (Directory.Exists "/proc/self") then
                    skiptest "there is no /proc to find the script's process in"

                inFolder (fun folder ->
                    let example = Path.Combine(examples, "01-periodic.fsx")

                    // A shell that started the tests in the background has SIGINT ignored, and children inherit that.
                    use child =
                        start folder "env" [
                            $"--default-signal={signal}"
                            "dotnet"
                            // A queue knows the first process only, which hands the signal on.
                            if signal = "TERM" then yield! [ host; "run" ] else "fsi"
                            example
                            "--trials"
                            "100000000"
                            "--out"
                            "a"
                            "--no-report"
                        ]

                    // The first plain line says that it trains.
                    let line = child.StandardOutput.ReadLineAsync()
                    Expect.isTrue (line.Wait(TimeSpan.FromMinutes 4.0)) "it trains"
                    // A terminal signals the whole group.
                    interrupt signal (if signal = "INT" then family child.Id else [ child.Id ])
                    let ended = finish child
                    Expect.equal ended.Code 3 $"exit code ({ended.Errors})"
                    Expect.stringContains ended.Errors "stopping after this trial" "what it says"
                    let saved = RunFolder.Open(Path.Combine(folder, "a"))
                    Expect.equal saved.Manifest.Status RunEnd.Cancelled "status"
                    let metrics = saved.ReadMetrics()
                    Expect.equal metrics.Rows saved.Manifest.Trials "rows"
                    Numbers.isGreaterThan metrics.Rows 0 "trials"
                    Expect.isNonEmpty (saved.ReadWeights()) "weights")
            }
    ]
    |> testSequenced

module Rflo.Runs.Tests.KillTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Threading
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Folders

/// How long the child waits: longer than the test needs, and not for ever.
let private patience = TimeSpan.FromMinutes 1.0

/// Writes half a run, says so, and waits to be killed: this is what the child process does.
let writeHalf place =
    let folder = RunFolder.Create place
    fill folder
    printfn "half"
    Thread.Sleep patience

/// Starts a process that writes half a run, and kills it there.
let private killHalfWay (place: string) =
    let program = Assembly.GetExecutingAssembly().Location

    let info =
        ProcessStartInfo("dotnet", [ program; "write-half"; place ], RedirectStandardOutput = true)

    use child = nonNull (Process.Start info)

    try
        // The test framework may colour or pad the line.
        Expect.stringContains
            (nonNull (child.StandardOutput.ReadLine()))
            "half"
            "what the process says"
    finally
        child.Kill()
        child.WaitForExit()

[<Tests>]
let tests =
    testList "a killed process" [
        test "leaves no folder of the final name, and what it leaves is known as abandoned" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                killHalfWay place
                Expect.isFalse (Path.Exists place) "no run"

                Expect.equal
                    (List.ofSeq (RunFolder.Abandoned parent))
                    [ Path.Combine(parent, ".p1.writing") ]
                    "abandoned"

                writeRun place false |> ignore

                Expect.equal
                    (Directory.GetFileSystemEntries parent)
                    [| place |]
                    "the next run clears it away")
        }
    ]

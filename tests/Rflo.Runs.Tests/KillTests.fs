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
let private patience = TimeSpan.FromMinutes 10.0

/// Writes half a run, says so, and waits to be killed: this is what the child process does.
let writeHalf place =
    let folder = RunFolder.Create place
    fill folder
    printfn "half"
    Thread.Sleep patience

/// Writes a run whose place is taken at its end, says so, and waits to be killed.
let writeUnplaced place =
    let folder = RunFolder.Create place
    fill folder
    Directory.CreateDirectory(Path.Combine(place, "other")) |> ignore

    try
        folder.Commit manifest |> ignore
    with :? RunFileException ->
        printfn "unplaced"

    Thread.Sleep patience

/// Starts a process that does one of the things that `Main` knows.
let child (what: string) (place: string) =
    let program = Assembly.GetExecutingAssembly().Location

    let info =
        ProcessStartInfo("dotnet", [ program; what; place ], RedirectStandardOutput = true)

    nonNull (Process.Start info)

/// Starts a process, and kills it when it has said so.
let private kill (what: string) (says: string) (place: string) =
    use child = child what place

    try
        // The test framework may colour or pad the line.
        Expect.stringContains
            (nonNull (child.StandardOutput.ReadLine()))
            says
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
                kill "write-half" "half" place
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

        test "loses no complete results: the next run gives them a free number" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                kill "write-unplaced" "unplaced" place
                Directory.Delete(place, true)
                writeRun place false |> ignore
                Expect.equal (entries parent) [ "p1"; "p1-1" ] "both"
                Expect.equal ((RunFolder.Open(place + "-1")).ReadMetrics().Rows) 2 "its results"

                Expect.isFalse
                    (List.contains ".owner.json" (entries (place + "-1")))
                    "and nothing else")
        }
    ]

/// A run whose process has ended is taken up by one other, with all that it had; nothing is thrown away unasked.
module Rflo.Runs.Tests.TakeUpTests

open System
open System.IO
open System.Text.Json.Nodes
open System.Threading
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.CheckpointTests
open Rflo.Runs.Tests.Folders

let private session trial notes =
    RunSession(
        DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero),
        trial,
        [| "--trials"; "30" |],
        notes
    )

let private temporary (place: string) =
    Path.Combine(nonNull (Path.GetDirectoryName place), $".{Path.GetFileName place}.writing")

/// The folder looks as if this process of this machine had made it.
let private sign (folder: string) (host: string) =
    File.WriteAllText(
        Path.Combine(folder, ".owner.json"),
        $$"""{"Process":999999999,"Started":"2026-02-03T04:05:06Z","Host":"{{host}}"}"""
    )

let private killed folder = sign folder Environment.MachineName

/// What a process leaves that is killed after a checkpoint of trial 20, while it writes the next one.
let private leave place =
    let folder = RunFolder.Create place
    folder.Begin(session 0 [||])
    folder.Checkpoints(experiment).Write(10, state 10)
    folder.Checkpoints(experiment).Write(20, state 20)

    for unfinished in
        [
            "checkpoint-0000000030.npz.part"
            "metrics.csv.part"
            ".turn"
            ".owner.json-77"
        ] do
        File.WriteAllText(Path.Combine(folder.Temporary, unfinished), "half")

    killed folder.Temporary

/// A run that ended with its checkpoints.
let private ended place =
    use folder = RunFolder.Create place
    folder.Begin(session 0 [||])
    folder.Checkpoints(experiment).Write(20, state 20)
    fill folder
    folder.Commit manifest |> ignore

let private trialOf (folder: RunFolder) =
    fst (takeUp (folder.Checkpoints experiment)) |> Option.map _.Trial

let private inPlace test =
    inFolder (fun parent -> test (Path.Combine(parent, "p1")))

/// What the child processes do that all want one run: one gets it, and keeps it until it is killed.
let contend place =
    try
        use folder = RunFolder.Resume place
        folder.Begin(session 20 [||])
        printfn "taken"
        Thread.Sleep(TimeSpan.FromMinutes 10.0)
    with :? RunFileException as e ->
        printfn $"refused: {e.Message}"

[<Tests>]
let tests =
    testList "a run that goes on" [
        test "takes over what a killed process left, and becomes whole" {
            inPlace (fun place ->
                leave place

                use folder = RunFolder.Resume place
                Expect.equal (trialOf folder) (Some 20) "checkpoint"
                Expect.equal (List.ofSeq folder.Sessions).Length 1 "sessions before"
                folder.Begin(session 20 [| "a note" |])
                folder.DropsCheckpoints <- true
                fill folder
                let run = RunFolder.Open(folder.Commit manifest)
                let sessions = List.ofSeq run.Manifest.Sessions
                Expect.equal (sessions |> List.map _.Trial) [ 0; 20 ] "sessions"
                Expect.equal (List.ofSeq sessions[1].Notes) [ "a note" ] "notes"
                Expect.equal (List.ofSeq sessions[0].Arguments) [ "--trials"; "30" ] "words"

                Expect.equal
                    (entries place)
                    [
                        "activity.npz"
                        "manifest.json"
                        "metrics.csv"
                        "report.html"
                        "weights.npz"
                    ]
                    "nothing half and no checkpoint"

                Expect.equal
                    (run.Manifest.Files |> Seq.map _.Name |> List.ofSeq)
                    (entries place |> List.except [ "manifest.json" ])
                    "files of the manifest")
        }

        test "keeps its last checkpoints where they are wanted" {
            inPlace (fun place ->
                ended place
                Expect.contains (entries place) "checkpoint-0000000020.npz" "there"
                let files = (RunFolder.Open place).Manifest.Files |> Seq.map _.Name
                Expect.contains files "checkpoint-0000000020.npz" "and listed")
        }

        test "given up, it keeps its checkpoints, and can be taken up later" {
            inPlace (fun place ->
                (use folder = RunFolder.Create place
                 folder.Begin(session 0 [||])
                 folder.Checkpoints(experiment).Write(5, state 5))

                Expect.isTrue (Directory.Exists(temporary place)) "kept"
                killed (temporary place)
                use folder = RunFolder.Resume place
                Expect.equal (trialOf folder) (Some 5) "checkpoint")
        }

        test "is not taken from a process that lives" {
            inPlace (fun place ->
                use folder = RunFolder.Create place
                folder.Begin(session 0 [||])

                for force in [ false; true ] do
                    expectRefusal [ place; $"process {Environment.ProcessId}"; "Wait" ] (fun () ->
                        RunFolder.Resume(place, force)))
        }

        test "is taken from another machine by force only" {
            inPlace (fun place ->
                leave place
                sign (temporary place) "elsewhere"

                expectRefusal [ place; "on elsewhere"; "--force" ] (fun () ->
                    RunFolder.Resume place)

                use folder = RunFolder.Resume(place, true)
                Expect.equal (trialOf folder) (Some 20) "checkpoint")
        }

        test "that had ended stays in its place until the new one is complete" {
            inPlace (fun place ->
                ended place
                let before = entries place

                (use folder = RunFolder.Resume place
                 Expect.equal (trialOf folder) (Some 20) "checkpoint")

                Expect.isFalse (Directory.Exists(temporary place)) "given up, it leaves nothing"
                // Killed before it began: the next one has all of it too.
                RunFolder.Resume place |> ignore
                killed (temporary place)

                use folder = RunFolder.Resume place
                Expect.equal (trialOf folder) (Some 20) "checkpoint"
                Expect.hasLength folder.Sessions 1 "the session that came before"
                folder.Begin(session 20 [||])
                Expect.equal (entries place) before "as it was"
                fill folder
                folder.Commit manifest |> ignore
                Expect.hasLength (RunFolder.Open place).Manifest.Sessions 2 "both sessions")
        }

        test "is refused where there is nothing to go on from" {
            inPlace (fun place ->
                expectRefusal [ place; "no such run" ] (fun () -> RunFolder.Resume place)
                writeRun place false |> ignore
                expectRefusal [ place; "left no checkpoint" ] (fun () -> RunFolder.Resume place))
        }

        test "is refused where its process was killed before it began" {
            inPlace (fun place ->
                let folder = RunFolder.Create place
                killed folder.Temporary
                expectRefusal [ place; "no such run" ] (fun () -> RunFolder.Resume place)
                Expect.isFalse (Directory.Exists folder.Temporary) "and nothing is left")
        }

        test "that was complete and only not moved is put into its place" {
            inPlace (fun place ->
                let complete () =
                    let folder = RunFolder.Create(place, true)
                    folder.Begin(session 0 [||])
                    fill folder
                    folder.Commit manifest |> ignore
                    Directory.Move(place, temporary place)
                    killed (temporary place)

                complete ()
                expectRefusal [ "has ended" ] (fun () -> RunFolder.Resume place)
                Expect.equal ((RunFolder.Open place).ReadMetrics().Rows) 2 "in place"
                Expect.isFalse (List.contains ".owner.json" (entries place)) "and nobody's"
                // Another run lies in the place: both are kept.
                complete ()
                writeRun (place + "x") false |> ignore
                Directory.Move(place + "x", place)
                expectRefusal [ "has ended" ] (fun () -> RunFolder.Resume place)
                Expect.equal ((RunFolder.Open(place + "-1")).ReadMetrics().Rows) 2 "beside it")
        }

        test "is not thrown away by one that begins, unless by force" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p-1")
                leave place
                expectRefusal [ place; "--resume"; "--force" ] (fun () -> RunFolder.Create place)

                (use next = RunFolder.NextFree(parent, "p")
                 Expect.equal (Path.GetFileName next.Place) "p-2" "the next number")

                Expect.isTrue (Directory.Exists(temporary place)) "still there"
                use anew = RunFolder.Create(place, true)
                Expect.equal (trialOf anew) None "anew")
        }

        test "lists no sessions where an older version wrote it" {
            inPlace (fun place ->
                ended place
                let file = Path.Combine(place, RunFileNames.Manifest)
                let json = nonNull (JsonNode.Parse(File.ReadAllText file))
                json.AsObject().Remove "sessions" |> ignore
                File.WriteAllText(file, json.ToJsonString())
                Expect.isEmpty (RunFolder.Open place).Manifest.Sessions "sessions"
                use folder = RunFolder.Resume place
                Expect.equal (trialOf folder) (Some 20) "and goes on")
        }

        for name, text in
            [
                "no list", "{"
                "a session that is null", "[null]"
                "a session without words",
                """[{"Started":"2026-02-03T04:05:06Z","Trial":0,"Notes":[]}]"""
                "a word that is null",
                """[{"Started":"2026-02-03T04:05:06Z","Trial":0,"Arguments":[null],"Notes":[]}]"""
            ] do
            test $"is refused by name where its sessions are {name}" {
                inPlace (fun place ->
                    leave place
                    File.WriteAllText(Path.Combine(temporary place, ".sessions.json"), text)

                    expectRefusal [ ".sessions.json"; "sessions" ] (fun () ->
                        RunFolder.Resume place))
            }

        test "is taken up by one of many processes that ask at once" {
            inPlace (fun place ->
                leave place
                let children = List.init 6 (fun _ -> KillTests.child "contend" place)

                try
                    let said = [
                        for child in children -> nonNull (child.StandardOutput.ReadLine())
                    ]

                    let taken, refused = said |> List.partition (fun line -> line.Contains "taken")

                    Expect.hasLength taken 1 $"one has it: %A{said}"

                    Expect.all
                        refused
                        (fun line -> line.Contains "is being written by process")
                        $"the others say who: %A{said}"
                finally
                    for child in children do
                        child.Kill()
                        child.WaitForExit()
                        child.Dispose())
        }
    ]

/// What somebody puts into a run folder stays there, whatever becomes of the run.
module Rflo.Runs.Tests.OwnFilesTests

open System
open System.IO
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.CheckpointTests
open Rflo.Runs.Tests.Folders

let private session trial =
    RunSession(DateTimeOffset.UnixEpoch, trial, [||], [||])

/// A run that has ended and can go on.
let private ended place =
    use folder = RunFolder.Create place
    folder.Begin(session 0)
    folder.Checkpoints(experiment).Write(20, state 20)
    fill folder
    folder.Commit manifest |> ignore

/// What somebody puts into a folder: below which folders, under which name.
type Put = { Below: string list; Name: string }

let private puts =
    gen {
        let! below =
            Gen.elements [
                []
                [ "figures" ]
                [ "figures"; "old" ]
                [ ".hidden" ]
                [ "lib" ]
            ]

        let! name =
            Gen.elements [
                "notes.txt"
                ".notes"
                "weights-mine.npz"
                "metrics.csv.bak"
                "checkpoint-mine.npz"
                "report.html~"
                "Größe ε.md"
                "link"
            ]

        return { Below = below; Name = name }
    }

type PutGenerators =
    static member Puts() =
        Gen.listOf puts |> Gen.map List.distinct |> Arb.fromGen

let private pathOf place put =
    Path.Combine(place, Path.Combine(Array.ofList put.Below), put.Name)

let private write place put =
    let path = pathOf place put
    Directory.CreateDirectory(nonNull (Path.GetDirectoryName path)) |> ignore

    if put.Name = "link" then
        File.CreateSymbolicLink(path, "nowhere") |> ignore
    else
        File.WriteAllText(path, path)

let private isThere place put =
    let path = pathOf place put

    if put.Name = "link" then
        FileInfo(path).LinkTarget = "nowhere"
    else
        File.Exists path && File.ReadAllText path = path

/// Each way to put a new folder in the place of one that is there.
let private replacements: (string * (string -> RunFolder)) list = [
    "resumed", (fun place -> RunFolder.Resume place)
    "replaced", (fun place -> RunFolder.Create(place, true))
    "retried", (fun place -> nonNull (RunFolder.TryBegin(place, anew = true)))
]

let private few = {
    config with
        maxTest = 12
        arbitrary = [ typeof<PutGenerators> ]
}

[<Tests>]
let tests =
    testList "files that no run wrote" [
        for name, begins in replacements do
            testPropertyWithConfig few $"stay where a run is {name}" (fun (all: Put list) ->
                inFolder (fun parent ->
                    let place = Path.Combine(parent, "p1")
                    ended place
                    List.iter (write place) all
                    use folder = begins place
                    folder.Begin(session 20)
                    fill folder
                    folder.Commit(manifestOf 7) |> ignore
                    Expect.equal (RunFolder.Open place).Manifest.Trials 7 "the new run"
                    Expect.all all (isThere place) "all of them"
                    Expect.equal (entries parent) [ "p1" ] "nothing is left aside"
                    let listed = (RunFolder.Open place).Manifest.Files |> Seq.map _.Name

                    Expect.isFalse
                        (Seq.exists (fun put -> Seq.contains put.Name listed) all)
                        "the manifest lists what the run wrote"))

        test "stay where the name is that of a file of the new run" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                ended place
                File.WriteAllText(Path.Combine(place, "model.fsx"), "mine")
                let script = Path.Combine(parent, "model.fsx")
                File.WriteAllText(script, "the run's")
                use folder = RunFolder.Resume place
                folder.CopyScript script
                folder.Begin(session 20)
                fill folder
                folder.Commit manifest |> ignore
                Expect.equal (File.ReadAllText(Path.Combine(place, "model.fsx"))) "the run's" "new"
                Expect.equal (File.ReadAllText(Path.Combine(place, "model-1.fsx"))) "mine" "own")
        }

        test "come back where a process was killed in the midst of the replacement" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                ended place

                let put = {
                    Below = [ "figures" ]
                    Name = "notes.txt"
                }

                write place put
                // As it is between the moves of the folders and those of the files.
                Directory.Move(place, Path.Combine(parent, ".p1.replaced"))
                ended (Path.Combine(parent, "p2"))
                Directory.Move(Path.Combine(parent, "p2"), place)
                (use _ = RunFolder.Resume place in ())
                Expect.isTrue (isThere place put) "back"
                Expect.equal (entries parent) [ "p1" ] "nothing is left aside")
        }

        test "stay beside a run whose manifest is damaged" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                ended place
                File.WriteAllText(Path.Combine(place, "notes.txt"), "mine")
                File.WriteAllText(Path.Combine(place, "manifest.json"), "{")
                writeRun place true |> ignore
                Expect.equal (File.ReadAllText(Path.Combine(place, "notes.txt"))) "mine" "own")
        }

        test "a run that goes on without a report keeps the one that it has; another run does not" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                let report = Path.Combine(place, RunFileNames.Report)

                let finish (folder: RunFolder) =
                    folder.Begin(session 20)
                    folder.WriteWeights weights
                    folder.Commit manifest |> ignore

                ended place
                (use folder = RunFolder.Resume place in finish folder)
                Expect.isTrue (File.Exists report) "kept"
                let listed = (RunFolder.Open place).Manifest.Files |> Seq.map _.Name
                Expect.contains listed RunFileNames.Report "and listed"
                (use folder = RunFolder.Create(place, true) in finish folder)
                Expect.isFalse (File.Exists report) "it told of another run")
        }
    ]

let private archived (folder: RunFolder) (files: (string * string) list) =
    folder.Archive [| for path, name in files -> SourceFile(path, name) |]
    |> List.ofSeq

[<Tests>]
let sources =
    testList "the archived script" [
        test "is the one that ran, in every session, with what it loads" {
            inFolder (fun parent ->
                let place, script, model =
                    Path.Combine(parent, "p1"),
                    Path.Combine(parent, "train.fsx"),
                    Path.Combine(parent, "model.fsx")

                let both = [ script, "train.fsx"; model, "lib/model.fsx" ]
                File.WriteAllText(script, "first")
                File.WriteAllText(model, "model")

                let part (folder: RunFolder) trial =
                    let names = archived folder both
                    // It is edited while it runs.
                    File.WriteAllText(script, $"edited after {trial}")
                    folder.Begin(RunSession(DateTimeOffset.UnixEpoch, trial, [||], [||], names))
                    folder.Checkpoints(experiment).Write(trial + 10, state (trial + 10))
                    fill folder
                    folder.Commit manifest |> ignore
                    names

                (use folder = RunFolder.Create place
                 Expect.equal (part folder 0) [ "train.fsx"; "lib/model.fsx" ] "first")

                (use folder = RunFolder.Resume place

                 Expect.equal
                     (part folder 10)
                     [ "train.session-2.fsx"; "lib/model.fsx" ]
                     "the script has changed since")

                let saved = RunFolder.Open place
                Expect.equal saved.Manifest.Script "train.fsx" "the script"
                Expect.equal (saved.ReadScript()) "first" "as it began"

                Expect.equal
                    [
                        for name in saved.Sources ->
                            name, File.ReadAllText(Path.Combine(place, name))
                    ]
                    [
                        "train.fsx", "first"
                        "lib/model.fsx", "model"
                        "train.session-2.fsx", "edited after 0"
                    ]
                    "all of them"

                let listed = saved.Manifest.Files |> Seq.map _.Name
                Expect.containsAll listed saved.Sources "listed")
        }

        test "is refused under a name that leads out of the folder or is taken" {
            inFolder (fun parent ->
                let script = Path.Combine(parent, "a.fsx")
                File.WriteAllText(script, "")
                use folder = RunFolder.Create(Path.Combine(parent, "p1"))

                for name in [ "../a.fsx"; "/a.fsx"; "lib/../../a.fsx"; "" ] do
                    Expect.throwsT<ArgumentException>
                        (fun () -> archived folder [ script, name ] |> ignore)
                        name

                expectRefusal [ "a.fsx"; "another file" ] (fun () ->
                    archived folder [ script, "metrics.csv" ]))
        }
    ]

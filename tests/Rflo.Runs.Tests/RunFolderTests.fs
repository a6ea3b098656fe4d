module Rflo.Runs.Tests.RunFolderTests

open System
open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

[<Tests>]
let tests =
    testList "run folder" [
        test "what is written is read back" {
            inFolder (fun parent ->
                let script = Path.Combine(parent, "01-periodic.fsx")
                File.WriteAllText(script, "// a model")
                use folder = RunFolder.Create(Path.Combine(parent, "runs", "p1"))
                fill folder
                folder.CopyScript script
                let run = RunFolder.Open(folder.Commit manifest)
                let metrics = run.ReadMetrics()
                Expect.equal (metrics.Column "loss") [| 0.1; 1e-300 |] "losses"

                Expect.equal
                    (List.ofSeq metrics.Columns)
                    [ "trial"; "loss"; "alignment cortex, \"y\"" ]
                    "columns"

                Expect.equal
                    (run.ReadWeights() |> Seq.map bits |> List.ofSeq)
                    (List.map bits weights)
                    "weights"

                Expect.equal (Seq.exactlyOne (run.ReadActivity())).Name "cortex" "activity"
                Expect.equal run.Manifest.Script "01-periodic.fsx" "script"
                Expect.equal (File.ReadAllText(nonNull run.Script)) "// a model" "its copy"
                Expect.stringStarts (File.ReadAllText(nonNull run.Report)) "<!doctype" "report"

                Expect.equal
                    (entries (Path.Combine(parent, "runs")))
                    [ "p1" ]
                    "nothing else is left"

                Expect.equal
                    (entries run.Place)
                    [
                        "01-periodic.fsx"
                        "activity.npz"
                        "manifest.json"
                        "metrics.csv"
                        "report.html"
                        "weights.npz"
                    ]
                    "files")
        }

        test "the same run gives the same numbers' files" {
            inFolder (fun parent ->
                let first = writeRun (Path.Combine(parent, "p1")) false
                let second = writeRun (Path.Combine(parent, "p2")) false

                for name in
                    [
                        RunFileNames.Weights
                        RunFileNames.Activity
                        RunFileNames.Metrics
                    ] do
                    Expect.equal
                        (File.ReadAllBytes(Path.Combine(first, name)))
                        (File.ReadAllBytes(Path.Combine(second, name)))
                        name)
        }

        test "given up before the end, it leaves nothing" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")

                (use folder = RunFolder.Create place
                 fill folder
                 Expect.isFalse (Path.Exists place) "not in place yet")

                Expect.equal (entries parent) [] "nothing")
        }

        test "an existing folder is kept, unless force replaces it" {
            inFolder (fun parent ->
                let place = writeRun (Path.Combine(parent, "p1")) false
                let first = File.ReadAllBytes(Path.Combine(place, RunFileNames.Manifest))

                expectRefusal [ place; "there already"; "--force" ] (fun () ->
                    RunFolder.Create place)

                Expect.equal
                    (File.ReadAllBytes(Path.Combine(place, RunFileNames.Manifest)))
                    first
                    "kept"

                File.WriteAllText(Path.Combine(place, "old.txt"), "old")

                (use folder = RunFolder.Create(place, true)
                 fill folder

                 Expect.isTrue
                     (File.Exists(Path.Combine(place, "old.txt")))
                     "kept until the new one is complete")

                Expect.isTrue
                    (File.Exists(Path.Combine(place, "old.txt")))
                    "kept when the new one is given up"

                writeRun place true |> ignore

                Expect.isTrue
                    (File.Exists(Path.Combine(place, "old.txt")))
                    "kept when the run is replaced, since no run wrote it"

                Expect.equal (entries parent) [ "p1" ] "nothing else is left")
        }

        test "force replaces nothing but run folders" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "thesis")
                Directory.CreateDirectory place |> ignore
                File.WriteAllText(Path.Combine(place, "chapter.tex"), "")
                expectRefusal [ place; "no run folder" ] (fun () -> RunFolder.Create(place, true))

                expectRefusal [ "no run folder" ] (fun () ->
                    RunFolder.Create(Path.Combine(place, "chapter.tex"), true))

                Expect.equal (entries place) [ "chapter.tex" ] "kept")
        }

        test "a script keeps its name, unless another file of the folder has it" {
            inFolder (fun parent ->
                use folder = RunFolder.Create(Path.Combine(parent, "p1"))
                let script = Path.Combine(parent, "report.html")
                File.WriteAllText(script, "")
                expectRefusal [ script; "another file" ] (fun () -> folder.CopyScript script)

                expectRefusal [ "no such file" ] (fun () ->
                    folder.CopyScript(Path.Combine(parent, "absent.fsx"))))
        }
    ]

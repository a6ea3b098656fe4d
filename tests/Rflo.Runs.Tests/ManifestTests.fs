module Rflo.Runs.Tests.ManifestTests

open System
open System.IO
open System.Text.Json.Nodes
open Expecto
open Rflo.Core
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private full =
    RunManifest(
        Name = "periodic",
        Description = "Fifty units; \"W\" -> W, ε.",
        Experiment = JsonNode.Parse """{"areas": [{"name": "cortex", "units": 50}]}""",
        Seed = 9007199254740993L,
        Precision = "single",
        Settings = readOnlyDict [ "seed", "3"; "gain", "0.5" ],
        Overrides = readOnlyDict [ "trials", "20"; "rule", "bptt" ],
        Measures = readOnlyDict [ "kept", 4.0; "slope", 1.0 / 3.0 ],
        MeasureFailures = readOnlyDict [ "gain", "DivideByZeroException: none" ],
        Commit = String('a', 40),
        Started = DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero),
        Ended = DateTimeOffset(2026, 2, 3, 4, 5, 7, TimeSpan.Zero),
        ElapsedSeconds = 1.25,
        Trials = 214,
        Status = RunEnd.Diverged,
        StatusText = "diverged at trial 214, step 37, in area cortex",
        FinalLoss = nan
    )

let private committed (manifest: RunManifest) (check: string -> unit) =
    inFolder (fun parent ->
        use folder = RunFolder.Create(Path.Combine(parent, "p1"))
        fill folder
        check (folder.Commit manifest))

/// Changes a text in the manifest of a run; it is refused with these words.
let private changed (before: string) (after: string) words =
    committed full (fun run ->
        let file = Path.Combine(run, RunFileNames.Manifest)
        File.WriteAllText(file, File.ReadAllText(file).Replace(before, after))
        expectRefusal (file :: words) (fun () -> RunFolder.Open run))

[<Tests>]
let tests =
    testList "manifest" [
        test "is read back as it was written" {
            committed full (fun run ->
                let read = (RunFolder.Open run).Manifest
                Expect.equal read.FormatVersion 1 "format"
                Expect.equal read.Description full.Description "description"
                Expect.isTrue (JsonNode.DeepEquals(read.Experiment, full.Experiment)) "experiment"
                Expect.equal read.Seed full.Seed "seed"
                Expect.equal (Seq.toList read.Settings) (Seq.toList full.Settings) "settings"
                Expect.equal (Seq.toList read.Overrides) (Seq.toList full.Overrides) "overrides"
                Expect.equal (Seq.toList read.Measures) (Seq.toList full.Measures) "measures"

                Expect.equal
                    (Seq.toList read.MeasureFailures)
                    (Seq.toList full.MeasureFailures)
                    "reasons"

                Expect.equal read.Commit full.Commit "commit"
                Expect.equal read.Status RunEnd.Diverged "status"
                Expect.equal read.StatusText full.StatusText "status in words"
                Expect.equal read.Started full.Started "start"
                Expect.isTrue (Double.IsNaN read.FinalLoss) "loss"
                Expect.equal read.Machine MachineInfo.Current "machine"
                Expect.equal read.Versions RunVersions.Current "versions")
        }

        test
            "takes measures later: one of a name takes the place of the other, and nothing else changes" {
            committed full (fun run ->
                let saved = RunFolder.Open run
                let values = readOnlyDict [ "gain", 2.0; "width", -0.5 ]
                saved.WriteMeasures(values, readOnlyDict [ "slope", "it is NaN" ])
                let read = (RunFolder.Open run).Manifest

                Expect.equal
                    [ for pair in read.Measures -> pair.Key, pair.Value ]
                    [ "kept", 4.0; "gain", 2.0; "width", -0.5 ]
                    "measures"

                Expect.equal
                    [ for pair in read.MeasureFailures -> pair.Key, pair.Value ]
                    [ "slope", "it is NaN" ]
                    "reasons"

                let others (manifest: RunManifest) =
                    manifest.StatusText,
                    manifest.Trials,
                    [ for pair in manifest.Settings -> pair.Key, pair.Value ],
                    [
                        for file in manifest.Files -> file.Name, file.Bytes, file.Crc32
                    ],
                    (nonNull manifest.Experiment).ToJsonString()

                Expect.equal (others saved.Manifest) (others read) "what is held"
                use folder = RunFolder.Create(run + "-other")
                fill folder
                let untouched = (RunFolder.Open(folder.Commit full)).Manifest
                Expect.equal (others read) (others untouched) "what stays"

                Expect.isEmpty (Directory.GetFiles(run, "*.part")) "no unfinished file is left")
        }

        test "names the other files with their sizes" {
            committed full (fun run ->
                let files = (RunFolder.Open run).Manifest.Files

                Expect.equal
                    (files |> Seq.map _.Name |> List.ofSeq)
                    [
                        "activity.npz"
                        "metrics.csv"
                        "report.html"
                        "weights.npz"
                    ]
                    "names"

                for file in files do
                    Expect.equal
                        file.Bytes
                        (FileInfo(Path.Combine(run, file.Name)).Length)
                        $"size of {file.Name}")
        }

        test "is indented, in a stable order, readable by people" {
            committed full (fun run ->
                let lines = File.ReadAllLines(Path.Combine(run, RunFileNames.Manifest))

                let keys = [
                    for line in lines do
                        if line.StartsWith "  \"" then
                            line.Split('"')[1]
                ]

                Expect.equal
                    keys
                    [
                        "formatVersion"
                        "name"
                        "description"
                        "experiment"
                        "seed"
                        "precision"
                        "settings"
                        "overrides"
                        "script"
                        "commit"
                        "versions"
                        "machine"
                        "started"
                        "ended"
                        "elapsedSeconds"
                        "trials"
                        "status"
                        "statusText"
                        "finalLoss"
                        "measures"
                        "measureFailures"
                        "sessions"
                        "files"
                    ]
                    "keys"

                Expect.contains lines "  \"status\": \"diverged\"," "status"
                Expect.contains lines "  \"finalLoss\": \"NaN\"," "loss"

                Expect.contains
                    lines
                    "  \"description\": \"Fifty units; \\\"W\\\" -> W, ε.\","
                    "description")
        }

        test "damage is named" {
            changed "\"formatVersion\": 1" "\"formatVersion\": 2" [ "format 2"; "later version" ]
            changed "\"diverged\"" "\"exploded\"" [ "status" ]
            changed "\"diverged\"" "1" [ "status" ]
            changed "\"trials\": 214" "\"trials\": \"many\"" [ "trials" ]
            changed "\"name\": \"periodic\"" "\"name\": null" [ "name" ]
            changed "\"name\": \"periodic\"," "" [ "name" ]
            changed "\"seed\"" "\"trials\"" [ "trials" ]
            changed "\"commit\"" "\"commit" [ "manifest" ]

            committed full (fun run ->
                expectRefusal [ "64"; "MaxTextBytes" ] (fun () ->
                    RunFolder.Open(run, ReadLimits(MaxTextBytes = 64L))))

            inFolder (fun folder ->
                expectRefusal [ "manifest.json"; "no such file" ] (fun () -> RunFolder.Open folder))
        }
    ]

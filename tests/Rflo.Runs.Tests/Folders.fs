module Rflo.Runs.Tests.Folders

open System
open System.IO
open Rflo.Core
open Rflo.Runs

/// Gives the test a folder of its own and deletes it afterwards.
let inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("rflo-runs-").FullName

    try
        test folder
    finally
        Directory.Delete(folder, true)

let manifestOf trials =
    RunManifest(
        Name = "periodic",
        Description = "Fifty units learn a sum of sines.",
        Seed = 3L,
        Precision = "double",
        Started = DateTimeOffset(2026, 2, 3, 4, 5, 6, TimeSpan.Zero),
        Ended = DateTimeOffset(2026, 2, 3, 4, 5, 7, TimeSpan.Zero),
        ElapsedSeconds = 1.0,
        Trials = trials,
        Status = RunEnd.Completed,
        StatusText = "completed 2 trials",
        FinalLoss = 0.25
    )

let manifest = manifestOf 2

let weights = [
    NamedArray("initial/cortex->cortex", [| 2; 2 |], [| 1.0; 0.1; nan; -infinity |])
    NamedArray("area/bias", [| 3 |], [| 0.1; 0.2; 0.30000000000000004 |])
]

/// Writes all files of a run but its manifest.
let fill (folder: RunFolder) =
    let metrics = folder.OpenMetrics [| "trial"; "loss"; "alignment cortex, \"y\"" |]
    metrics.Append(0.0, 0.1, nan)
    metrics.Append(1.0, 1e-300, infinity)
    folder.WriteWeights weights
    folder.WriteActivity [ NamedArray("cortex", [| 2; 1 |], [| 0.5; 0.25 |]) ]
    folder.WriteReport "<!doctype html><title>periodic</title>"

/// Writes a whole run and gives its path.
let writeRun path force =
    use folder = RunFolder.Create(path, force)
    fill folder
    folder.Commit manifest

/// The names of what a folder holds, hidden ones too, in order.
let entries (folder: string) = [
    for path in Array.sort (Directory.GetFileSystemEntries folder) ->
        nonNull (Path.GetFileName path)
]

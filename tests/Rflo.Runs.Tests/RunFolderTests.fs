module Rflo.Runs.Tests.RunFolderTests

open System.IO
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Folders

[<Tests>]
let tests =
    testList "run folder" [
        test "what is written is read back" {
            inFolder (fun parent ->
                let path = writeRun (Path.Combine(parent, "runs", "p1")) false
                let run = RunFolder.Open path
                let metrics = run.ReadMetrics()
                Expect.equal run.Manifest.Name "periodic" "name"
                Expect.equal (metrics.Column "loss") [| 0.1; 1e-300 |] "losses"
                Expect.equal (Seq.length (run.ReadWeights())) 2 "arrays"

                Expect.equal
                    (Directory.GetFileSystemEntries(Path.Combine(parent, "runs")).Length)
                    1
                    "nothing else is left")
        }
    ]

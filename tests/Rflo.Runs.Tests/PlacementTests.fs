module Rflo.Runs.Tests.PlacementTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

[<Tests>]
let tests =
    testList "place of a run folder" [
        test "a place taken while the run went on costs no results" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                use folder = RunFolder.Create place
                fill folder
                Directory.CreateDirectory place |> ignore
                File.WriteAllText(Path.Combine(place, "other.txt"), "")

                expectRefusal [ place; "there already"; folder.Temporary ] (fun () ->
                    folder.Commit manifest)

                (folder :> IDisposable).Dispose()
                Expect.equal (entries place) [ "other.txt" ] "the other's"
                Expect.equal ((RunFolder.Open folder.Temporary).ReadMetrics().Rows) 2 "ours")
        }

        test "two runs do not write to one place" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                use folder = RunFolder.Create place
                fill folder

                expectRefusal [ place; $"process {Environment.ProcessId}"; "delete" ] (fun () ->
                    RunFolder.Create place)

                expectRefusal [ "being written" ] (fun () -> RunFolder.Create(place, true))
                Expect.isEmpty (RunFolder.Abandoned parent) "its process lives"
                folder.Commit manifest |> ignore
                Expect.equal (entries parent) [ "p1" ] "only the first")
        }

        test "a folder left aside by a killed replacement comes back" {
            inFolder (fun parent ->
                let place = writeRun (Path.Combine(parent, "p1")) false
                Directory.Move(place, Path.Combine(parent, ".p1.replaced"))
                use _ = RunFolder.Create(Path.Combine(parent, "p2"))
                (use _ = RunFolder.Create(place, true) in ())
                Expect.equal (RunFolder.Open place).Manifest.Name "periodic" "back")
        }

        test "the next free number follows the largest" {
            inFolder (fun parent ->
                let next () =
                    use folder = RunFolder.NextFree(Path.Combine(parent, "runs"), "p")
                    fill folder
                    Path.GetFileName(folder.Commit manifest)

                Expect.equal (next ()) "p-1" "first"
                Expect.equal (next ()) "p-2" "second"
                Directory.CreateDirectory(Path.Combine(parent, "runs", "p-7")) |> ignore
                Directory.CreateDirectory(Path.Combine(parent, "runs", "p-x")) |> ignore
                Expect.equal (next ()) "p-8" "after the largest"
                expectRefusal [ "name" ] (fun () -> RunFolder.NextFree(parent, "../p")))
        }

        test "those who ask at once get different numbers" {
            inFolder (fun parent ->
                let places = Array.zeroCreate 24

                Parallel.For(
                    0,
                    24,
                    ParallelOptions(MaxDegreeOfParallelism = 8),
                    fun k ->
                        use folder = RunFolder.NextFree(parent, "p")
                        folder.WriteWeights weights
                        places[k] <- folder.Commit manifest
                )
                |> ignore

                Expect.equal (Set.count (Set.ofArray places)) 24 "different"
                Expect.equal (entries parent).Length 24 "nothing else is left")
        }

        test "a place that cannot be written is named, and nothing is left" {
            inFolder (fun parent ->
                File.WriteAllText(Path.Combine(parent, "file"), "")
                let place = Path.Combine(parent, "file", "p1")

                expectRefusal [ place; "cannot be written"; "Choose a place" ] (fun () ->
                    RunFolder.Create place)

                expectRefusal [ "cannot be" ] (fun () ->
                    RunFolder.NextFree(Path.Combine(parent, "file"), "p"))

                expectRefusal [ "no name" ] (fun () -> RunFolder.Create "/")
                expectRefusal [ "no name" ] (fun () -> RunFolder.Create " ")
                Expect.equal (entries parent) [ "file" ] "nothing")
        }

        test "a full disk is named, and nothing is left" {
            if not (File.Exists "/dev/full") then
                skiptest "there is no /dev/full to stand for a full disk"

            inFolder (fun parent ->
                let full name action =
                    (use folder = RunFolder.Create(Path.Combine(parent, "p1"))

                     File.CreateSymbolicLink(Path.Combine(folder.Temporary, name), "/dev/full")
                     |> ignore

                     expectRefusal
                         [ name.Replace(".part", ""); "cannot be written"; "room" ]
                         (fun () -> action folder))

                    Expect.equal (entries parent) [] "nothing"

                full (RunFileNames.Weights + ".part") (fun folder -> folder.WriteWeights weights)

                full (RunFileNames.Report + ".part") (fun folder ->
                    folder.WriteReport(String('x', 1_000_000)))

                full (RunFileNames.Manifest + ".part") (fun folder ->
                    folder.Commit manifest |> ignore)

                full (RunFileNames.Metrics + ".part") (fun folder ->
                    let metrics = folder.OpenMetrics [| "a" |]

                    for _ in 1..100_000 do
                        metrics.Append 0.1)

                full (RunFileNames.Metrics + ".part") (fun folder ->
                    folder.OpenMetrics([| "a" |]).Append 0.1
                    folder.Commit manifest |> ignore))
        }
    ]

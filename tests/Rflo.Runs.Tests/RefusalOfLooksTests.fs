/// Folders that the system does not let us list, links in a circle, names that are too long, pipes: refused by name, and never taken
/// for nothing.
module Rflo.Runs.Tests.RefusalOfLooksTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private id (k: int) = $"{k}{k}%014x{k}"

let private sweepOf parent points =
    let description =
        SweepDescription(Name = "s", Points = points, Axes = [| SweepAxis "seed" |])

    let sweep = SweepFolder.Create(Path.Combine(parent, "s"), description)
    sweep.WritePoints [ for k in 1..points -> id k ]

    for k in 1..points do
        match sweep.TryBegin(id k, false, false) with
        | null, _ -> failtest "the point cannot be begun"
        | folder, _ ->
            use folder = folder
            fill folder
            folder.Commit manifest |> ignore

    sweep

/// What a child does as another user: everything that looks at a run or a sweep; a line for each, and how it ended.
let look (path: string) =
    let attempt name (work: unit -> string) =
        try
            printfn $"{name}: {work ()}"
        with
        | :? RunFileException as e -> printfn $"{name}: refused: {e.Message}"
        | e -> printfn $"{name}: THROWN {e}"

    let sweep = Path.Combine(path, "s")
    let p1 = Path.Combine(path, "p1")
    attempt "open" (fun () -> (RunFolder.Open p1).Manifest.Name)
    attempt "create" (fun () -> use folder = RunFolder.Create p1 in folder.Place)
    attempt "force" (fun () -> use folder = RunFolder.Create(p1, true) in folder.Place)
    attempt "resume" (fun () -> use folder = RunFolder.Resume p1 in folder.Place)
    attempt "next" (fun () -> use folder = RunFolder.NextFree(path, "p") in folder.Place)
    attempt "abandoned" (fun () -> string (RunFolder.Abandoned path).Count)

    attempt "states" (fun () ->
        let folder = SweepFolder.Open sweep

        String.concat " " [
            for id in folder.ReadPoints() -> string (folder.StateOf id).Stage
        ])

    attempt "notes" (fun () ->
        let folder = SweepFolder.Open sweep
        String.concat "; " (folder.Notes(folder.ReadPoints())))

    attempt "collect" (fun () ->
        let target = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid()}.parquet")

        try
            let table = SweepTable.Write(SweepFolder.Open sweep, target, null)
            $"{table.Points} points, {table.Missing} missing, {table.Damaged.Count} damaged"
        finally
            File.Delete target)

/// Lets a child look, and hands over its lines by their names.
let private seen parent =
    let said = OtherUsers.asOther [ "look"; parent ]
    Expect.isFalse (said.Contains "THROWN") said

    Map.ofList [
        for line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries) do
            match line.IndexOf ": " with
            | -1 -> ()
            | at -> line.Substring(0, at).Trim(), line.Substring(at + 2).Trim()
    ]

let private withPlaces body =
    inFolder (fun parent ->
        OtherUsers.mode parent OtherUsers.everything
        writeRun (Path.Combine(parent, "p1")) false |> ignore
        body parent (sweepOf parent 3))

/// Does something that must not wait for a writer that never comes.
let private promptly (work: unit -> unit) =
    let task = Task.Run work

    if not (Task.WaitAny([| task |], TimeSpan.FromMinutes 5.0) = 0) then
        failtest "it waits for a pipe"

    task.GetAwaiter().GetResult()

[<Tests>]
let tests =
    testList "what the system does not show" [
        test "a folder of points that cannot be listed is one refusal" {
            withPlaces (fun parent sweep ->
                let points = Path.Combine(sweep.Place, "points")
                OtherUsers.mode points OtherUsers.nothing

                try
                    let seen = seen parent

                    for name in [ "states"; "notes"; "collect" ] do
                        Expect.stringContains seen[name] "refused" name
                        Expect.stringContains seen[name] points name
                finally
                    OtherUsers.mode points OtherUsers.everything)
        }

        test "points that cannot be looked at are damaged, and not points that are not begun" {
            withPlaces (fun parent sweep ->
                let letters = nonNull (Path.GetDirectoryName(sweep.PlaceOf(id 2)))
                OtherUsers.mode letters OtherUsers.nothing

                try
                    let seen = seen parent
                    Expect.equal seen["states"] "Finished Damaged Finished" "states"
                    Expect.equal seen["collect"] "2 points, 0 missing, 1 damaged" "table"
                finally
                    OtherUsers.mode letters OtherUsers.everything)
        }

        test "a run folder that cannot be opened is named" {
            withPlaces (fun parent _ ->
                let place = Path.Combine(parent, "p1")
                OtherUsers.mode place OtherUsers.nothing

                try
                    let seen = seen parent

                    for name in [ "open"; "create"; "force"; "resume" ] do
                        Expect.stringContains seen[name] "refused" name
                        Expect.stringContains seen[name] place name
                finally
                    OtherUsers.mode place OtherUsers.everything)
        }

        test "a folder that cannot be entered is named by everything" {
            withPlaces (fun parent _ ->
                OtherUsers.mode parent OtherUsers.nothing

                try
                    for KeyValue(name, said) in seen parent do
                        Expect.stringContains said "refused" name
                        Expect.stringContains said parent name
                finally
                    OtherUsers.mode parent OtherUsers.everything)
        }

        test "links in a circle are named" {
            inFolder (fun parent ->
                let sweep = sweepOf parent 2
                let letters = nonNull (Path.GetDirectoryName(sweep.PlaceOf(id 1)))
                Directory.Delete(letters, true)
                File.CreateSymbolicLink(letters, letters) |> ignore
                Expect.equal (sweep.StateOf(id 1)).Stage PointStage.Damaged "a point"
                Expect.stringContains (sweep.StateOf(id 1)).Reason "symbolic links" "why"
                let circle = Path.Combine(parent, "circle")
                File.CreateSymbolicLink(circle, circle) |> ignore

                let attempts: (unit -> obj) list = [
                    (fun () -> RunFolder.Open circle)
                    (fun () -> RunFolder.Create circle)
                    (fun () -> RunFolder.Create(circle, true))
                    (fun () -> RunFolder.Resume circle)
                    (fun () -> RunFolder.NextFree(circle, "p"))
                    (fun () -> SweepFolder.Open circle)
                    (fun () -> Npz.Read(Path.Combine(circle, "a.npz")))
                ]

                List.iter (expectRefusal [ circle ]) attempts)
        }

        test "names too long for the folders beside a run are named with what is allowed" {
            inFolder (fun parent ->
                for length in [ 201; 240; 250; 255; 300; 5000 ] do
                    let name = String('a', length)

                    let attempts: (unit -> obj) list = [
                        (fun () -> RunFolder.Create(Path.Combine(parent, name)))
                        (fun () -> RunFolder.Resume(Path.Combine(parent, name)))
                        (fun () -> nonNull (RunFolder.TryBegin(Path.Combine(parent, name))) :> obj)
                        (fun () -> RunFolder.NextFree(parent, name))
                    ]

                    List.iter (expectRefusal [ name; "200 at most"; "--out" ]) attempts

                for name in [ String('a', 200); String('ε', 100) ] do
                    writeRun (Path.Combine(parent, name)) false |> ignore
                    writeRun (Path.Combine(parent, name)) true |> ignore

                Expect.hasLength (entries parent) 2 "those that fit")
        }

        test "a pipe in the place of any file is refused, and not waited for" {
            inFolder (fun parent ->
                let sweep = sweepOf parent 1
                let run = writeRun (Path.Combine(parent, "p1")) false

                let replaced (path: string) (reads: (unit -> obj) list) =
                    let aside = path + ".aside"
                    let isThere = File.Exists path

                    if isThere then
                        File.Move(path, aside)

                    OtherUsers.pipe path

                    for read in reads do
                        promptly (fun () ->
                            expectRefusal [ nonNull (Path.GetFileName path); "pipe" ] read)

                    File.Delete path

                    if isThere then
                        File.Move(aside, path)

                let inRun name = Path.Combine(run, name)
                let opened () = RunFolder.Open run
                replaced (inRun "manifest.json") [ fun () -> opened () ]

                replaced (inRun "metrics.csv") [
                    (fun () -> opened().ReadMetrics())
                    (fun () -> opened().ReadMetricsHeader())
                    (fun () -> MetricsTable.Read(inRun "metrics.csv"))
                ]

                replaced (inRun "weights.npz") [ fun () -> opened().ReadWeights() ]
                replaced (inRun "activity.npz") [ fun () -> opened().ReadActivity() ]
                let inSweep name = Path.Combine(sweep.Place, name)
                replaced (inSweep "sweep.json") [ fun () -> SweepFolder.Open sweep.Place ]
                replaced (inSweep "points.txt") [ fun () -> sweep.ReadPoints() ]

                let manifest = Path.Combine(sweep.PlaceOf(id 1), "manifest.json")
                File.Delete manifest
                OtherUsers.pipe manifest

                promptly (fun () ->
                    Expect.equal (sweep.StateOf(id 1)).Stage PointStage.Damaged "a point")

                // Nobody can say who writes there.
                use writing = RunFolder.Create(Path.Combine(parent, "p2"))
                let owner = Path.Combine(writing.Temporary, ".owner.json")
                File.Delete owner
                OtherUsers.pipe owner
                promptly (fun () -> Expect.isEmpty (RunFolder.Abandoned parent) "an owner")

                promptly (fun () ->
                    File.WriteAllText(Path.Combine(parent, "a.fsx"), "")
                    Directory.CreateDirectory(Path.Combine(parent, ".git")) |> ignore
                    OtherUsers.pipe (Path.Combine(parent, ".git", "HEAD"))
                    Expect.isNull (GitCommit.Find(Path.Combine(parent, "a.fsx"))) "a commit"))
        }

        test "a disk without room is named, and what was complete before is still there" {
            inFolder (fun parent ->
                let disk = Path.Combine(parent, "disk")
                Directory.CreateDirectory disk |> ignore

                OtherUsers.onSmallDisk 64 disk (fun () ->
                    let place = writeRun (Path.Combine(disk, "p1")) false
                    let before = entries place

                    (use folder = RunFolder.Create(Path.Combine(disk, "p1"), true)

                     expectRefusal [ "weights.npz"; "cannot be written"; "room" ] (fun () ->
                         folder.WriteWeights [
                             NamedArray("w", [| 20_000 |], Array.zeroCreate 20_000)
                         ]))

                    Expect.equal (entries place) before "the one before"
                    Expect.equal ((RunFolder.Open place).ReadMetrics().Rows) 2 "whole"
                    Expect.equal (entries disk) [ "p1" ] "nothing half"))
        }
    ]

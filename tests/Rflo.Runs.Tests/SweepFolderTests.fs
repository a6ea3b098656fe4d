/// The folder of a sweep among processes that begin it at once, and with files that were damaged.
module Rflo.Runs.Tests.SweepFolderTests

open System
open System.Collections.Concurrent
open System.IO
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Runs
open Rflo.Runs.Tests.Archives
open Rflo.Runs.Tests.Folders

let private id (k: int) = $"%016x{k}"

let private described points =
    SweepDescription(Name = "s", Points = points, Axes = [| SweepAxis "seed" |])

let private create parent points =
    let sweep = SweepFolder.Create(Path.Combine(parent, "s"), described points)
    sweep.WritePoints [ for k in 1..points -> id k ]
    sweep

let private finish (sweep: SweepFolder) retry k =
    match sweep.TryBegin(id k, retry, false) with
    | null, state -> failtest $"point {k} cannot be begun: %A{state}"
    | folder, _ ->
        use folder = folder
        fill folder
        folder.Commit manifest |> ignore

let private list (sweep: SweepFolder) = Path.Combine(sweep.Place, "points.txt")

let private few count = { config with maxTest = count }

/// Damages a point in one way each; what is damaged.
let private damages: (string * (SweepFolder -> unit)) list = [
    "a manifest that is cut off",
    (fun sweep ->
        let path = Path.Combine(sweep.PlaceOf(id 1), "manifest.json")
        let bytes = File.ReadAllBytes path
        File.WriteAllBytes(path, Array.truncate (bytes.Length / 2) bytes))
    "a manifest that is gone",
    (fun sweep -> File.Delete(Path.Combine(sweep.PlaceOf(id 1), "manifest.json")))
    "a list of files with nothing in it",
    (fun sweep ->
        let path = Path.Combine(sweep.PlaceOf(id 1), "manifest.json")
        let text = File.ReadAllText path

        File.WriteAllText(
            path,
            text.Substring(0, text.IndexOf "\"files\"") + "\"files\": [null]\n}"
        ))
    "a reason that is none",
    (fun sweep ->
        Directory.Delete(sweep.PlaceOf(id 1), true)
        File.WriteAllText(sweep.PlaceOf(id 1) + ".failed.json", "{"))
    "a reason without settings",
    (fun sweep ->
        Directory.Delete(sweep.PlaceOf(id 1), true)

        File.WriteAllText(
            sweep.PlaceOf(id 1) + ".failed.json",
            "{\"Settings\":null,\"Reason\":\"r\"}"
        ))
    "a folder that is none of a run",
    (fun sweep ->
        Directory.Delete(sweep.PlaceOf(id 1), true)
        Directory.CreateDirectory(sweep.PlaceOf(id 1)) |> ignore
        File.WriteAllText(Path.Combine(sweep.PlaceOf(id 1), "mine.txt"), "mine"))
]

[<Tests>]
let tests =
    testList "the folder of a sweep" [
        test "is begun by many at once, and is theirs together" {
            inFolder (fun parent ->
                let said = ConcurrentQueue<string>()
                use gate = new Barrier(6)

                let begins () =
                    for round in 1..40 do
                        gate.SignalAndWait()

                        try
                            let folder = Path.Combine(parent, string round)
                            (create folder 20).ReadPoints() |> ignore
                        with e ->
                            said.Enqueue e.Message

                let threads = [ for _ in 1..6 -> Thread begins ]

                for thread in threads do
                    thread.Start()

                for thread in threads do
                    thread.Join()

                Expect.isEmpty said "nobody is refused"

                for round in 1..40 do
                    Expect.equal
                        (entries (Path.Combine(parent, string round, "s")))
                        [ "points.txt"; "sweep.json" ]
                        "nothing half")
        }

        test "is not made of a folder that holds something else" {
            inFolder (fun parent ->
                Directory.CreateDirectory(Path.Combine(parent, "s")) |> ignore
                File.WriteAllText(Path.Combine(parent, "s", "thesis.tex"), "")

                expectRefusal [ "is there already and is no sweep"; "--out" ] (fun () ->
                    create parent 1))
        }

        testPropertyWithConfig (few 100) "its list is read back" (fun (numbers: uint32 list) ->
            inFolder (fun parent ->
                let ids = numbers |> List.map (fun k -> id (int (k >>> 1))) |> List.distinct
                let sweep = SweepFolder.Create(Path.Combine(parent, "s"), described ids.Length)
                sweep.WritePoints ids
                Expect.equal (List.ofSeq (sweep.ReadPoints())) ids "names"
                Expect.isEmpty (sweep.Notes ids) "that is all"))

        test "a list that was cut off or changed at any byte is refused, or is the same" {
            inFolder (fun parent ->
                let sweep = create parent 6
                let file = list sweep
                let original = File.ReadAllBytes file
                let whole = List.ofSeq (sweep.ReadPoints())
                let mutable refused = 0

                let changed name (bytes: byte array) =
                    File.WriteAllBytes(file, bytes)

                    try
                        Expect.equal (List.ofSeq (sweep.ReadPoints())) whole name
                    with :? RunFileException as e ->
                        refused <- refused + 1
                        Expect.stringContains e.Message file name
                        Expect.stringContains e.Message "command of the sweep again" name

                for k in 0 .. original.Length - 1 do
                    changed $"cut off at {k}" (Array.truncate k original)
                    changed $"without byte {k}" (Array.removeAt k original)

                    for flip in [ 1uy; 0x20uy ] do
                        let bytes = Array.copy original
                        bytes[k] <- bytes[k] ^^^ flip
                        changed $"changed at {k}" bytes

                Numbers.isGreaterThan refused (4 * original.Length - 8) "nearly all matter")
        }

        test "a list of an older version counts, if it has as many points as the sweep" {
            inFolder (fun parent ->
                let sweep = create parent 3
                let lines = [ for k in 1..3 -> id k ]
                File.WriteAllLines(list sweep, lines)
                Expect.equal (List.ofSeq (sweep.ReadPoints())) lines "as it was"
                File.WriteAllLines(list sweep, List.truncate 2 lines)

                expectRefusal [ "points.txt"; "names 2 points"; "has 3" ] (fun () ->
                    sweep.ReadPoints()))
        }

        test "a smaller version says what is no part of it any more" {
            inFolder (fun parent ->
                let sweep = create parent 3
                [ 1; 2; 3 ] |> List.iter (finish sweep false)
                let smaller = create parent 1
                let ids = smaller.ReadPoints()
                Expect.equal (List.ofSeq ids) [ id 1 ] "points"
                let note = Seq.exactlyOne (smaller.Notes ids)
                Expect.stringContains note "2 points of an earlier version" "note"
                // Another process has only just begun to make it larger.
                let growing = SweepFolder.Create(Path.Combine(parent, "s"), described 9)
                let ids = growing.ReadPoints()
                Expect.equal (List.ofSeq ids) [ id 1 ] "points"

                Expect.stringContains
                    (Seq.head (growing.Notes ids))
                    "9 points, and 1 are listed"
                    "note")
        }

        for name, damage in damages do
            test $"{name} is damage to its point alone, which can be begun anew" {
                inFolder (fun parent ->
                    let sweep = create parent 2
                    [ 1; 2 ] |> List.iter (finish sweep false)
                    damage sweep
                    let state = sweep.StateOf(id 1)
                    Expect.equal state.Stage PointStage.Damaged "its stage"
                    Expect.stringContains state.Reason (id 1) "what is damaged"
                    Expect.equal (sweep.StateOf(id 2)).Stage PointStage.Finished "the other"
                    Expect.isEmpty (sweep.SettingsOf(id 1)) "nothing is known of it"

                    match sweep.TryBegin(id 1, false, false) with
                    | null, state -> Expect.equal state.Stage PointStage.Damaged "left alone"
                    | folder, _ ->
                        folder.Dispose()
                        failtest "it was begun"

                    finish sweep true 1
                    sweep.Forgive(id 1)
                    Expect.equal (sweep.StateOf(id 1)).Stage PointStage.Finished "begun anew"
                    let letters = nonNull (Path.GetDirectoryName(sweep.PlaceOf(id 1)))
                    let kept = entries letters |> List.filter _.Contains("damaged")

                    if not (name.StartsWith "a reason") then
                        Expect.equal kept [ $"{id 1}.damaged-1" ] "what was damaged is kept"

                    Expect.equal
                        (List.ofSeq (sweep.Notes(sweep.ReadPoints())))
                        []
                        "and counts as nothing")
            }

        test "a point whose sessions are damaged is begun anew when asked" {
            inFolder (fun parent ->
                let sweep = create parent 1

                Directory.CreateDirectory(nonNull (Path.GetDirectoryName(sweep.PlaceOf(id 1))))
                |> ignore

                let folder = RunFolder.Create(sweep.PlaceOf(id 1))
                folder.Begin(RunSession(DateTimeOffset.UnixEpoch, 0, [||], [||]))
                File.WriteAllText(Path.Combine(folder.Temporary, ".sessions.json"), "{")

                File.WriteAllText(
                    Path.Combine(folder.Temporary, ".owner.json"),
                    $$"""{"Process":999999999,"Started":"2026-02-03T04:05:06Z","Host":"{{Environment.MachineName}}"}"""
                )

                expectRefusal [ ".sessions.json"; "--retry" ] (fun () ->
                    fst (sweep.TryBegin(id 1, false, false)))

                Expect.equal (sweep.StateOf(id 1)).Stage PointStage.Stopped "it is nobody's"
                finish sweep true 1
                Expect.equal (sweep.StateOf(id 1)).Stage PointStage.Finished "begun anew")
        }

        test "what stands for nothing is refused in its description" {
            inFolder (fun parent ->
                let sweep = create parent 1
                let file = Path.Combine(sweep.Place, "sweep.json")
                let text = File.ReadAllText file

                let refused (before: string) (after: string) =
                    File.WriteAllText(file, text.Replace(before, after))
                    Expect.isTrue (text.Contains before) before

                    expectRefusal [ file; "no description" ] (fun () ->
                        SweepFolder.Open sweep.Place)

                refused "\"name\": \"seed\"" "\"name\": null"
                let axes = text.Substring(text.IndexOf "\"axes\"")
                refused (axes.Substring(0, axes.IndexOf "]" + 1)) "\"axes\": [null]"
                refused "\"overrides\": {}" "\"overrides\": {\"trials\": null}")
        }
    ]

/// Every change of a byte of metrics.csv, where somebody may believe it.
[<Tests>]
let metrics =
    testList "metrics of a run folder" [
        test "are those that the run wrote, to the byte, or refused" {
            inFolder (fun parent ->
                let sweep = create parent 1
                finish sweep false 1
                let place = sweep.PlaceOf(id 1)
                let file = Path.Combine(place, "metrics.csv")
                let original = File.ReadAllBytes file

                let refused (bytes: byte array) =
                    File.WriteAllBytes(file, bytes)

                    expectRefusal
                        [ file; "has changed since the run wrote it"; "\"files\"" ]
                        (fun () -> (RunFolder.Open place).ReadMetrics())

                for k in 0 .. original.Length - 1 do
                    refused (Array.truncate k original)
                    let bytes = Array.copy original
                    bytes[k] <- bytes[k] ^^^ 1uy
                    refused bytes

                let target = Path.Combine(parent, "t.parquet")
                let table = SweepTable.Write(sweep, target, null)
                Expect.equal (table.Points, table.Damaged.Count) (0, 1) "not in a table either"
                File.WriteAllBytes(file, original)
                Expect.equal ((RunFolder.Open place).ReadMetrics().Rows) 2 "as it was")
        }

        test "of an older version, which has no checksum, are held to their length" {
            inFolder (fun parent ->
                let place = writeRun (Path.Combine(parent, "p1")) false
                let path = Path.Combine(place, "manifest.json")
                let manifest = File.ReadAllText path

                let without =
                    Text.RegularExpressions.Regex.Replace(
                        manifest,
                        "\"crc32\": \"[0-9a-f]{8}\"",
                        "\"crc32\": null"
                    )

                Expect.notEqual without manifest "there is one"
                File.WriteAllText(path, without)
                Expect.equal ((RunFolder.Open place).ReadMetrics().Rows) 2 "read"
                File.AppendAllText(Path.Combine(place, "metrics.csv"), "2,3,4\n")

                expectRefusal [ "metrics.csv"; "bytes" ] (fun () ->
                    (RunFolder.Open place).ReadMetrics()))
        }
    ]

/// A job array of three parts, and what each test asks for besides.
type private Jobs =
    static member Of
        (
            ?tasks,
            ?most: int,
            ?time: string,
            ?memory: string,
            ?partition: string,
            ?maxTime: TimeSpan,
            ?jobs,
            ?logs,
            ?directory,
            ?command,
            ?takeOver
        ) =
        SlurmJob(
            Name = "s",
            Command = defaultArg command [| "dotnet"; "s.fsx" |],
            Directory = defaultArg directory "/home/me",
            Logs = defaultArg logs "/home/me/runs/s/slurm",
            Parts = 3,
            Tasks = defaultArg tasks [| 1; 2; 3 |],
            MaxParallel = Option.toNullable most,
            Time = Option.toObj time,
            Memory = Option.toObj memory,
            Partition = Option.toObj partition,
            MaxTime = Option.toNullable maxTime,
            Jobs = defaultArg jobs 1,
            TakeOver = defaultArg takeOver false
        )

let private lines (job: SlurmJob) = List.ofArray (job.Script().Split '\n')

[<Tests>]
let slurm =
    testList "the script of a job array" [
        testPropertyWithConfig
            (few 200)
            "names exactly the tasks that are left"
            (fun (numbers: PositiveInt list) (most: PositiveInt option) ->
                let tasks = numbers |> List.map _.Get |> List.distinct |> List.sort

                let most = most |> Option.map _.Get
                let array = Jobs.Of(tasks = Array.ofList tasks, ?most = most).Array

                let ranges = (array.Split '%')[0]

                let named = [
                    for range in ranges.Split(',', StringSplitOptions.RemoveEmptyEntries) do
                        match range.Split '-' |> Array.map int with
                        | [| one |] -> one
                        | [| first; last |] -> yield! [ first..last ]
                        | other -> failtest $"%A{other}"
                ]

                Expect.equal named tasks "tasks"

                Expect.equal (array.Split '%' |> Array.tryItem 1 |> Option.map int) most "at once")

        test "warns a task in time, whatever its limit is" {
            for limit, margin in
                [
                    "2:00", 30
                    "0:45", 11
                    "0:05", 10
                    "5", 75
                    "10:00", 90
                    "1:00:00", 90
                    "1-0", 90
                    "0-0:04", 60
                    "0-00:04:20", 65
                    "UNLIMITED", 90
                ] do
                Expect.contains
                    (lines (Jobs.Of(time = limit)))
                    $"#SBATCH --signal=B:USR1@{margin}"
                    limit

                Expect.contains (lines (Jobs.Of(time = limit))) $"#SBATCH --time={limit}" limit

            Expect.contains (lines (Jobs.Of())) "#SBATCH --signal=B:USR1@90" "the partition's limit"
        }

        test "writes each option as sbatch takes it" {
            let full =
                Jobs.Of(
                    jobs = 4,
                    most = 2,
                    partition = "long",
                    time = "2:00:00",
                    memory = "2G",
                    maxTime = TimeSpan.FromMinutes 90.0
                )

            let options = lines full |> List.filter _.StartsWith("#SBATCH")

            Expect.equal
                options
                [
                    "#SBATCH --job-name=rflo-s"
                    "#SBATCH --array=1-3%2"
                    "#SBATCH --ntasks=1"
                    "#SBATCH --cpus-per-task=4"
                    "#SBATCH --requeue"
                    "#SBATCH --open-mode=append"
                    "#SBATCH --signal=B:USR1@90"
                    "#SBATCH --chdir=/home/me"
                    "#SBATCH --output=/home/me/runs/s/slurm/%A_%a.log"
                    "#SBATCH --partition=long"
                    "#SBATCH --time=2:00:00"
                    "#SBATCH --mem=2G"
                ]
                "options"

            Expect.contains (lines full) "over=" "nothing is taken over the first time"

            Expect.contains
                (lines full)
                "if [ $code -eq 3 ] && [ $SECONDS -ge 5400 ]; then again=yes; fi"
                "a task that ends itself by its time goes on"

            Expect.isFalse
                (Jobs.Of().Script().Contains "$SECONDS -ge")
                "one without a time of its own"

            Expect.contains (lines (Jobs.Of(takeOver = true))) "over=--take-over" "a later time"
        }

        test
            "keeps signs that Slurm would put numbers in for, and refuses names that no option can hold" {
            let script = lines (Jobs.Of(logs = "/home/%j/%A x/slurm", directory = "/home/%j"))
            Expect.contains script "#SBATCH --output=\"/home/%%j/%%A x/slurm/%A_%a.log\"" "log"
            Expect.contains script "#SBATCH --chdir=/home/%j" "folder"

            for name in [ "a\nb"; "a\"b"; "a\\b"; "a\u001bb" ] do
                expectRefusal [ "sbatch"; "--out" ] (fun () -> Jobs.Of(logs = name).Script())
                expectRefusal [ "sbatch"; "--out" ] (fun () -> Jobs.Of(directory = name).Script())
        }

        for when', early in
            [
                "before its run has begun", true
                "in the midst of it", false
            ] do
            test $"puts a task back that is warned {when'}, and nothing is lost" {
                if not (File.Exists "/bin/bash") then
                    skiptest "there is no bash"

                inFolder (fun folder ->
                    let file name = Path.Combine(folder, name)
                    // The run: it ends with 3 at the signal of its end, and counts how often that comes.
                    let run =
                        "echo begun >> begun; trap 'echo TERM >> signals; exit 3' TERM; while :; do sleep 0.05; done"

                    // What Slurm does when it warns at once: before anything has run, or when the run has begun.
                    let warn =
                        if early then
                            "kill -USR1 $$"
                        else
                            "(while [ ! -e begun ]; do sleep 0.05; done; kill -USR1 $$; sleep 0.3; kill -TERM $$) &"

                    let job = Jobs.Of(command = [| "bash"; "-c"; run; "run" |], time = "0:12")
                    let script = job.Script()
                    let first = "trap warned USR1\n"
                    Expect.stringContains script first "traps"
                    File.WriteAllText(file "job.sh", script.Replace(first, $"{first}{warn}\n"))
                    File.WriteAllText(file "scontrol", "#!/bin/bash\necho \"$@\" >> requeued\n")
                    OtherUsers.mode (file "scontrol") OtherUsers.everything

                    let code, said =
                        OtherUsers.run "/bin/bash" [
                            "-c"
                            $"cd '{folder}' && PATH='{folder}':$PATH SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 bash job.sh"
                        ]

                    Expect.equal code 3 $"exit code ({said})"

                    Expect.equal
                        (File.ReadAllLines(file "requeued"))
                        [| "requeue 7_2" |]
                        "put back"

                    Expect.equal (File.ReadAllLines(file "signals")) [| "TERM" |] "one signal")
            }
    ]

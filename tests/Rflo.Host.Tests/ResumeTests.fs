/// Real processes that are killed, ended or refused, and go on: what they leave is what a run leaves that never stopped.
module Rflo.Host.Tests.ResumeTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private isLong = Environment.GetEnvironmentVariable "RFLO_LONG" = "1"
let private killsPerExperiment = if isLong then 50 else 10

let private isFile (path: string) = File.Exists path

/// Every file that has its final name is whole.
let private expectWhole (place: string) =
    if Directory.Exists place then
        for file in Directory.GetFiles place do
            match Path.GetExtension file with
            | ".npz" -> Npz.Read file |> ignore
            | ".csv" -> MetricsTable.Read file |> ignore
            | ".json" -> JsonDocument.Parse(File.ReadAllText file).Dispose()
            | _ -> ()

/// What a run must leave to the last bit: everything but times.
let private result (place: string) =
    let table = (RunFolder.Open place).ReadMetrics()

    let columns = [
        for name in table.Columns do
            if name <> "seconds" then
                name, table.Column name |> Array.map BitConverter.DoubleToInt64Bits
    ]

    let bytes name =
        File.ReadAllBytes(Path.Combine(place, name))

    columns, bytes RunFileNames.Weights, bytes RunFileNames.Activity

let private expectSame folder whole resumed =
    let metricsA, weightsA, activityA = result (Path.Combine(folder, whole))
    let metricsB, weightsB, activityB = result (Path.Combine(folder, resumed))
    Expect.equal metricsB metricsA "metrics"
    Expect.isTrue (weightsB.AsSpan().SequenceEqual weightsA) "weights"
    Expect.isTrue (activityB.AsSpan().SequenceEqual activityA) "activity"

/// How often runs were killed, and how often a checkpoint carried one over the kill.
type private Tally() =
    member val Kills = 0 with get, set
    member val GoingOn = 0 with get, set

/// Trials between the checkpoints of a run that is killed.
let private interval = 20

/// The trial of a run's newest checkpoint; 0 where it has none.
let private newestCheckpoint (folder: string) =
    try
        Directory.GetFiles(folder, "checkpoint-*.npz")
        |> Array.map (fun file ->
            int (nonNull (Path.GetFileNameWithoutExtension file)).["checkpoint-".Length ..])
        |> Array.fold max 0
    with :? DirectoryNotFoundException ->
        0

/// Trains to the end in as many processes as it takes, the first so many of which are killed at random moments. Moments of
/// training are counted in checkpoints, so that the speed of the machine does not matter.
let private killUntilDone
    (random: Random)
    (startUp: TimeSpan)
    most
    (tally: Tally)
    folder
    kind
    place
    =
    let full = Path.Combine(folder, place)
    let temporary = Path.Combine(folder, $".{place}.writing")
    let sessions = Path.Combine(temporary, ".sessions.json")

    let isComplete () =
        isFile (Path.Combine(full, RunFileNames.Manifest))

    while not (isComplete ()) do
        let goesOn =
            isFile sessions || isFile (Path.Combine(temporary, RunFileNames.Manifest))

        let before = newestCheckpoint temporary

        if before > 0 then
            tally.GoingOn <- tally.GoingOn + 1

        use child =
            LongRuns.startRun
                folder
                kind
                ((if goesOn then [ "--resume"; place ] else [ "--out"; place ])
                 @ [ "--checkpoint-every"; string interval ])

        if tally.Kills < most then
            // Some while they start, most while they train.
            if random.Next 5 = 0 then
                child.WaitForExit(startUp * random.NextDouble()) |> ignore
            else
                let enough = before + interval * random.Next 6

                while not child.HasExited
                      && (newestCheckpoint temporary < enough || not (isFile sessions)) do
                    Thread.Sleep 2

                child.WaitForExit(random.Next(2 * interval)) |> ignore

            if not child.HasExited then
                child.Kill()
                tally.Kills <- tally.Kills + 1

        let ended = finish child
        expectWhole full
        expectWhole temporary

        // One that was killed when all was written is only put in its place.
        if ended.Code <> 137 && not (ended.Errors.Contains "has ended") then
            Expect.equal ended.Code 0 $"exit code ({ended.Errors})"

let private killed kind =
    test $"killed at random moments, {kind} leaves what it would have left" {
        inFolder (fun folder ->
            let clock = Stopwatch.StartNew()
            let whole = LongRuns.train folder kind [ "--out"; "whole"; "--trials"; "0" ]
            Expect.equal whole.Code 0 $"exit code ({whole.Errors})"
            let startUp = clock.Elapsed
            let whole = LongRuns.train folder kind [ "--out"; "whole"; "--force" ]
            Expect.equal whole.Code 0 $"exit code ({whole.Errors})"
            let random = Random 7
            let tally = Tally()
            let mutable round = 0

            while round = 0 || tally.Kills < killsPerExperiment do
                round <- round + 1
                let place = $"killed{round}"
                killUntilDone random startUp killsPerExperiment tally folder kind place
                // The options that keep checkpoints differ, and no bit of the run.
                expectSame folder "whole" place

            Numbers.isGreaterThan tally.GoingOn (killsPerExperiment / 3) "checkpoints were of use")
    }

let private expectCode code (ended: Ended) =
    Expect.equal ended.Code code $"exit code ({ended.Errors})"

let private checkpoints (place: string) =
    Directory.GetFiles(place, "checkpoint-*.npz")
    |> Array.map (fun file -> Path.GetFileName file |> nonNull)
    |> Array.sort
    |> List.ofArray

let private kind = "rflo-adam-online"

/// A run whose process is killed when it has written a checkpoint of trial 10 or later.
let private killAfterCheckpoint folder place options =
    LongRuns.whileVerySlow folder (fun () ->
        use child =
            LongRuns.startRun folder kind ([ "--out"; place; "--checkpoint-every"; "5" ] @ options)

        let temporary = Path.Combine(folder, $".{place}.writing")

        while not (Directory.Exists temporary && List.length (checkpoints temporary) = 2) do
            Expect.isFalse child.HasExited "it writes checkpoints"
            Thread.Sleep 2

        child.Kill()
        finish child |> ignore
        temporary)

[<Tests>]
let kills =
    testList "a killed run" [
        for KeyValue(kind, _) in LongRuns.all do
            killed kind
    ]

[<Tests>]
let tests =
    testList "a run that stops and goes on" [
        test "ends by SIGTERM with a checkpoint, and goes on to the same bits" {
            inFolder (fun folder ->
                expectCode 0 (LongRuns.train folder kind [ "--out"; "whole"; "--trials"; "1500" ])

                let ended =
                    LongRuns.whileVerySlow folder (fun () ->
                        use child =
                            LongRuns.startRun folder kind [ "--out"; "a"; "--trials"; "1500" ]

                        let sessions = Path.Combine(folder, ".a.writing", ".sessions.json")

                        while not (isFile sessions) do
                            Expect.isFalse child.HasExited "it begins"
                            Thread.Sleep 2

                        Thread.Sleep 30
                        run "/" "/bin/kill" [ "-TERM"; string child.Id ] |> expectCode 0
                        finish child)

                expectCode 3 ended
                Expect.stringContains ended.Errors "--resume a" "how to go on"
                let place = Path.Combine(folder, "a")
                let saved = (RunFolder.Open place).Manifest
                Expect.equal saved.Status RunEnd.Cancelled "status"
                Numbers.isLessThan saved.Trials 1500 "in its midst"

                Expect.equal
                    (checkpoints place)
                    [ $"checkpoint-%010d{saved.Trials}.npz" ]
                    "a checkpoint of where it stopped"

                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a" ])
                expectSame folder "whole" "a"
                let manifest = (RunFolder.Open place).Manifest

                Expect.equal
                    (manifest.Sessions |> Seq.map _.Trial |> List.ofSeq)
                    [ 0; saved.Trials ]
                    "sessions"

                Expect.isEmpty (checkpoints place) "a complete run needs none")
        }

        test "ends by its time limit with a checkpoint, as often as it takes" {
            inFolder (fun folder ->
                expectCode 0 (LongRuns.train folder kind [ "--out"; "whole"; "--trials"; "4" ])

                // A trial takes longer than that, so each process makes one.
                let limit = [ "--max-minutes"; "0.00001" ]
                let first = LongRuns.train folder kind ([ "--out"; "a"; "--trials"; "4" ] @ limit)
                expectCode 3 first
                Expect.stringContains first.Errors "--resume a" "how to go on"
                let mutable code, processes = 3, 1

                while code = 3 && processes < 5 do
                    code <- (LongRuns.train folder kind ([ "--resume"; "a" ] @ limit)).Code
                    processes <- processes + 1

                Expect.equal (code, processes) (0, 4) "it gets there"
                expectSame folder "whole" "a")
        }

        test "passes over a damaged checkpoint, says so, and lists it in the report" {
            inFolder (fun folder ->
                expectCode 0 (LongRuns.train folder kind [ "--out"; "whole" ])
                let temporary = killAfterCheckpoint folder "a" []
                let newest = Path.Combine(temporary, List.last (checkpoints temporary))
                let bytes = File.ReadAllBytes newest
                File.WriteAllBytes(newest, Array.truncate (bytes.Length / 2) bytes)
                let ended = LongRuns.train folder kind [ "--resume"; "a" ]
                expectCode 0 ended
                Expect.stringContains ended.Errors newest "which"
                Expect.stringContains ended.Errors "It was skipped" "what was done"
                expectSame folder "whole" "a"
                let place = Path.Combine(folder, "a")
                let notes = (Seq.last (RunFolder.Open place).Manifest.Sessions).Notes
                Expect.stringContains (Seq.exactlyOne notes) newest "note"
                expectCode 0 (rflo folder [ "report"; "a" ])
                let page = File.ReadAllText(Path.Combine(place, RunFileNames.Report))
                Expect.stringContains page "After trials" "table"
                Expect.stringContains page (nonNull (Path.GetFileName newest)) "note in the report")
        }

        test "is refused with other settings, and keeps what it has" {
            inFolder (fun folder ->
                let temporary = killAfterCheckpoint folder "a" [ "--seed"; "5" ]

                for other in
                    [
                        [ "--seed"; "6" ]
                        [ "--rule"; "rtrl" ]
                        [ "--learning-rate"; "0.5" ]
                    ] do
                    let refused = LongRuns.train folder kind ([ "--resume"; "a" ] @ other)
                    expectCode 2 refused
                    Expect.stringContains refused.Errors "belongs to another experiment" "reason"

                    Expect.stringContains
                        refused.Errors
                        (List.last (checkpoints temporary))
                        "which"

                let anew = LongRuns.train folder kind [ "--out"; "a" ]
                expectCode 2 anew
                Expect.stringContains anew.Errors "--resume" "not thrown away"
                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a" ])

                Expect.equal
                    (RunFolder.Open(Path.Combine(folder, "a"))).Manifest.Seed
                    5L
                    "its seed")
        }

        test "goes on behind its end with more trials, where its last checkpoint was kept" {
            inFolder (fun folder ->
                let keep = [ "--checkpoint-every"; "1000" ]

                expectCode
                    0
                    (LongRuns.train folder kind ([ "--out"; "whole"; "--trials"; "30" ] @ keep))

                expectCode
                    0
                    (LongRuns.train folder kind ([ "--out"; "a"; "--trials"; "12" ] @ keep))

                let refused = LongRuns.train folder kind [ "--resume"; "a"; "--seed"; "9" ]
                expectCode 2 refused

                Expect.isFalse
                    (Directory.Exists(Path.Combine(folder, ".a.writing")))
                    "nothing is left"

                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a"; "--trials"; "20" ])
                // What was asked for last holds, also where it is not said again.
                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a" ])

                Expect.equal
                    (RunFolder.Open(Path.Combine(folder, "a"))).Manifest.Trials
                    20
                    "trials"

                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a"; "--trials"; "30" ])
                expectSame folder "whole" "a")
        }

        test "that stopped early stays stopped" {
            inFolder (fun folder ->
                let early = [ "--checkpoint-every"; "1000"; "--patience"; "5" ]
                expectCode 0 (LongRuns.train folder kind ([ "--out"; "a" ] @ early))
                let first = RunFolder.Open(Path.Combine(folder, "a"))
                Expect.equal first.Manifest.Status RunEnd.Stopped "status"
                let before = result first.Place
                expectCode 0 (LongRuns.train folder kind [ "--resume"; "a" ])
                let again = RunFolder.Open(Path.Combine(folder, "a"))
                Expect.equal again.Manifest.StatusText first.Manifest.StatusText "status in words"
                Expect.equal (result again.Place) before "bits")
        }

        test "goes on without checkpoints while the disk is full, says so once, and keeps the last" {
            if not (File.Exists "/dev/full") then
                skiptest "there is no /dev/full to stand for a full disk"

            inFolder (fun folder ->
                let ended =
                    LongRuns.train folder "full-disk" [ "--out"; "a"; "--checkpoint-every"; "1" ]

                expectCode 0 ended

                let said =
                    ended.Errors.Split '\n'
                    |> Array.filter _.Contains("continues without this checkpoint")

                Expect.hasLength said 1 $"said once: {ended.Errors}"
                let place = Path.Combine(folder, "a")
                expectWhole place
                Expect.equal (RunFolder.Open place).Manifest.Trials 25 "all trials"

                Expect.equal
                    (checkpoints place)
                    [ "checkpoint-0000000010.npz"; "checkpoint-0000000025.npz" ]
                    "the one before, and one where there was room again")
        }

        test "is no comparison: that begins anew, and says so" {
            inFolder (fun folder ->
                let refused = LongRuns.train folder "compare" [ "--resume"; "a" ]
                expectCode 2 refused
                Expect.stringContains refused.Errors "--resume continues one run" "why"
                Expect.isEmpty (Directory.GetFileSystemEntries folder) "nothing is begun")
        }

        test "never keeps a checkpoint of a loss that is no number" {
            inFolder (fun folder ->
                let ended =
                    LongRuns.train folder "diverging" [ "--out"; "a"; "--checkpoint-every"; "1" ]

                expectCode 3 ended

                let place = Path.Combine(folder, "a")
                let manifest = (RunFolder.Open place).Manifest
                Expect.equal manifest.Status RunEnd.Diverged "status"

                Expect.equal
                    (List.last (checkpoints place))
                    $"checkpoint-%010d{manifest.Trials - 1}.npz"
                    "the last one is of the trial before")
        }
    ]

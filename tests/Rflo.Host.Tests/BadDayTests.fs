/// Full and closed outputs, other users, small disks, pages that cannot be made, signals that were ignored: nothing of a run is lost.
module Rflo.Host.Tests.BadDayTests

open System
open System.Diagnostics
open System.IO
open System.Reflection
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs
open Rflo.Host
open Rflo.Host.Tests.Processes

let private program = Assembly.GetExecutingAssembly().Location

let private host =
    Path.Combine(root, "src", "Rflo.Cli", "bin", "Release", "net10.0", "Rflo.Cli.dll")

let private kind = "rflo-adam-online"

/// A line of a shell, in which `rflo` and `train` stand for our programs.
let private shell folder (line: string) =
    if not (File.Exists "/bin/bash" && File.Exists "/dev/full") then
        skiptest "there is no bash, or no /dev/full to stand for a full disk"

    let functions =
        $"rflo() {{ dotnet '{host}' \"$@\"; }}; train() {{ dotnet '{program}' train {kind} --no-report --trials 30 \"$@\"; }}; "

    run folder "/bin/bash" [ "-c"; functions + line ]

let private expectClean (ended: Ended) =
    for text in [ ended.Errors; ended.Output ] do
        Expect.isFalse (text.Contains "Unhandled" || text.Contains "   at ") text

let private cortex = area "cortex" 6
let private y = readout "y" 1

let private network =
    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let private plan =
    experiment "plan" network (Task.periodic 20.0<ms> [ harmonic 1 1.0 ])
    |> trials 10

let private grid = Sweep.ofExperiment plan |> Sweep.over "seed" [ 1..3 ] seed

let private settings folder = {
    Sweeps.into (Path.Combine(folder, "s")) with
        Jobs = 1
        Quiet = true
}

let private ran settings =
    match Sweeps.run settings grid with
    | Ok outcomes -> outcomes
    | Error problems -> failtest $"%A{problems}"

let private stages outcomes =
    outcomes |> List.map (fun (outcome: Outcome) -> outcome.State.Stage)

[<Tests>]
let outputs =
    testList "an output that cannot be written" [
        for where in [ ">/dev/full"; ">&-"; "</dev/null >&- 2>&-" ] do
            test $"costs a run nothing: {where}" {
                inFolder (fun folder ->
                    let ended = shell folder $"train --out a {where}"
                    Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                    expectClean ended
                    let saved = RunFolder.Open(Path.Combine(folder, "a"))
                    Expect.equal (saved.ReadMetrics().Rows) 30 "trials"
                    Expect.equal saved.Manifest.Status RunEnd.Completed "status"

                    if not (where.Contains "2>") then
                        let said =
                            ended.Errors.Split '\n'
                            |> Array.filter _.Contains("standard output cannot be written")

                        Expect.hasLength said 1 ended.Errors)
            }

        test
            "ends commands whose output is all that they give, with a message and another exit code" {
            inFolder (fun folder ->
                ran (settings folder) |> ignore

                for command in [ "--help"; "status s"; "collect s" ] do
                    for where in [ ">/dev/full"; ">&-" ] do
                        let ended = shell folder $"rflo {command} {where}"
                        Expect.equal ended.Code 3 $"rflo {command} {where} ({ended.Errors})"

                        Expect.stringContains
                            ended.Errors
                            "standard output cannot be written"
                            command

                        expectClean ended

                Expect.isTrue (File.Exists(Path.Combine(folder, "s", "results.parquet"))) "written"

                Expect.equal
                    (shell folder "rflo --help | head -1 >/dev/null; exit ${PIPESTATUS[0]}").Code
                    0
                    "a reader that has enough")
        }
    ]

let private setpriv = "/usr/bin/setpriv"

/// Runs something as another user; skips the test where that is not permitted.
let private asNobody folder words =
    let options = [ "--reuid=65534"; "--regid=65534"; "--clear-groups" ]

    if
        not (File.Exists setpriv)
        || (run "/" setpriv (options @ [ "dotnet"; host; "version" ])).Code <> 0
    then
        skiptest "this user may not start a process as another one, who can read this program"

    run folder setpriv (options @ words)

let private everybody = enum<UnixFileMode> 0o777

[<Tests>]
let others =
    testList "another user" [
        test "is told what cannot be listed, and never that points are not begun" {
            inFolder (fun folder ->
                File.SetUnixFileMode(folder, everybody)
                let outcomes = ran (settings folder)
                let hidden = nonNull (Path.GetDirectoryName outcomes[1].Place)

                let seen (path: string) command =
                    File.SetUnixFileMode(path, UnixFileMode.None)

                    try
                        asNobody folder [ "dotnet"; host; command; "s" ]
                    finally
                        File.SetUnixFileMode(path, everybody)

                let status = seen hidden "status"
                Expect.equal status.Code 3 $"exit code ({status.Errors})"
                Expect.stringContains status.Output "1 damaged" "a point"
                Expect.stringContains status.Output hidden "which"
                Expect.isFalse (status.Output.Contains "not begun") status.Output
                expectClean status

                for command in [ "status"; "collect"; "report" ] do
                    let ended = seen (Path.Combine(folder, "s", "points")) command
                    Expect.equal ended.Code 2 $"rflo {command} ({ended.Errors})"
                    Expect.stringContains ended.Errors "cannot be listed" command
                    Expect.isFalse (ended.Output.Contains "not begun") ended.Output
                    expectClean ended)
        }

        test
            "whose disk is full finds the results in a folder of their own, whoever has been there before" {
            let mount = "/usr/bin/mount"

            inFolder (fun folder ->
                let disk, temporary = Path.Combine(folder, "disk"), Path.Combine(folder, "tmp")

                for path in [ folder; disk; temporary ] do
                    Directory.CreateDirectory path |> ignore
                    File.SetUnixFileMode(path, everybody)

                // Of the first user of the machine.
                let first = Path.Combine(temporary, "rflo-runs")
                Directory.CreateDirectory first |> ignore

                File.SetUnixFileMode(
                    first,
                    UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute
                )

                if
                    not (File.Exists mount)
                    || (run "/" mount [ "-t"; "tmpfs"; "-o"; "size=32k,mode=777"; "tmpfs"; disk ])
                        .Code
                       <> 0
                then
                    skiptest "this user may not mount a file system"

                try
                    let ended =
                        asNobody folder [
                            "env"
                            $"TMPDIR={temporary}"
                            "dotnet"
                            program
                            "train"
                            kind
                            "--out"
                            "disk/a"
                            "--quiet"
                            "--trials"
                            "500"
                        ]

                    Expect.equal ended.Code 3 $"exit code ({ended.Errors})"
                    expectClean ended
                    Expect.stringContains ended.Errors "room" "why"

                    let own =
                        Directory.GetDirectories(temporary, "rflo-runs-*") |> Array.exactlyOne

                    let place = Directory.GetDirectories own |> Array.exactlyOne
                    Expect.stringContains ended.Errors place "where"
                    let saved = RunFolder.Open place
                    Expect.equal (saved.ReadMetrics().Rows) 500 "the numbers"
                    Expect.hasLength saved.Manifest.Sessions 1 "what ran"
                    Expect.isNotNull saved.Report "and the page"

                    Expect.equal
                        (File.GetUnixFileMode own &&& enum<UnixFileMode> 0o077)
                        UnixFileMode.None
                        "nobody else's"
                finally
                    run "/" "/usr/bin/umount" [ disk ] |> ignore)
        }
    ]

let private trained =
    lazy
        (match Check.experiment plan with
         | Ok ready -> Run.checkedExperiment (fun _ _ -> ()) CancellationToken.None ready
         | Error problems -> failtest $"%A{problems}")

/// A record of one long trial, as far as a report looks at it: of so many steps, with 30 units.
let private longTrial steps =
    let record = RunRecord.ofTrained DateTimeOffset.UtcNow [] None trained.Value

    let array name columns value =
        NamedArray(name, [| steps; columns |], Array.init (steps * columns) value)

    let wave k = sin (0.001 * float k)

    {
        record with
            Activity = [
                for moment in [ "before"; "after" ] do
                    array $"{moment}/targets" 1 wave
                    array $"{moment}/mask" 1 (fun k -> if k % 7 = 0 then 0.0 else 1.0)
                    array $"{moment}/outputs/y" 1 (fun k -> if k = steps / 3 then 40.0 else wave k)
                    array $"{moment}/rates/cortex" 30 wave
            ]
    }

[<Tests>]
let reports =
    testList "a report" [
        test "of a long trial is no longer than one of a short trial, and says so" {
            let page = Report.html (longTrial 100_000)
            Numbers.isLessThan page.Length 20_000_000 "characters"
            let more = page.Length - (Report.html (longTrial 10_000)).Length
            Numbers.isLessThan (abs more) 1_000_000 "ten times the steps"

            for figure in
                [
                    "y before training"
                    "y after training"
                    "Rates after training"
                ] do
                Expect.stringContains page figure "figures"

            Expect.stringContains page "Thinned: of 100000 steps" "the caption"

            Expect.stringContains
                page
                "steps in which the target counts: 14286 stretches"
                "the mask"

            Expect.stringContains page "40" "the spike"
            let short = Report.html (longTrial 2_000)
            Expect.isFalse (short.Contains "Thinned: of") "all of a short one"
        }

        for what, thrown in
            [
                "there is no memory for it", (fun () -> OutOfMemoryException() :> exn)
                "anything else fails", (fun () -> InvalidOperationException "a bad day")
            ] do
            test $"that cannot be made since {what} costs nothing of the run" {
                inFolder (fun parent ->
                    let place = Path.Combine(parent, "p1")
                    use folder = RunFolder.Create place
                    folder.Begin(RunSession(DateTimeOffset.UtcNow, 0, [||], [||]))
                    let record = RunRecord.ofFolder folder [] trained.Value
                    let mutable whenMade = false

                    let report _ =
                        // The numbers are on the disk by now.
                        whenMade <-
                            File.Exists(Path.Combine(folder.Temporary, "manifest.json"))
                            && File.Exists(Path.Combine(folder.Temporary, "weights.npz"))
                            && File.Exists(Path.Combine(folder.Temporary, "metrics.csv"))

                        raise (thrown ())

                    let saved = Saving.save folder (Some network) (Some report) record
                    Expect.equal saved (Some place, false) "where, and that something is missing"
                    Expect.isTrue whenMade "after the numbers"
                    let saved = RunFolder.Open place
                    Expect.equal (saved.ReadMetrics().Rows) 10 "metrics"
                    Expect.isNonEmpty (saved.ReadWeights()) "weights"
                    Expect.isNotNull saved.Picture "picture"
                    Expect.isNull saved.Report "no report"
                    Expect.equal (rflo parent [ "report"; "p1" ]).Code 0 "it is made later")
            }

        test "of a process that is killed while it is made leaves all numbers" {
            inFolder (fun parent ->
                let place = Path.Combine(parent, "p1")
                let folder = RunFolder.Create place
                folder.Begin(RunSession(DateTimeOffset.UtcNow, 0, [||], [||]))
                RunRecord.writeNumbers folder (RunRecord.ofFolder folder [] trained.Value)
                // The process ends here; its successor puts the results into their place.
                let owner = Path.Combine(folder.Temporary, ".owner.json")
                let text = File.ReadAllText(owner).Replace("\"Process\":", "\"Process\":99999")
                File.WriteAllText(owner, text)

                try
                    (RunFolder.Resume place).Dispose()
                with :? RunFileException as e ->
                    Expect.stringContains e.Message "has ended" "it is complete"

                Expect.equal ((RunFolder.Open place).ReadMetrics().Rows) 10 "metrics")
        }
    ]

[<Tests>]
let sweeps =
    testList "a damaged point" [
        test "does not keep the others from running, and is begun anew when asked" {
            inFolder (fun folder ->
                let outcomes = ran (settings folder)
                let damaged, lost = outcomes[0].Place, outcomes[2].Place
                File.WriteAllText(Path.Combine(damaged, "manifest.json"), "{")
                Directory.Delete(lost, true)
                let again = ran (settings folder)

                Expect.equal
                    (stages again)
                    [
                        PointStage.Damaged
                        PointStage.Finished
                        PointStage.Finished
                    ]
                    "stages"

                Expect.stringContains again[0].State.Reason damaged "which"
                let status = rflo folder [ "status"; "s" ]
                Expect.equal status.Code 3 "exit code"
                Expect.stringContains status.Output "1 damaged" "status"
                Expect.stringContains status.Errors "--retry" "what to do"
                let report = rflo folder [ "report"; "s" ]
                Expect.equal report.Code 0 $"report ({report.Errors})"
                let page = File.ReadAllText(Path.Combine(folder, "s", "report.html"))
                Expect.stringContains page "no manifest of a run" "the report lists it"
                let retried = ran { settings folder with Retry = true }
                Expect.allEqual (stages retried) PointStage.Finished "begun anew"
                Expect.equal (retried |> List.map _.IsNew) [ true; false; false ] "it alone")
        }

        test "whose checkpoints are all damaged goes on for ever no more" {
            inFolder (fun folder ->
                use source = new CancellationTokenSource()
                source.Cancel()
                let point = (ran (settings folder)).Head.Place
                // A point that was stopped, with a checkpoint that is none.
                let manifest = Path.Combine(point, "manifest.json")

                File.WriteAllText(
                    manifest,
                    File.ReadAllText(manifest).Replace("\"completed\"", "\"cancelled\"")
                )

                File.WriteAllText(Path.Combine(point, "checkpoint-0000000005.npz"), "damaged")
                let refused = ran (settings folder)
                Expect.equal refused.Head.State.Stage PointStage.Failed "refused"
                Expect.stringContains refused.Head.State.Reason "--retry" "what to do"
                let retried = ran { settings folder with Retry = true }
                Expect.allEqual (stages retried) PointStage.Finished "begun anew"
                Expect.equal ((RunFolder.Open point).ReadMetrics().Rows) 10 "all trials")
        }

        test "is printed without what a terminal would obey" {
            inFolder (fun folder ->
                ran (settings folder) |> ignore
                let place = Path.Combine(folder, "s")
                let sweep = SweepFolder.Open place
                let id = sweep.ReadPoints()[0]
                Directory.Delete(sweep.PlaceOf id, true)
                let escape = "\u001b]0;owned\u0007\u009b31m\u202e"
                sweep.Fail(id, readOnlyDict [ "seed" + escape, escape ], "reason" + escape)
                let file = Path.Combine(place, "sweep.json")

                let json =
                    (nonNull (System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText file)))
                        .AsObject()

                json["name"] <- System.Text.Json.Nodes.JsonValue.Create("n" + escape)
                File.WriteAllText(file, json.ToJsonString())

                for command in [ "status"; "report"; "collect" ] do
                    let ended = rflo folder [ command; "s" ]
                    Expect.equal ended.Code 0 $"{command} ({ended.Errors})"

                    for c in ended.Output + ended.Errors do
                        Expect.isFalse
                            ((Char.IsControl c && c <> '\n') || c = '\u202e')
                            $"{command}: {int c}")
        }

        test "of a smaller version is not dropped without a word" {
            inFolder (fun folder ->
                ran (settings folder) |> ignore
                let smaller = Sweep.ofExperiment plan |> Sweep.over "seed" [ 1..2 ] seed
                Sweeps.run (settings folder) smaller |> ignore

                for command in [ "status"; "collect" ] do
                    let ended = rflo folder [ command; "s" ]
                    Expect.equal ended.Code 0 $"{command} ({ended.Errors})"
                    Expect.stringContains ended.Errors "1 point of an earlier version" command)
        }
    ]

let private isIgnored pid (number: int) =
    let line =
        File.ReadAllLines $"/proc/{pid}/status" |> Array.find _.StartsWith("SigIgn:")

    Convert.ToUInt64((line.Split '\t')[1], 16) &&& (1UL <<< (number - 1)) <> 0UL

[<Tests>]
let signals =
    testList "signals" [
        for ignored, number in [ "INT", 2; "HUP", 1 ] do
            test
                $"SIG{ignored} that was ignored when a run began stays so, and SIGTERM ends it well" {
                if not (Directory.Exists "/proc/self" && File.Exists "/usr/bin/env") then
                    skiptest "there is no /proc, or no env"

                inFolder (fun folder ->
                    use child =
                        start folder "env" [
                            $"--ignore-signal={ignored}"
                            "dotnet"
                            program
                            "train"
                            kind
                            "--quiet"
                            "--no-report"
                            "--out"
                            "a"
                            "--trials"
                            "1000000"
                        ]

                    let sessions = Path.Combine(folder, ".a.writing", ".sessions.json")

                    while not (File.Exists sessions) do
                        Expect.isFalse child.HasExited "it begins"
                        Thread.Sleep 5

                    Expect.isTrue (isIgnored child.Id number) "as it was begun"

                    let kill signal =
                        run "/" "/bin/kill" [ signal; string child.Id ] |> ignore

                    kill $"-{ignored}"
                    kill $"-{ignored}"
                    Thread.Sleep 100
                    Expect.isFalse child.HasExited "it goes on"
                    kill "-TERM"
                    let ended = finish child
                    Expect.equal ended.Code 3 $"exit code ({ended.Errors})"

                    Expect.equal
                        (RunFolder.Open(Path.Combine(folder, "a"))).Manifest.Status
                        RunEnd.Cancelled
                        "status")
            }
    ]

[<Tests>]
let script =
    testList "the script in the run folder" [
        test "is the one that ran, though it was edited while it ran" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "model.fsx"
                        """
let path = System.IO.Path.Combine(__SOURCE_DIRECTORY__, "model.fsx")
let cortex, y = area "cortex" 6, readout "y" 1

let network =
    circuit [ cortex --> y |> learningRate 0.03 ]

let draw trial (_: Rflo.Core.RandomStream) =
    // Somebody edits it in the midst of the run.
    if trial = 3 then System.IO.File.WriteAllText(path, "edited")
    Trial.ofArrays (Array2D.zeroCreate 5 0) (Array2D.create 5 1 0.5)

Task.ofTrials 5.0<ms> draw |> experiment "edited" network |> trials 10 |> Host.run
"""

                let text = File.ReadAllText path
                let ended = script folder path [ "--out"; "a" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.equal (File.ReadAllText path) "edited" "meanwhile"
                let saved = RunFolder.Open(Path.Combine(folder, "a"))
                Expect.equal saved.Manifest.Script "model.fsx" "name"
                Expect.equal (saved.ReadScript()) text "text"

                Expect.stringContains
                    (File.ReadAllText(nonNull saved.Report))
                    "Somebody edits it"
                    "report")
        }
    ]

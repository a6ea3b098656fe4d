/// Sweeps in this process: what runs, what is skipped, what goes on, and that the numbers are always the same.
module Rflo.Host.Tests.SweepTests

open System
open System.IO
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs
open Rflo.Host
open Rflo.Host.Tests.Processes

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
    |> trials 20

let private seedsAndRules experiment =
    Sweep.ofExperiment experiment
    |> Sweep.over "seed" [ 1..3 ] seed
    |> Sweep.overNamed "rule" [ for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r ]

let private grid = seedsAndRules plan

/// An experiment that tells when a trial is drawn, and which: a place to stop at, on a machine of any speed.
let private watched (drawn: int -> unit) = {
    plan with
        Task =
            Task.ofTrials 10.0<ms> (fun trial _ ->
                drawn trial

                {
                    Inputs = Array2D.zeroCreate 10 0
                    Targets = Array2D.create 10 1 0.5
                    Mask = None
                    Events = []
                    Rewards = None
                    Conditions = []
                })
}

let private settings folder = {
    Sweeps.into (Path.Combine(folder, "sweep")) with
        Jobs = 2
        Quiet = true
}

let private ran settings sweep =
    match Sweeps.run settings sweep with
    | Ok outcomes -> outcomes
    | Error problems -> failtest $"%A{problems}"

let private stages outcomes =
    outcomes |> List.map (fun (outcome: Outcome) -> outcome.State.Stage)

/// What a point has measured, but for the time it took, and the weights that it learned.
let private measured (outcome: Outcome) =
    let saved = RunFolder.Open outcome.Place
    let table = saved.ReadMetrics()

    [
        for name in table.Columns do
            if name <> "seconds" then
                name, table.Column name |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray

        for weights in saved.ReadWeights() do
            weights.Name, weights.Values |> Array.map BitConverter.DoubleToInt64Bits |> List.ofArray
    ]

let private byId outcomes =
    outcomes
    |> List.map (fun (outcome: Outcome) -> outcome.Id, measured outcome)
    |> Map.ofList

let private isOver (outcome: Outcome) =
    outcome.State.Stage = PointStage.Finished

/// An experiment whose task throws in trial 5 while it is asked to.
let private fragile (broken: bool ref) = {
    plan with
        Task =
            Task.ofTrials 10.0<ms> (fun trial _ -> {
                Inputs = Array2D.zeroCreate 10 0
                Targets = Array2D.create 10 1 0.5
                Mask = None
                Events = []
                Rewards =
                    (if broken.Value && trial = 5 then
                         failwith "out of luck"

                     None)
                Conditions = []
            })
}

[<Tests>]
let tests =
    testList "sweeps" [
        test "every point becomes a run folder that says its settings" {
            inFolder (fun folder ->
                let outcomes = ran (settings folder) grid
                Expect.allEqual (stages outcomes) PointStage.Finished "stages"

                Expect.equal
                    (outcomes |> List.map _.Settings)
                    [ for k in 0..5 -> (grid.At k).Settings ]
                    "order"

                for outcome in outcomes do
                    let saved = RunFolder.Open outcome.Place

                    let said = [
                        for pair in saved.Manifest.Settings -> pair.Key, pair.Value
                    ]

                    Expect.equal said outcome.Settings "settings"
                    Expect.equal (Path.GetFileName outcome.Place) outcome.Id "name"
                    Expect.equal saved.Manifest.Status RunEnd.Completed "status"

                    Expect.isFalse
                        (File.Exists(Path.Combine(outcome.Place, RunFileNames.Report)))
                        "report"

                let sweep = SweepFolder.Open(Path.Combine(folder, "sweep"))
                Expect.equal (List.ofSeq (sweep.ReadPoints())) (outcomes |> List.map _.Id) "list"

                Expect.equal
                    [ for axis in sweep.Description.Axes -> axis.Name ]
                    [ "seed"; "rule" ]
                    "axes")
        }

        test "the order and the number of threads change no bit" {
            inFolder (fun folder ->
                let shuffled = {
                    grid with
                        At = fun k -> grid.At((5 * k + 2) % 6)
                }

                let run name jobs sweep =
                    let settings = {
                        settings folder with
                            Place = Path.Combine(folder, name)
                            Jobs = jobs
                    }

                    byId (ran settings sweep)

                let one = run "one" 1 grid
                Expect.equal (Map.count one) 6 "points"
                Expect.equal (run "two" 2 grid) one "two threads"
                Expect.equal (run "four" 4 shuffled) one "four threads, another order")
        }

        test "a run by itself measures the same as the point" {
            inFolder (fun folder ->
                let outcomes = ran (settings folder) grid

                match Run.train (grid.At 3).Experiment with
                | Ok trained ->
                    let table = (RunFolder.Open outcomes[3].Place).ReadMetrics()
                    Expect.equal (table.Column "loss") trained.Losses "losses"
                | Error problems -> failtest $"%A{problems}")
        }

        test "what is finished is not run again, and a sweep may grow" {
            inFolder (fun folder ->
                let first = ran (settings folder) grid

                let written =
                    File.GetLastWriteTimeUtc(Path.Combine(first[0].Place, "manifest.json"))

                let again = ran (settings folder) grid
                Expect.isTrue (again |> List.forall (_.IsNew >> not)) "nothing is new"
                Expect.equal (again |> List.map _.Id) (first |> List.map _.Id) "names"
                let larger = Sweep.ofExperiment plan |> Sweep.over "seed" [ 1..4 ] seed

                let larger =
                    larger
                    |> Sweep.overNamed "rule" [
                        for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r
                    ]

                let more = ran (settings folder) larger
                Expect.equal (more |> List.filter _.IsNew |> List.length) 2 "new points"
                Expect.allEqual (stages more) PointStage.Finished "stages"

                Expect.equal
                    (File.GetLastWriteTimeUtc(Path.Combine(first[0].Place, "manifest.json")))
                    written
                    "the first is untouched")
        }

        test "options make other points" {
            inFolder (fun folder ->
                let plain = ran (settings folder) grid

                let longer =
                    ran
                        {
                            settings folder with
                                Given = [ Trials "25" ]
                        }
                        grid

                Expect.isTrue (longer |> List.forall _.IsNew) "all are new"

                Expect.isEmpty
                    (Set.intersect (set (plain |> List.map _.Id)) (set (longer |> List.map _.Id)))
                    "names"

                Expect.equal (RunFolder.Open longer[0].Place).Manifest.Trials 25 "trials")
        }

        test "a sweep that was stopped goes on to the same bits" {
            inFolder (fun folder ->
                let sweep = seedsAndRules (watched ignore)
                let whole = byId (ran (settings folder) sweep)
                use source = new CancellationTokenSource()
                let drawn = ref 0

                let counting _ =
                    if Interlocked.Increment drawn = 50 then
                        source.Cancel()

                let stopping = {
                    settings folder with
                        Place = Path.Combine(folder, "stopped")
                        Jobs = 1
                        Cancellation = source.Token
                }

                // After 50 of 120 trials two points are done, one is in hand, and others are not begun.
                let stopped = ran stopping (seedsAndRules (watched counting))

                Expect.equal
                    (List.truncate 3 (stages stopped))
                    [
                        PointStage.Finished
                        PointStage.Finished
                        PointStage.Stopped
                    ]
                    "stages when it was stopped"

                Expect.isFalse (List.forall isOver stopped) "some are left"

                let resumed =
                    ran
                        {
                            stopping with
                                Cancellation = CancellationToken.None
                        }
                        sweep

                Expect.allEqual (stages resumed) PointStage.Finished "stages"
                Expect.equal (byId resumed) whole "bits")
        }

        test "a point in the midst goes on from its checkpoint" {
            inFolder (fun folder ->
                let stoppedAt last =
                    use source = new CancellationTokenSource()

                    let stopping trial =
                        if trial = last then
                            source.Cancel()

                    let outcomes =
                        ran
                            {
                                settings folder with
                                    Jobs = 1
                                    Cancellation = source.Token
                            }
                            (watched stopping |> trials 200 |> seedsAndRules)

                    Expect.equal outcomes.Head.State.Stage PointStage.Stopped "stage"
                    RunFolder.Open outcomes.Head.Place

                let before = stoppedAt 40
                Expect.equal before.Manifest.Status RunEnd.Cancelled "status"

                Expect.isTrue
                    (before.Manifest.Trials >= 40 && before.Manifest.Trials < 200)
                    $"{before.Manifest.Trials} trials"

                let after = stoppedAt 120
                Expect.equal after.Manifest.Sessions.Count 2 "sessions"

                Expect.equal
                    after.Manifest.Sessions[1].Trial
                    before.Manifest.Trials
                    "where it went on")
        }

        test "points that fail are listed with their reason, left alone, and retried when asked" {
            inFolder (fun folder ->
                let broken = ref true

                let sweep =
                    Sweep.ofExperiment (fragile broken)
                    |> Sweep.over "rate" [ 0.01; -1.0; 1e200 ] (fun rate e -> {
                        e with
                            Circuit =
                                e.Circuit |> Circuit.mapProjection "cortex->y" (learningRate rate)
                            Task = if rate = 0.01 then e.Task else plan.Task
                    })

                let outcomes = ran (settings folder) sweep
                Expect.allEqual (stages outcomes) PointStage.Failed "stages"
                let reasons = outcomes |> List.map _.State.Reason
                Expect.stringContains reasons[0] "out of luck" "the task"
                Expect.stringContains reasons[1] "the learning rate is -1" "the problem"
                Expect.stringContains reasons[2] "diverged" "the divergence"
                broken.Value <- false
                let left = ran (settings folder) sweep
                Expect.isTrue (left |> List.forall (_.IsNew >> not)) "left alone"
                Expect.equal (left |> List.map _.State.Reason) reasons "reasons"
                let retried = ran { settings folder with Retry = true } sweep

                Expect.equal
                    (stages retried)
                    [
                        PointStage.Finished
                        PointStage.Failed
                        PointStage.Failed
                    ]
                    "retried"

                Expect.isTrue (retried |> List.forall _.IsNew) "begun anew")
        }

        test "the report shows curves by setting, final losses and failures" {
            inFolder (fun folder ->
                let sweep =
                    Sweep.ofExperiment plan
                    |> Sweep.over "seed" [ 1..3 ] seed
                    |> Sweep.over "rate" [ 0.01; -1.0; 1e200 ] (fun rate e -> {
                        e with
                            Circuit =
                                e.Circuit |> Circuit.mapProjection "cortex->y" (learningRate rate)
                    })

                let outcomes = ran (settings folder) sweep
                let results = SweepResults.read (SweepFolder.Open(Path.Combine(folder, "sweep")))
                Expect.equal results.Points 9 "points"
                Expect.equal results.Refused.Length 3 "points with problems"
                let well, failed = results.Results |> Array.partition _.Failure.IsNone
                Expect.equal (well.Length, failed.Length) (3, 3) "points that ran"

                for result in well do
                    let outcome = outcomes |> List.find (fun outcome -> outcome.Id = result.Id)
                    let losses = (RunFolder.Open outcome.Place).ReadMetrics().Column "loss"
                    Expect.equal result.Curve losses "curve"
                    Expect.equal result.FinalLoss (FinalLoss.ofLosses losses) "final loss"

                let page =
                    SweepReport.page (SweepFolder.Open(Path.Combine(folder, "sweep")))
                    ||> Page.html

                for word in
                    [
                        "Loss by rate"
                        "Loss by seed"
                        "Final loss against rate"
                        "9 of 9 points have ended, 6 of them failed"
                        "the learning rate is -1"
                        "diverged"
                    ] do
                    Expect.stringContains page word "page")
        }

        test "measures are in manifests, and the same from a run's folder to the bit" {
            inFolder (fun folder ->
                let slope (trained: Trained) =
                    trained.Losses[0] - Array.last trained.Losses
                    + trained.Final["cortex->y"][0, 0]

                let outcomes = ran (settings folder) (grid |> Sweep.measure "slope" slope)

                let saved (outcome: Outcome) =
                    (RunFolder.Open outcome.Place).Manifest.Measures["slope"]

                for outcome in outcomes do
                    match Run.train (grid.At outcome.Index).Experiment with
                    | Ok trained -> Expect.equal (saved outcome) (slope trained) "value"
                    | Error problems -> failtest $"%A{problems}"

                    Expect.equal outcome.Measured [ "slope", Ok(saved outcome) ] "said now"

                // A measure that the script declares later is computed from the folders, and trains nothing.
                let later =
                    ran
                        (settings folder)
                        (grid |> Sweep.measure "slope" slope |> Sweep.measure "again" slope)

                Expect.isTrue (later |> List.forall (_.IsNew >> not)) "nothing is trained"

                for outcome in later do
                    let measures = (RunFolder.Open outcome.Place).Manifest.Measures
                    Expect.equal measures["again"] measures["slope"] "from the folder"
                    Expect.equal outcome.Measured [ "again", Ok measures["slope"] ] "only that"

                Expect.equal (SweepHost.measured later) [ Ok "measure again: 6 values" ] "in words")
        }

        test
            "a measure that throws or is not finite leaves no value, a reason, and a finished point" {
            inFolder (fun folder ->
                let fixedSince = ref false

                let fragile (trained: Trained) =
                    if fixedSince.Value then
                        1.0
                    else
                        match trained.Experiment.Seed with
                        | 1L -> failwith "no crossing\nwas found."
                        | 2L -> nan
                        | _ -> 7.0

                let sweep =
                    Sweep.ofExperiment plan
                    |> Sweep.over "seed" [ 1..3 ] seed
                    |> Sweep.measure "crossing" fragile

                let outcomes = ran (settings folder) sweep
                Expect.allEqual (stages outcomes) PointStage.Finished "stages"

                let reasons = [
                    for outcome in outcomes ->
                        (RunFolder.Open outcome.Place).Manifest.MeasureFailures
                        |> Seq.map (fun pair -> pair.Key, pair.Value)
                        |> List.ofSeq
                ]

                Expect.equal
                    reasons
                    [
                        [ "crossing", "Exception: no crossing was found" ]
                        [ "crossing", "the value is NaN; a measure must be finite" ]
                        []
                    ]
                    "reasons"

                Expect.equal
                    (SweepHost.measured outcomes)
                    [
                        Error
                            $"measure crossing: no value of 2 of 3 points, first of seed 1 ({outcomes[0].Id}): Exception: no crossing was found; the points are finished, and the same command measures these again"
                    ]
                    "in words"

                fixedSince.Value <- true
                let again = ran (settings folder) sweep

                Expect.equal
                    (again |> List.map _.Measured)
                    [ [ "crossing", Ok 1.0 ]; [ "crossing", Ok 1.0 ]; [] ]
                    "those without a value are measured again"

                let all =
                    ran
                        {
                            settings folder with
                                Remeasure = true
                        }
                        sweep

                Expect.allEqual (all |> List.map _.Measured) [ "crossing", Ok 1.0 ] "anew"

                for outcome in all do
                    let manifest = (RunFolder.Open outcome.Place).Manifest
                    Expect.equal manifest.Measures["crossing"] 1.0 "written"
                    Expect.equal manifest.MeasureFailures.Count 0 "no reason is left")
        }

        test "the report and the collected table rank points by their validations and show measures" {
            inFolder (fun folder ->
                let sweep =
                    Sweep.ofExperiment (plan |> validate 10 2)
                    |> Sweep.over "rate" [ 0.001; 0.03; 1e200 ] (fun rate e -> {
                        e with
                            Circuit =
                                e.Circuit |> Circuit.mapProjection "cortex->y" (learningRate rate)
                    })
                    |> Sweep.measure "first" (fun trained -> trained.Losses[0])

                ran (settings folder) sweep |> ignore
                let place = Path.Combine(folder, "sweep")
                let table = PointTable.Read(SweepFolder.Open place)
                Expect.equal table.By RankedBy.ValidationLoss "criterion"

                Expect.equal
                    (List.last (List.ofSeq table.Rows)).Status
                    RunEnd.Diverged
                    "what diverged is last"

                let losses = [ for row in table.Rows -> row.Score.ValidationLoss ] |> List.take 2
                Expect.equal losses (List.sort losses) "the best first"
                let page = SweepReport.page (SweepFolder.Open place) ||> Page.html

                for words in
                    [
                        "The best points"
                        "Best first, by the loss of the last validation."
                        "Validation loss against rate"
                        "First against rate"
                        "median of first"
                    ] do
                    Expect.stringContains page words "page"

                Expect.equal
                    (Rflo.Cli.SweepCommands.collect [ place; "--csv" ])
                    ExitCode.Done
                    "exit code"

                let lines = File.ReadAllLines(Path.Combine(place, "points.csv"))

                Expect.equal
                    lines[0]
                    "rank,point,status,rate,trials,validation loss,final loss,first,seconds"
                    "heads"

                Expect.equal lines.Length 4 "a row a point")
        }

        test "what rflo collect cannot use is refused, and nothing is written" {
            inFolder (fun folder ->
                ran (settings folder) grid |> ignore
                let place = Path.Combine(folder, "sweep")
                let before = Directory.GetFileSystemEntries place |> Array.sort

                for words in
                    [
                        []
                        [ place; "more" ]
                        [ place; "--cvs" ]
                        [ place; "--out"; "-" ]
                        [ place; "--out" ]
                        [ folder; "--csv" ]
                    ] do
                    Expect.equal
                        (Rflo.Cli.SweepCommands.collect words)
                        ExitCode.Arguments
                        $"%A{words}"

                Expect.equal (Directory.GetFileSystemEntries place |> Array.sort) before "files")
        }

        test "long curves are shown at trials that are equally far apart in their logarithm" {
            let trials = SweepResults.trials 100_000
            Expect.equal (Array.head trials, Array.last trials) (1, 100_000) "ends"
            Expect.equal (Array.distinct trials |> Array.sort) trials "ascending"
            Numbers.isLessThanOrEqual trials.Length 120 "number"
            Expect.equal (SweepResults.trials 20) [| 1..20 |] "a short one"
        }

        test "quartiles are those of the finite numbers" {
            Expect.equal
                (SweepFigures.quartiles [| 5.0; 1.0; nan; 2.0; 4.0; 3.0 |])
                (2.0, 3.0, 4.0)
                "odd"

            Expect.equal (SweepFigures.quartiles [| 1.0; 2.0 |]) (1.25, 1.5, 1.75) "even"
        }

        test "a few trials tell what a point costs on the disk" {
            inFolder (fun folder ->
                let long = Sweep.ofExperiment (trials 2000 plan) |> Sweep.over "seed" [ 1..2 ] seed

                match SweepCosts.measure (settings folder) long with
                | Error reason -> failtest reason
                | Ok costs ->
                    Expect.isEmpty
                        (Directory.GetFileSystemEntries folder)
                        "nothing is written here"

                    let outcomes = ran (settings folder) long

                    for outcome in outcomes do
                        let files = DirectoryInfo(outcome.Place).GetFiles()
                        let bytes = files |> Array.sumBy _.Length |> float
                        Expect.equal files.Length costs.FilesOfPoint "files"
                        let ratio = costs.BytesOfPoint / bytes
                        Expect.isTrue (ratio > 0.9 && ratio < 1.1) $"bytes, by a factor of {ratio}")
        }

        test "a point that another process is writing is left to it" {
            inFolder (fun folder ->
                let first = ran (settings folder) (Sweep.ofExperiment plan)
                Directory.Delete(first[0].Place, true)
                use theirs = RunFolder.Create first[0].Place
                let outcomes = ran (settings folder) (Sweep.ofExperiment plan)
                Expect.equal (stages outcomes) [ PointStage.Running ] "stages"
                Expect.isTrue (Directory.Exists theirs.Temporary) "theirs is untouched")
        }

        test "parts cover a sweep, each point once" {
            inFolder (fun folder ->
                let parts = [
                    for k in 1..4 ->
                        ran
                            {
                                settings folder with
                                    Part = Some(k, 4)
                            }
                            grid
                ]

                Expect.equal (parts |> List.concat |> List.map _.Index) [ 0..5 ] "indices"
                Expect.isTrue (parts |> List.concat |> List.forall _.IsNew) "each is new")
        }

        testProperty "parts are consecutive and nearly equal" (fun (count: uint16) (n: uint8) ->
            let count, n = int count, 1 + int n
            let ranges = [ for k in 1..n -> Sweeps.range count (Some(k, n)) ]
            let sizes = ranges |> List.map (fun (first, last) -> last - first)

            fst ranges.Head = 0
            && snd (List.last ranges) = count
            && List.pairwise ranges
               |> List.forall (fun ((_, last), (first, _)) -> last = first)
            && List.max sizes - List.min sizes <= 1)

        test "another sweep, or something else, is not written over" {
            inFolder (fun folder ->
                ran (settings folder) grid |> ignore

                let refused sweep settings =
                    Expect.throwsT<RunFileException>
                        (fun () -> Sweeps.run settings sweep |> ignore)
                        "refused"

                refused (Sweep.named "other" grid) (settings folder)
                Directory.CreateDirectory(Path.Combine(folder, "full")) |> ignore
                File.WriteAllText(Path.Combine(folder, "full", "mine.txt"), "")

                refused grid {
                    settings folder with
                        Place = Path.Combine(folder, "full")
                })
        }
    ]

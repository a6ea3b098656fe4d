module Rflo.Host.Tests.ScriptTests

open System.IO
open System.Text.Json
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Reproductions.Murray2019
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private periodic = Path.Combine(examples, "01-periodic.fsx")

let private status (place: string) =
    use manifest =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(place, "manifest.json")))

    manifest.RootElement.GetProperty("status").GetString()

/// Columns of metrics.csv but the times.
let private metrics (place: string) =
    let table = MetricsTable.Read(Path.Combine(place, "metrics.csv"))

    [
        for name in table.Columns do
            if name <> "seconds" then
                name, table.Column name
    ]

let private weights place =
    File.ReadAllBytes(Path.Combine(place, "weights.npz"))

let private checkFolder (place: string) (example: string) =
    let saved = RunFolder.Open place
    Expect.equal saved.Manifest.Status Rflo.Core.RunEnd.Completed "status"
    Expect.equal saved.Manifest.Trials 5 "trials"
    Expect.equal saved.Manifest.Seed 3L "seed"
    Expect.equal saved.Manifest.Overrides["trials"] "5" "overrides"
    Expect.isNotNull saved.Manifest.Experiment "experiment"
    Expect.stringContains saved.Manifest.Description "Training: " "description"

    let metrics = saved.ReadMetrics()

    Expect.equal
        (List.ofSeq metrics.Columns |> List.truncate 3)
        [ "trial"; "loss"; "seconds" ]
        "columns"

    Expect.equal (metrics.Column "trial") [| 0.0; 1.0; 2.0; 3.0; 4.0 |] "trials"

    // Without targets there is no loss.
    let isLoss loss =
        if Path.GetFileName example = "18-dopamine.fsx" then
            System.Double.IsNaN loss
        else
            loss > 0.0 && loss < 100.0

    Expect.all (metrics.Column "loss") isLoss "losses"

    let names = saved.ReadWeights() |> Seq.map _.Name |> List.ofSeq

    for name in names |> List.filter _.StartsWith("initial/") do
        Expect.contains names (name.Replace("initial/", "final/")) "final weights"

    let recorded = saved.ReadActivity() |> Seq.map _.Name |> List.ofSeq
    Expect.contains recorded "before/targets" "activity"
    Expect.contains recorded "after/targets" "activity"
    Expect.equal (File.ReadAllText(nonNull saved.Script)) (File.ReadAllText example) "script"
    Expect.isTrue (File.Exists(nonNull saved.Report)) "report"

/// The example of interval matching trains the network of the paper in the reading that `rflo reproduce fig3` runs beside the printed
/// one, and leaves a figure of the delays.
let private checkIntervals (folder: string) (place: string) =
    let model =
        Models.interval Rule.rflo 0.001 150.0<ms>
        |> Reading.apply Models.intervalChoices Models.intervalChosen

    let expected = {
        Models.ofInterval model with
            Name = "ready-set-go"
            Trials = 5
            Seed = 3L
    }

    let saved = RunFolder.Open place

    Expect.equal
        ((nonNull saved.Manifest.Experiment).ToJsonString())
        ((ExperimentJson.ofExperiment expected).ToJsonString())
        "the paper's network"

    let figure = File.ReadAllText(Path.Combine(folder, "runs", "intervals.html"))
    Expect.stringContains figure "produced delay (ms)" "figure"

/// A script that compares leaves a run folder for each experiment, and one page.
let private checkComparison (place: string) example =
    let runs = Directory.GetDirectories place
    Numbers.isGreaterThan runs.Length 1 "runs"

    for run in runs do
        checkFolder run example

    let page = File.ReadAllText(Path.Combine(place, "report.html"))

    for run in runs do
        Expect.stringContains page (DirectoryInfo(run).Name) "the page names each run"

/// A script that sweeps leaves a run folder for each point.
let private checkSweep (place: string) =
    let sweep = SweepFolder.Open place
    Numbers.isGreaterThan sweep.Description.Points 1 "points"

    for id in sweep.ReadPoints() do
        Expect.equal (sweep.StateOf id).Stage PointStage.Finished id
        Expect.equal ((RunFolder.Open(sweep.PlaceOf id)).ReadMetrics()).Rows 5 "trials"

let private isSweep (example: string) =
    (File.ReadAllText example).Contains "Host.sweep"

/// A script that holds rules to laws runs nothing of its own.
let private isOfLaws (example: string) =
    (File.ReadAllText example).Contains "Rflo.Testing"

let private ofLaws, ofRuns =
    Directory.GetFiles(examples, "*.fsx") |> Array.sort |> Array.partition isOfLaws

let private sweeps, others = Array.partition isSweep ofRuns

let private exampleTests = [
    for example in sweeps do
        test $"{Path.GetFileName example} leaves a folder of points" {
            inFolder (fun folder ->
                let run options =
                    script folder example ([ "--trials"; "5"; "--out"; "runs/a" ] @ options)

                let ended = run []
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                checkSweep (Path.Combine(folder, "runs", "a"))
                let again = run [ "--jobs"; "1" ]
                Expect.stringContains again.Output "0 run now" "nothing is run twice"
                let status = rflo folder [ "status"; "runs/a" ]
                Expect.equal status.Code 0 $"exit code ({status.Errors})"
                Expect.stringContains status.Output "24 finished" "status"
                let collected = rflo folder [ "collect"; "runs/a" ]
                Expect.equal collected.Code 0 $"exit code ({collected.Errors})"
                Expect.stringContains collected.Output "24 points, 120 rows" "table"
                let refused = run [ "--seed"; "3" ]
                Expect.equal refused.Code 2 "exit code"
                Expect.stringContains refused.Errors "would undo the axis seed" "message")
        }

    for example in ofLaws do
        test $"{Path.GetFileName example} holds rules to laws, and shows what is wrong with some" {
            inFolder (fun folder ->
                let ended = script folder example []
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"

                for words in
                    [
                        "slow-and-centred: local-only holds"
                        "slow-and-centred breaks the law gradient-matches-without-recurrence"
                        "remembering breaks the law same-seed-same-bits"
                        "area a1: 1 units"
                    ] do
                    Expect.stringContains ended.Output words "what it says")
        }

    for example in others do
        test $"{Path.GetFileName example} leaves whole run folders" {
            inFolder (fun folder ->
                let ended =
                    script folder example [ "--trials"; "5"; "--seed"; "3"; "--out"; "runs/a" ]

                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                let place = Path.Combine(folder, "runs", "a")

                if File.Exists(Path.Combine(place, "manifest.json")) then
                    checkFolder place example

                    if Path.GetFileName example = "09-ready-set-go.fsx" then
                        checkIntervals folder place
                else
                    checkComparison place example)
        }
]

let private refused name options code (message: string) =
    test name {
        inFolder (fun folder ->
            let ended = script folder periodic options
            Expect.equal ended.Code code "exit code"
            Expect.stringContains ended.Errors message "message"
            Expect.isFalse (ended.Errors.Contains "   at ") "no stack trace"
            Expect.isFalse (ended.Output.Contains "trial") "nothing was trained")
    }

[<Tests>]
let tests =
    testList "a script" [
        testList "of the examples" exampleTests

        test "gives the same numbers in two processes with one seed" {
            inFolder (fun folder ->
                let go place =
                    let options = [
                        "--trials"
                        "40"
                        "--no-report"
                        "--quiet"
                        "--out"
                        place
                    ]

                    let ended = script folder periodic options
                    Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                    Path.Combine(folder, place)

                let a, b = go "a", go "b"
                Expect.equal (metrics a) (metrics b) "metrics"
                Expect.equal (weights a) (weights b) "weights")
        }

        test "writes weights that numpy reads" {
            inFolder (fun folder ->
                let options = [ "--trials"; "3"; "--no-report"; "--out"; "a" ]
                Expect.equal (script folder periodic options).Code 0 "exit code"

                let told =
                    numpy
                        folder
                        "w = np.load('a/weights.npz'); print(w['initial/cortex->cortex'].shape, w['final/cortex->y'].shape, w['feedback/y->cortex'].shape, np.abs(w['final/cortex->y'] - w['initial/cortex->y']).max() > 0)"

                Expect.equal told "(50, 50) (1, 50) (50, 1) True" "what numpy reads")
        }

        test "takes the next free folder, and prints where it is" {
            inFolder (fun folder ->
                for number in [ 1; 2 ] do
                    let ended = script folder periodic [ "--trials"; "2"; "--no-report" ]

                    Expect.stringContains
                        ended.Output
                        $"runs/periodic-{number}/manifest.json"
                        "where"

                Expect.equal
                    (status (Path.Combine(folder, "runs", "periodic-2")))
                    "completed"
                    "status")
        }

        test "leaves a folder that is there alone, unless --force" {
            inFolder (fun folder ->
                let go more =
                    script
                        folder
                        periodic
                        ([ "--trials"; "2"; "--no-report"; "--out"; "a" ] @ more)

                Expect.equal (go []).Code 0 "first"
                let again = go []
                Expect.equal again.Code 2 "second"
                Expect.stringContains again.Errors "is there already" "message"
                Expect.equal (go [ "--force" ]).Code 0 "forced")
        }

        refused
            "finds an unwritable folder before it trains"
            [ "--out"; "/proc/rflo" ]
            2
            "/proc/rflo: cannot be written"
        refused
            "names a wrong option"
            [ "--trails"; "5" ]
            2
            "there is no option --trails; did you mean --trials?"
        refused "names an unknown rule" [ "--rule"; "bpt" ] 2 "did you mean bptt?"
        refused
            "tells what a rule cannot do"
            [ "--rule"; "bptt"; "--update"; "online" ]
            1
            "bptt cannot update online"

        test "explains its options and exit codes" {
            inFolder (fun folder ->
                let ended = script folder periodic [ "--"; "--help" ]
                Expect.equal ended.Code 0 "exit code"

                for word in
                    [
                        "--trials"
                        "--learning-rate"
                        "EXIT CODES"
                        "ended early"
                    ] do
                    Expect.stringContains ended.Output word "help")
        }

        test "with problems prints all of them and answers 1" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "bad.fsx"
                        "let a = area \"a\" 3 |> tau 0.1<ms>\nlet c = Circuit.empty |> areas [ a ] |> readouts [ readout \"y\" 1 ]\nexperiment \"bad\" c (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> Host.run\nprintfn \"went on\"\n"

                let ended = script folder path []
                Expect.equal ended.Code 1 "exit code"
                Expect.stringContains ended.Errors "bad: 3 problems" "heading"
                Expect.stringContains ended.Errors "  area a: tau is 0.1 ms" "first"
                Expect.stringContains ended.Errors "  readout y: no projection reaches it" "second"
                Expect.isFalse (ended.Output.Contains "went on") "the script ends there")
        }

        test "that diverges keeps what was before, hints, and answers 3" {
            inFolder (fun folder ->
                let ended = script folder periodic [ "--learning-rate"; "200"; "--out"; "a" ]
                Expect.equal ended.Code 3 "exit code"
                Expect.stringContains ended.Errors "diverged at trial" "where"

                Expect.stringContains
                    ended.Errors
                    "lower the learning rate (cortex->cortex 200, cortex->y 200)"
                    "hint"

                Expect.stringContains ended.Errors "the gain (cortex->cortex 1.5)" "hint"
                let place = Path.Combine(folder, "a")
                Expect.equal (status place) "diverged" "status"
                let _, losses = metrics place |> List.find (fst >> (=) "loss")
                Numbers.isGreaterThan losses.Length 3 "losses before"

                Expect.isTrue
                    (losses[.. losses.Length - 2] |> Array.forall System.Double.IsFinite)
                    "finite before"

                Expect.isTrue (File.Exists(Path.Combine(place, "report.html"))) "report")
        }

        test "whose folder breaks while it trains saves the results elsewhere and answers 3" {
            inFolder (fun folder ->
                // The task removes the folder that is being written.
                let path =
                    write
                        folder
                        "broken.fsx"
                        "let a = area \"a\" 3\nlet y = readout \"y\" 1\nlet c = Circuit.empty |> areas [ a ] |> readouts [ y ] |> projections [ a --> y |> learningRate 0.1 ]\nlet draw trial _ =\n    if trial = 1 then\n        for found in System.IO.Directory.GetDirectories(\".\", \".*a*\") do System.IO.Directory.Delete(found, true)\n    { Inputs = Array2D.zeroCreate 5 0; Targets = Array2D.zeroCreate 5 1; Mask = None; Events = []; Rewards = None }\nexperiment \"broken\" c (Task.ofTrials 5.0<ms> draw) |> trials 3 |> Host.run\n"

                let ended = script folder path [ "--out"; "a"; "--no-report" ]
                Expect.equal ended.Code 3 "exit code"
                Expect.stringContains ended.Errors "cannot be written" "what happened"

                let said =
                    ended.Errors.Split '\n' |> Array.find _.Contains("the results were written to")

                let place = (said.Split("written to ")[1]).Replace(" instead", "").Trim()
                Expect.equal (status place) "completed" "status"
                Directory.Delete(place, true))
        }

        test "goes on behind Host.run when all went well" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "two.fsx"
                        "let a = area \"a\" 3\nlet y = readout \"y\" 1\nlet c = Circuit.empty |> areas [ a ] |> readouts [ y ] |> projections [ a --> y |> learningRate 0.1 ]\nexperiment \"one\" c (Task.periodic 10.0<ms> [ harmonic 1 1.0 ]) |> trials 2 |> Host.run\nprintfn \"went on\"\n"

                let ended = script folder path [ "--no-report" ]
                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"
                Expect.stringContains ended.Output "went on" "output")
        }
    ]

/// What the examples leave: the documentation runs each of them once.
module Rflo.Host.Tests.ExampleTests

open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Host
open Rflo.Reproductions.Murray2019
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private checkFolder (place: string) (example: string) =
    let saved = RunFolder.Open place
    Expect.equal saved.Manifest.Status Rflo.Core.RunEnd.Completed "status"
    let trials = Examples.trialsOf (Examples.nameOf example)
    Expect.equal saved.Manifest.Trials trials "trials"
    Expect.equal saved.Manifest.Seed (int64 Examples.seed) "seed"
    Expect.equal saved.Manifest.Overrides["trials"] (string trials) "overrides"
    Expect.isNotNull saved.Manifest.Experiment "experiment"
    Expect.stringContains saved.Manifest.Description "Training: " "description"

    let metrics = saved.ReadMetrics()

    Expect.equal
        (List.ofSeq metrics.Columns |> List.truncate 3)
        [ "trial"; "loss"; "seconds" ]
        "columns"

    Expect.equal (metrics.Column "trial") (Array.init trials float) "trials"

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
            Trials = Examples.trialsOf "09-ready-set-go"
            Seed = int64 Examples.seed
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

let private sweeps, others =
    Directory.GetFiles(examples, "*.fsx")
    |> Array.sort
    |> Array.partition (File.ReadAllText >> Examples.isSweep)

let private ofLaws, ofRuns =
    others |> Array.partition (File.ReadAllText >> Examples.isOfLaws)

/// The folder in which the site ran an example.
let private folderOf example =
    DocsTests.built.Value |> ignore
    Examples.folderOf DocsTests.work example

// The site runs each example once; these look at what is left, so they come after it.
[<Tests>]
let tests =
    testSequenced
    <| testList "the examples" [
        for example in sweeps do
            test $"{Path.GetFileName example} leaves a folder of points" {
                let folder = folderOf example
                checkSweep (Path.Combine(folder, "runs", "a"))

                let run options =
                    script folder example (Examples.optionsOf example @ options)

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
                Expect.stringContains refused.Errors "would undo the axis seed" "message"
            }

        for example in ofLaws do
            test
                $"{Path.GetFileName example} holds rules to laws, and shows what is wrong with some" {
                let printed = File.ReadAllText(Path.Combine(folderOf example, Examples.output))

                for words in
                    [
                        "slow-and-centred: local-only holds"
                        "slow-and-centred breaks the law gradient-matches-without-recurrence"
                        "remembering breaks the law same-seed-same-bits"
                        "area a1: 1 unit"
                    ] do
                    Expect.stringContains printed words "what it says"
            }

        for example in ofRuns do
            test $"{Path.GetFileName example} leaves whole run folders" {
                let folder = folderOf example
                let place = Path.Combine(folder, "runs", "a")

                if File.Exists(Path.Combine(place, "manifest.json")) then
                    checkFolder place example

                    if Path.GetFileName example = "09-ready-set-go.fsx" then
                        checkIntervals folder place
                else
                    checkComparison place example
            }
    ]

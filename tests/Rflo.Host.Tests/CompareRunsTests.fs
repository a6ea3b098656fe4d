/// Finished runs side by side, from their folders alone.
module Rflo.Host.Tests.CompareRunsTests

open System
open System.IO
open Expecto
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Host.Tests.Processes

let private plain = Periodic.experiment 8 20 |> trials 12

let private runInto place (experiment: Experiment) =
    Expect.equal
        (Host.runWith [| "--quiet"; "--no-report"; "--out"; place |] experiment)
        ExitCode.Done
        "the run"

let private refused words =
    let errors = Console.Error
    use complained = new StringWriter()
    Console.SetError complained

    let code =
        try
            CompareRuns.run words
        finally
            Console.SetError errors

    code, complained.ToString().TrimEnd()

[<Tests>]
let tests =
    testList "comparisons of finished runs" [
        test "name what the declarations say differently, by word, and nothing else" {
            let json (experiment: Experiment) =
                Text.Json.Nodes.JsonNode.Parse(
                    (ExperimentJson.ofExperiment experiment).ToJsonString()
                )

            let other =
                { plain with Name = "other" }
                |> rule Rule.bptt
                |> seed 4
                |> stopAtLoss 0.5
                |> fun e -> {
                    e with
                        Circuit =
                            e.Circuit
                            |> Circuit.mapArea "cortex" (tau 20.0<ms>)
                            |> Circuit.mapProjection "cortex->y" (learningRate 0.5)
                }

            let found = Differences.between [ json plain; json other ]

            Expect.equal
                (set [
                    for part, word, _ in found do
                        if part <> "rule" then
                            part, word
                ])
                (set [
                    "area cortex", "tau"
                    "projection cortex->y", "learningRate"
                    "experiment", "seed"
                    "stopping", "stopAtLoss"
                ])
                "words"

            Expect.contains found ("rule", "rule", [ "rflo"; "bptt" ]) "rule"
            Expect.contains found ("area cortex", "tau", [ "10"; "20" ]) "tau"
            Expect.contains found ("experiment", "seed", [ "1"; "4" ]) "seed"
            Expect.contains found ("stopping", "stopAtLoss", [ ""; "0.5" ]) "what one does not say"

            Expect.equal
                (Differences.between [ json plain; json { plain with Name = "x" } ])
                []
                "names"
        }

        test "write one page with curves, a table, circuits, differences and alignments" {
            inFolder (fun folder ->
                let at name = Path.Combine(folder, name)
                runInto (at "a") plain
                runInto (at "b") ({ plain with Name = "exact" } |> rule Rule.bptt)
                let out = at "page"

                Expect.equal
                    (CompareRuns.run [ at "a"; at "b"; "--out"; out ])
                    ExitCode.Done
                    "exit code"

                let page = File.ReadAllText(Path.Combine(out, "comparison.html"))

                for words in
                    [
                        "2 runs ended as they should"
                        "What the declarations say differently"
                        "Alignment of areas"
                        "Circuits"
                        "Loss v. time"
                        FinalLoss.meaning
                    ] do
                    Expect.stringContains page words "page"

                let a, b = Run.load (at "a"), Run.load (at "b")
                let losses = File.ReadAllLines(Path.Combine(out, "losses.csv"))
                Expect.equal losses.Length 13 "a row a trial"
                let last = (Array.last losses).Split ','

                Expect.equal
                    [ for cell in last -> float cell ]
                    [ 11.0; Array.last a.Losses; Array.last b.Losses ]
                    "losses"

                let final = File.ReadAllLines(Path.Combine(out, "final.csv"))
                Expect.stringContains final[1] $"%.4g{FinalLoss.ofLosses a.Losses}" "final loss"

                // The alignment of the two areas is that of the words of analysis.
                let rates (run: LoadedRun) =
                    Rflo.Analysis.TrialSet.Of [| run.After.Rates["cortex"] |]

                let alignment = Population.alignment (rates a) (rates b)

                Expect.stringContains
                    (File.ReadAllText(Path.Combine(out, "alignment.csv")))
                    $",%.3f{alignment}"
                    "alignment"

                Expect.isTrue (File.Exists(Path.Combine(out, "loss.svg"))) "figure")
        }

        test "rank by validations where runs validate, and do not align what was shown other trials" {
            inFolder (fun folder ->
                let at name = Path.Combine(folder, name)
                runInto (at "a") (plain |> validate 6 2 |> trials 6)
                runInto (at "b") ({ plain with Name = "long" } |> validate 6 2 |> trials 60)

                let periodic = Periodic.experiment 8 30 |> trials 2
                runInto (at "c") { periodic with Name = "slow" }
                let runs = RunComparison.read [ at "a"; at "b"; at "c" ]
                let heads, rows = RunComparison.table runs
                Expect.contains heads "validation loss" "heads"

                let loss name =
                    (Run.load (at name)).Probes["validation loss"].Values |> Array.last

                let first = if loss "a" <= loss "b" then "periodic" else "long"
                Expect.equal rows.Head.Head first "the best is first"
                Expect.equal (List.last rows).Head "slow" "one without a validation is last"

                Expect.stringContains
                    (RunComparison.legend runs)
                    "best first, by the loss of the last validation; runs without one are last"
                    "legend"

                let _, aligned, notes = RunComparison.alignments runs
                Expect.equal aligned.Length 1 "pairs that were shown the same"

                Expect.exists
                    notes
                    (fun note -> note.Contains "periodic and slow: test trial 0 is not the same")
                    "the others")
        }

        test "refuse what is no comparison" {
            inFolder (fun folder ->
                let place = Path.Combine(folder, "a")
                runInto place plain

                for words, said in
                    [
                        [], "a comparison needs two run folders or more"
                        [ place ], "a comparison needs two run folders or more"
                        [ place; place + "/" ], "is given 2 times; name each run once"
                        [ place; place + "-none" ], "manifest.json"
                        [ place; place + "b"; "--oot"; "x" ],
                        "there is no option --oot; did you mean --out?"
                    ] do
                    let code, complained = refused words
                    Expect.equal code ExitCode.Arguments $"%A{words}"
                    Expect.stringContains complained said $"%A{words}")
        }
    ]
    |> testSequenced

/// Quick forms of the paper's reproduction: what is robust after a few hundred trials, each beside a control that fails;
/// and what the command does beside running.
module Rflo.Host.Tests.ReproductionTests

open System
open System.IO
open System.Net
open System.Threading
open System.Threading.Tasks
open Expecto
open MathNet.Numerics.Distributions
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Runs
open Rflo.Host
open Rflo.Reproductions.Murray2019
open Rflo.Host.Tests.Processes

module C = Conditions

let private size count seeds = {
    Seeds = seeds
    Trials = fun _ -> count
    IsQuick = true
}

/// A figure that has conditions only.
let private running conditions = {
    Id = "test"
    Title = "Test"
    About = ""
    Notes = []
    Conditions = conditions
    Claims = []
    Panels = fun _ -> []
}

let private settings folder = {
    Sweeps.into (Path.Combine(folder, "runs")) with
        Jobs = 2
        Quiet = true
}

/// Runs conditions in a folder that is gone afterwards; their weights are kept.
let private ran size conditions =
    let mutable results = Map.empty

    inFolder (fun folder ->
        results <- Reproduce.run (settings folder) size [ running conditions ]

        for run in Seq.concat (Map.values results) do
            run.Final.Force() |> ignore)

    results

/// A period of 200 steps: both rules, what they learn alone, Dale's law.
let private periods =
    lazy
        (ran (size 1000 3) (fun size -> [
            yield! C.ofPeriod size 200
            yield! C.ofAblations size
            yield! C.ofDale size 200
        ]))

/// Delays up to 120 ms, learned by BPTT, and by nobody.
let private intervals =
    lazy
        (ran (size 1000 1) (fun size ->
            let made count =
                Models.ofInterval {
                    Models.interval Rule.bptt 0.01 120.0<ms> with
                        Trials = count
                }

            [
                Condition.alone "trained" Beyond (made (size.Trials 1000))
                Condition.alone "untrained" Beyond (made 0)
            ]))

let private finals key = Runs.finals periods.Value key
let private median key = Runs.median (finals key)

let private alignments key =
    Runs.of' periods.Value key |> List.map (fun run -> Array.last run.Alignment)

let private perform (run: PaperRun) weights task =
    match Run.performWith weights run.Experiment task 1 with
    | Ok shown -> (List.exactlyOne shown).Loss
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "; ")

let private asked =
    let wave k t =
        sin (2.0 * Math.PI * float k * float (t + 1) / 200.0)

    Array.init 200 (fun t -> wave 1 t + 0.5 * wave 2 t + 0.25 * wave 4 t)

let private arrays (targets: float[]) =
    Task.ofArrays (Array2D.zeroCreate 200 0) (Array2D.init 200 1 (fun t _ -> targets[t]))

/// RFLO whose feedback is another in every trial; the alignment with that of its last trials.
let private redrawn seed =
    let make = Models.ofPeriodic { Models.periodic with Trials = 1 }
    let random = Random(seed: int)

    let train (circuit: Circuit) =
        let drawn =
            Array2D.init 30 1 (fun _ _ -> Normal.Sample(random, 0.0, 1.0)) |> feedbackMatrix

        let feedback = circuit.Feedback |> List.map (through drawn)

        match
            Run.train {
                make with
                    Seed = int64 seed
                    Circuit = { circuit with Feedback = feedback }
            }
        with
        | Ok trained -> trained
        | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "; ")

    ((make.Circuit, []), [ 1..500 ])
    ||> List.fold (fun (circuit, found) _ ->
        let trained = train circuit

        Circuit.withWeights trained.Final make.Circuit,
        Array.last (Seq.exactlyOne (Map.values trained.Alignments)) :: found)
    |> snd
    |> List.truncate 100
    |> List.average

/// Weights that go against the sign of most of their column.
let private mixed (weights: Matrix<float>) =
    weights.EnumerateColumns()
    |> Seq.sumBy (fun column ->
        min
            (column |> Seq.filter (fun w -> w > 0.0) |> Seq.length)
            (column |> Seq.filter (fun w -> w < 0.0) |> Seq.length))

let private recurrent (run: PaperRun) = run.Final.Value["cortex->cortex"]

let private robust =
    testList "finds" [
        test "that the loss falls, and RFLO comes within a factor of BPTT" {
            let untrained =
                Runs.of' periods.Value (C.rflo 200) |> List.map Runs.firstLoss |> Runs.median

            let rflo, bptt = median (C.rflo 200), median (C.bptt 200)
            Numbers.isLessThan rflo (untrained / 5.0) $"RFLO {rflo}, untrained {untrained}"
            Numbers.isLessThan bptt (untrained / 5.0) $"BPTT {bptt}, untrained {untrained}"
            Numbers.isLessThan rflo (30.0 * bptt) $"RFLO {rflo}, BPTT {bptt}"
        }

        test
            "that it has learned the target: not the same numbers at other times, nor with another readout" {
            for run in Runs.of' periods.Value (C.rflo 200) do
                let weights = run.Final.Value
                let own = perform run weights (arrays asked)
                Numbers.isLessThan own 0.1 "its target"
                let order = Array.init 200 (fun t -> 77 * t % 200)
                let shuffled = order |> Array.map (fun t -> asked[t])
                Numbers.isGreaterThan (perform run weights (arrays shuffled)) 0.25 "permuted"
                let silent = weights |> Map.add "cortex->y" (Matrix<float>.Build.Dense(1, 30))
                Numbers.isGreaterThan (perform run silent (arrays asked)) 0.25 "no readout"
        }

        test
            "that readout and feedback align under RFLO, and not under BPTT or where feedback is redrawn" {
            let rflo, bptt = alignments (C.rflo 200), alignments (C.bptt 200)
            Numbers.isGreaterThan (List.min rflo) 0.3 $"RFLO %A{rflo}"
            Numbers.isLessThan (abs (Runs.median bptt)) 0.25 $"BPTT %A{bptt}"
            let other = [ 1..3 ] |> List.map redrawn
            Numbers.isLessThan (List.max other) 0.15 $"redrawn %A{other}"
        }

        test "that the recurrent weights alone fail, and the readout alone does worse" {
            let both = median (C.rflo 200)
            let readout, recurrent = median C.readoutOnly, median C.recurrentOnly
            Numbers.isGreaterThan recurrent 0.15 $"recurrent only {recurrent}"
            Numbers.isGreaterThan recurrent (3.0 * both) $"recurrent only {recurrent}, both {both}"
            Numbers.isGreaterThan readout (1.5 * both) $"readout only {readout}, both {both}"
        }

        test "that a network under Dale's law learns with its signs intact; a free one mixes them" {
            let runs = Runs.of' periods.Value (C.dale 200)
            let first, last = runs |> List.map Runs.firstLoss, finals (C.dale 200)

            Numbers.isLessThan (Runs.median last) (Runs.median first / 2.0) $"%A{first} to %A{last}"

            Expect.allEqual (runs |> List.map (recurrent >> mixed)) 0 "wrong signs"

            for run in Runs.of' periods.Value (C.rflo 200) do
                Numbers.isGreaterThan (mixed (recurrent run)) 0 "a free network"
        }

        test "that BPTT's intervals follow the asked ones, and an untrained network's do not" {
            let longest = 120.0<ms>

            let timings =
                Map.map
                    (fun _ ->
                        List.exactlyOne >> TestTrials.intervals (ReadySetGo.upTo longest) longest)
                    intervals.Value

            let slope, error = TestTrials.timing timings["trained"]
            let none, _ = TestTrials.timing timings["untrained"]
            Numbers.isGreaterThan slope 0.6 $"slope of %A{timings}"
            Numbers.isLessThan error 15.0 $"error in ms of %A{timings}"
            Numbers.isLessThan none 0.2 "untrained slope"
        }
    ]

// ---- the command --------------------------------------------------------------------------------

/// Files of run folders with the times at which they were written.
let private written place = [
    for file in Directory.EnumerateFiles(place, "*", SearchOption.AllDirectories) |> Seq.sort do
        if Path.GetDirectoryName file <> place && not (file.EndsWith ".new") then
            file, File.GetLastWriteTimeUtc file
]

let private losses (results: PaperResults) =
    results |> Map.map (fun _ -> List.map (fun run -> run.Seed, run.Losses))

let private refused arguments (message: string) =
    inFolder (fun folder ->
        let ended = rflo folder ("reproduce" :: arguments)
        Expect.equal ended.Code 2 "exit code"
        Expect.stringContains ended.Errors message "message"
        Expect.isEmpty (Directory.GetFileSystemEntries folder) "files")

let private command =
    testList "reproduce" [
        test "lists the figures" {
            inFolder (fun folder ->
                let ended = rflo folder [ "reproduce"; "list" ]
                Expect.equal ended.Code 0 "exit code"

                for figure in
                    [
                        yield! Figure2.all @ Supplements.all |> List.map _.Id
                        "fig3"
                        "fig4"
                        "appendix"
                    ] do
                    Expect.stringContains ended.Output figure "list")
        }

        test "names a figure that there is not, and a wrong number" {
            refused [ "fig2e" ] "no figure is named fig2e"
            refused [ "fig2a"; "--seeds"; "0" ] "--seeds is '0'"
        }

        test "goes on where it was stopped, and runs nothing twice" {
            inFolder (fun folder ->
                use source = new CancellationTokenSource()
                let oneByOne = { settings folder with Jobs = 1 }

                // The first run that finds another one finished stops all.
                let stopped _ =
                    if
                        Directory.Exists oneByOne.Place
                        && not (
                            Seq.isEmpty (
                                Directory.EnumerateFiles(
                                    oneByOne.Place,
                                    RunFileNames.Manifest,
                                    SearchOption.AllDirectories
                                )
                            )
                        )
                    then
                        source.Cancel()

                    0.0

                let stopping (condition: Condition) = {
                    condition with
                        Make = condition.Make >> probe 10 [ Probe.custom "stopped" stopped ]
                }

                let figures = [
                    running (fun size -> C.ofPeriod size 200 |> List.map stopping)
                ]

                let size = size 400 2
                let undisturbed = Path.Combine(folder, "undisturbed")
                let whole = Reproduce.run (settings undisturbed) size figures |> losses

                Expect.throwsT<OperationCanceledException>
                    (fun () ->
                        Reproduce.run
                            {
                                oneByOne with
                                    Cancellation = source.Token
                            }
                            size
                            figures
                        |> ignore)
                    "stopped after the first run"

                let resumed = Reproduce.run oneByOne size figures |> losses
                Expect.equal resumed whole "losses"
                let before = written oneByOne.Place
                Expect.equal (Reproduce.run oneByOne size figures |> losses) whole "again"
                Expect.equal (written oneByOne.Place) before "nothing was written")
        }

        test "writes a page that holds every claim, and a table" {
            inFolder (fun folder ->
                let figure = Supplements.supplement2

                let ended =
                    rflo folder [
                        "reproduce"
                        figure.Id
                        "--quick"
                        "--seeds"
                        "1"
                        "--out"
                        "out"
                    ]

                Expect.equal ended.Code 0 $"exit code ({ended.Errors})"

                let read name =
                    File.ReadAllText(Path.Combine(folder, "out", name))

                let page, table = read $"{figure.Id}.html", read "claims.md"

                for claim in figure.Claims do
                    for words in [ claim.Id; claim.Text; claim.Threshold; claim.Source ] do
                        Expect.stringContains page (nonNull (WebUtility.HtmlEncode words)) "page"

                    Expect.stringContains table claim.Text "table"
                    Expect.stringContains ended.Output claim.Text "output"

                Expect.stringContains page "Quick form" "page"

                for note in figure.Notes do
                    Expect.stringContains page (nonNull (WebUtility.HtmlEncode note)) "notes")
        }
    ]

[<Tests>]
let tests = testList "the reproduction" [ robust; command ]

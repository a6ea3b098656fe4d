/// What is printed is true: numbers in reports and comparisons are read back and held against the arrays of the run.
module Rflo.Host.Tests.PrintedTests

open System
open System.Threading
open Expecto
open FsCheck
open FsCheck.FSharp
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host
open Rflo.Testing
open Rflo.Host.Tests.Parsing

let private isLong = Environment.GetEnvironmentVariable "RFLO_LONG" = "1"

/// Random experiments over everything that can be declared, a few trials long.
let private samples usual long =
    let size, seed = 12, (if isLong then uint64 DateTime.UtcNow.Ticks else 43299UL)

    Generate.experiments
    |> Gen.map (fun experiment -> {
        experiment with
            Trials = min 5 (4 * experiment.Trials)
            Stopping = Stopping.never
            Probes = []
    })
    |> Gen.sampleWithSeed (Rnd seed) size (if isLong then long else usual)

let private trained (experiment: Experiment) =
    match Check.experiment experiment with
    | Ok ready -> Some(Run.checkedExperiment (fun _ _ -> ()) CancellationToken.None ready)
    | Error _ -> None

let private runs usual long =
    samples usual long |> Array.choose trained

let private pageOf trained =
    RunRecord.ofTrained DateTimeOffset.UnixEpoch [] None trained |> Report.html

/// The same number, or none in both.
let private same (a: float) (b: float) =
    a = b || (not (Double.IsFinite a) && not (Double.IsFinite b))

let private expectSame what (expected: float[]) (found: float[]) =
    Expect.equal found.Length expected.Length $"length of {what}"
    Expect.isTrue (Array.forall2 same expected found) $"%s{what}: %A{found} instead of %A{expected}"

let private column k (matrix: Matrix<float>) = matrix.Column(k).ToArray()

/// Every readout with the place of its first output among the targets, in the order of declaration.
let private readoutsOf (experiment: Experiment) =
    let readouts = experiment.Circuit.Readouts
    let firsts = readouts |> List.scan (fun first readout -> first + readout.Outputs) 0
    List.zip readouts (List.truncate readouts.Length firsts) |> List.indexed

let private asked place (activity: Activity) =
    Array.map2
        (fun target weight -> if weight = 0.0 then nan else target)
        (column place activity.Targets)
        (column place activity.Mask)

/// The traces of an output and of its target: of several on one axis each has the label of the output.
let private tracesOf (readout: Readout) k (figure: Figure) =
    let labelled name =
        figure.Traces |> List.filter (fst >> (=) name) |> List.map snd

    if readout.Outputs = 1 then
        List.exactlyOne (labelled "output"), List.exactlyOne (labelled "target")
    else
        List.exactlyOne (labelled $"{readout.Name} {k}"),
        List.exactlyOne (labelled $"{readout.Name} {k} target")

/// Outputs of a readout that a report draws.
let private mostOutputs = 6

let private expectOutputs what (readout: Readout, first) (activity: Activity) figure =
    for k in 0 .. min mostOutputs readout.Outputs - 1 do
        let output, target = tracesOf readout k figure
        expectSame $"target {k} of {what}" (asked (first + k) activity) target
        expectSame $"output {k} of {what}" (column k activity.Outputs[readout.Name]) output

    if readout.Outputs > mostOutputs then
        Expect.stringContains figure.Caption $"{mostOutputs} of {readout.Outputs} outputs" "says so"

let private find title figures =
    figures |> List.tryFind (fun figure -> figure.Title = title)

/// Words that a definition of a loss has, and no other has.
let private words (readout: Readout) =
    match readout.Output, readout.LossOrNatural with
    | Output.Sigmoid, (:? Rflo.Core.CrossEntropy) -> [ "binary cross-entropy" ]
    | _, (:? Rflo.Core.SquaredError as loss) -> [ loss.Formula; "|y*(t) − y(t)|²" ]
    | _, loss -> [ loss.Formula ]

/// What a caption says of a loss, against the readouts that it is of.
let private expectDefinition (experiments: Experiment list) (caption: string) =
    let readouts =
        experiments |> List.collect (fun experiment -> experiment.Circuit.Readouts)

    for readout in readouts do
        Expect.exists
            (words readout)
            caption.Contains
            $"{readout.Output}, {readout.LossOrNatural}: {caption}"

    let others: Readout list = [
        readout "y" 1
        readout "y" 1 |> output Output.sigmoid
        readout "y" 1 |> output softmax
        readout "y" 1 |> output Output.exponential
    ]

    let said = readouts |> List.collect words

    if not readouts.IsEmpty then
        for other in others do
            for word in words other do
                if not (List.contains word said) then
                    Expect.isFalse (caption.Contains word) $"{word} is no loss of these: {caption}"

/// The final loss by its definition.
let private final (trained: Trained) =
    let counted = trained.Losses |> Array.filter (Double.IsNaN >> not)

    if trained.Status.End = RunEnd.Diverged || counted.Length = 0 then
        nan
    else
        Array.average (Array.rev counted |> Array.truncate 200 |> Array.rev)

let private holds (trained: Trained) =
    let experiment = trained.Experiment
    let html = pageOf trained
    let figures = figures html

    for place, (readout, first) in readoutsOf experiment do
        for moment, activity in [ "before", trained.Before; "after", trained.After ] do
            match find $"{readout.Name} {moment} training" figures with
            | Some figure ->
                expectOutputs $"{readout.Name} {moment}" (readout, first) activity figure
            | None ->
                Expect.isTrue
                    (place >= 4 || activity.Targets.RowCount = 0)
                    $"{readout.Name} is shown"

                if place >= 4 then
                    Expect.stringContains html "readouts are shown; activity.npz has all" "says so"

    let loss = find "Loss" figures |> Option.get
    expectDefinition [ experiment ] loss.Caption

    let positive =
        trained.Losses |> Array.filter (fun loss -> loss > 0.0 && Double.IsFinite loss)

    expectSame "losses" positive (loss.Traces |> List.collect (snd >> List.ofArray) |> Array.ofList)
    let without = trained.Losses |> Array.filter Double.IsNaN |> Array.length

    Expect.equal
        (loss.Caption.Contains $" {without} trials have no loss")
        (without > 0)
        "trials without a loss"

    let tiles = tiles html
    Expect.equal tiles["trials"] (string trained.Losses.Length) "trials"

    match tiles |> Map.toList |> List.tryFind (fst >> _.StartsWith("final loss")) with
    | Some(label, value) ->
        Expect.equal value $"%.4g{final trained}" "final loss"
        let counted = trained.Losses |> Array.filter (Double.IsNaN >> not)
        Expect.stringContains label $"the last {min 200 counted.Length} trials" "of so many trials"
    | None -> Expect.isFalse (Double.IsFinite(final trained)) "no final loss"

    // Only what something learns by is spoken of as a way of the error.
    let used = [
        for feedback in experiment.Circuit.Feedback do
            if ErrorPaths.isUsed experiment feedback then
                $"{feedback.Readout}->{feedback.Area}"
    ]

    for tile in tiles.Keys |> Seq.filter _.StartsWith("alignment ") do
        Expect.contains used (tile.Substring 10) "an alignment of a feedback that is used"

    for heading, sentence in terms html do
        if heading.StartsWith "Feedback " then
            Expect.equal
                (sentence.Contains "Nothing learns by it")
                (not (List.contains (heading.Substring 9) used))
                heading

/// Several runs beside each other, whatever they have in common.
let private compared (a: Trained, b: Trained) =
    let named name (trained: Trained) = {
        trained with
            Trained.Experiment = { trained.Experiment with Name = name }
    }

    let runs = [ named "one" a; named "two" b ]
    let html = Comparison.html "both" ("well", true) runs
    let figures = figures html

    for trained in runs do
        let several =
            runs
            |> List.collect (fun run -> run.Experiment.Circuit.Readouts |> List.map _.Name)
            |> List.distinct
            |> List.length

        for _, (readout, place) in readoutsOf trained.Experiment do
            if trained.After.Targets.RowCount > 0 then
                let what =
                    if several = 1 then
                        "Output"
                    else
                        $"Output of {readout.Name}"

                let title =
                    $"{what} after {trained.Losses.Length} trials of {trained.Experiment.Name}"

                let figure = find title figures
                Expect.isSome figure title

                let trace name =
                    figure.Value.Traces |> List.find (fst >> (=) name) |> snd

                expectSame $"target of {title}" (asked place trained.After) (trace "target")

                expectSame
                    $"output of {title}"
                    (column 0 trained.After.Outputs[readout.Name])
                    (trace "output")

        let value = (tiles html)[$"final loss, {trained.Experiment.Name}"]

        if Double.IsFinite(final trained) then
            Expect.equal value $"%.4g{final trained}" "tile"

        Expect.equal value (List.item 2 (Comparison.row runs trained)) "table"

    expectDefinition [ a.Experiment; b.Experiment ] (find "Loss" figures).Value.Caption

[<Tests>]
let tests =
    testList "what is printed" [
        test
            "reports show each output against its own target, and the loss and the ways of the error that there are" {
            let runs = runs 40 600
            Array.iter holds runs

            let isOf several =
                runs
                |> Array.filter (fun run -> several run.Experiment.Circuit.Readouts)
                |> Array.length

            Numbers.isGreaterThan (isOf (fun readouts -> readouts.Length > 1)) 5 "several readouts"

            Numbers.isGreaterThan
                (isOf (List.exists (fun readout -> readout.Output <> Output.Linear)))
                5
                "kinds of outputs"
        }

        test "a comparison shows each output of each run against that run's own target" {
            runs 20 400 |> Array.pairwise |> Array.iter compared
        }

        test "the final loss is the same mean wherever it is said" {
            let plan = Periodic.experiment 4 10 |> trials 230

            let run = (trained plan).Value
            let expected = Array.average run.Losses[30..]
            let record = RunRecord.ofTrained DateTimeOffset.UnixEpoch [] None run
            Expect.equal record.Manifest.FinalLoss expected "manifest"
            Expect.equal (List.item 2 (Comparison.row [ run ] run)) $"%.4g{expected}" "comparison"

            let shown = tiles (Report.html record)

            Expect.equal
                shown["final loss (mean of the last 200 trials)"]
                $"%.4g{expected}"
                "report"

            Expect.stringContains
                (Printers.trained run)
                $"-> %.4g{expected} (mean of the last 200)"
                "printed"
        }

        test "the time of a step is a median after the warm-up, or is not said" {
            let steps = Array.create 3000 10
            // A slow beginning, as machine code has that is not yet optimized.
            let seconds = Array.init 3000 (fun k -> if k < 1500 then 1e-3 else 2e-5)
            Expect.equal (Speed.microseconds seconds steps) (Some 2.0) "of the second half"

            let varied = Array.init 3000 (fun k -> 1 + k % 7)
            let times = varied |> Array.map (fun steps -> 3e-6 * float steps)

            Expect.floatClose
                Accuracy.veryHigh
                (Speed.microseconds times varied).Value
                3.0
                "of each trial's own steps"

            Expect.isNone (Speed.microseconds seconds[..99] steps[..99]) "too few trials, too short"
            Expect.isNone (Speed.microseconds [||] [||]) "no trials"
        }
    ]

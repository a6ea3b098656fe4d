/// The figures of a page as files: all numbers that a figure draws, each once and under its own name.
module Rflo.Host.Tests.FigureFilesTests

open System
open System.Globalization
open System.IO
open System.Text.RegularExpressions
open System.Threading
open Expecto
open Plotly.NET
open Rflo.Dsl
open Rflo.Runs
open Rflo.Host
open Rflo.Host.Tests.Processes

let private panel title chart = {
    Title = title
    Caption = ""
    IsWide = false
    Height = 300
    Chart = chart
}

let private figure x y curves =
    curves |> Style.figure (Style.axis x) (Style.axis y) |> panel "A figure"

let private numbersOf (panel: Panel) =
    FigureFiles.numbers (FigureJson.ofChart panel.Chart)

let private read (text: string) =
    Double.Parse(text, CultureInfo.InvariantCulture)

/// The points of a curve in a table of three columns.
let private pointsOf name (rows: string list list) = [
    for row in rows do
        if row.Head = name then
            read row[1], read row[2]
]

/// Numbers of every size, with some that are none.
let private drawn (random: Random) count =
    Array.init count (fun _ ->
        match random.Next 8 with
        | 0 -> nan
        | 1 -> infinity
        | _ -> (random.NextDouble() - 0.5) * 10.0 ** float (random.Next(-12, 12)))

/// Two areas under a perturbation, two outputs on one readout: every kind of figure that a report has.
let private rich =
    let a, b = area "a" 8, area "b" 4
    let x, y = input "x" 1, readout "y" 2

    let network =
        circuit [
            x --> a
            a --> b |> learningRate 0.1
            a --> a |> weights (gaussian 1.2) |> learningRate 0.1
            b --> y |> learningRate 0.1
        ]
        |> feedback [ errorOf y --> a; errorOf y --> b ]

    Task.ofArrays (Array2D.create 12 1 0.5) (Array2D.init 12 2 (fun t k -> sin (float (t + k))))
    |> experiment "rich" network
    |> perturb [ silence b |> betweenTimes 3.0<ms> 6.0<ms> ]
    |> probe 1 [ Probe.rates a ]
    |> validate 4 10
    |> trials 30

let private record =
    lazy
        (match Check.experiment rich with
         | Error problems -> failtest $"{List.map Problem.text problems}"
         | Ok ready ->
             Run.checkedExperiment (fun _ _ -> ()) CancellationToken.None ready
             |> RunRecord.ofTrained DateTimeOffset.UtcNow [] None)

[<Tests>]
let tests =
    testList "figures as files" [
        test "have each finite point of each curve with a name, to the last bit" {
            for seed in 1..50 do
                let random = Random seed

                let curves = [
                    for k in 0 .. random.Next 4 ->
                        let count = 1 + random.Next 20
                        $"curve, \"{k}\"", drawn random count, drawn random count
                ]

                let heads, rows =
                    [
                        for name, x, y in curves do
                            if random.Next 2 = 0 then
                                Style.line name Style.blue 2.0 x y
                            else
                                Style.points name (TraceObjects.Marker.init (Size = 5)) x y

                            Style.guide Style.grey StyleParam.DrawingStyle.Dot [| 0.0; 1.0 |] [|
                                1.0
                                1.0
                            |]
                    ]
                    |> figure "time (ms)" "rate"
                    |> numbersOf

                Expect.equal heads [ "curve"; "time (ms)"; "rate" ] "titles of the axes"

                let finite = [
                    for name, x, y in curves do
                        for x, y in Array.zip x y do
                            if Double.IsFinite x && Double.IsFinite y then
                                name, x, y
                ]

                Expect.equal
                    [ for row in rows -> row.Head, read row[1], read row[2] ]
                    finite
                    $"points (seed {seed})"
        }

        test "have both ends of a band, and no numbers of shades" {
            let x = [| 1.0; 2.0 |]

            let _, rows =
                [
                    yield! Style.shade "target counts" Style.band x [| 0.0; 0.0 |] [| 9.0; 9.0 |]
                    yield! Style.between "quartiles" Style.band x [| 3.0; 4.0 |] [| 5.0; 6.0 |]
                    yield! Style.between "" Style.band x [| 1.0; 1.0 |] [| 2.0; 2.0 |]
                ]
                |> figure "x" "y"
                |> numbersOf

            Expect.equal
                rows
                [
                    [ "quartiles, lower end"; "1"; "3" ]
                    [ "quartiles, lower end"; "2"; "4" ]
                    [ "quartiles, upper end"; "1"; "5" ]
                    [ "quartiles, upper end"; "2"; "6" ]
                ]
                "rows"
        }

        test "have the values of curves that are moved up, under a head of their own" {
            let chart =
                Figures.activity "Rates" Style.blue 0.5 [| 1.0; 2.0 |] [
                    "a 0", [| 0.25; -0.5 |]
                    "a 1", [| 0.125; 0.0 |]
                ]

            let heads, rows = numbersOf chart
            Expect.equal heads [ "curve"; "time (ms)"; "value" ] "heads"
            Expect.equal (pointsOf "a 0" rows) [ 1.0, 0.25; 2.0, -0.5 ] "the first unit"
            Expect.equal (pointsOf "a 1" rows) [ 1.0, 0.125; 2.0, 0.0 ] "the second unit"
        }

        test "have the names that stand at places of an axis, and the numbers of logarithmic ones" {
            let rowsOn axis =
                [
                    Style.points "points" (TraceObjects.Marker.init (Size = 5)) [| 1.0; 2.0; 2.5 |] [|
                        3.0
                        4.0
                        5.0
                    |]
                ]
                |> Style.figure axis (Style.axis "loss")
                |> panel "A figure"
                |> numbersOf
                |> snd
                |> List.map (fun row -> row[1])

            Expect.equal
                (rowsOn (Style.namedAxis "rule" [| "rflo"; "bptt" |]))
                [ "rflo"; "bptt"; "2.5" ]
                "rules"

            Expect.equal (rowsOn (Style.logAxis "rate" (1.0, 100.0))) [ "1"; "2"; "2.5" ] "rates"
        }

        test "have names of letters, digits and hyphens, each its own" {
            let chart () =
                (figure "x" "y" [ Style.line "a" Style.blue 1.0 [| 0.0 |] [| 0.0 |] ]).Chart

            let names =
                [
                    "Loss"
                    "Weights of a->b"
                    "Weights of a b"
                    "weights of A b 2"
                    "Weights of a, b"
                    "→"
                    "../x"
                ]
                |> List.map (fun title -> panel title (chart ()))
                |> FigureFiles.named
                |> List.map fst

            Expect.equal
                names
                [
                    "loss"
                    "weights-of-a-b"
                    "weights-of-a-b-2"
                    "weights-of-a-b-2-2"
                    "weights-of-a-b-3"
                    "figure"
                    "x"
                ]
                "names"
        }

        test "of a report are all of its figures" {
            let _, sections = Report.page record.Value
            let panels = Page.panels sections

            inFolder (fun folder ->
                let written, leftOut = FigureFiles.write folder panels
                Expect.isEmpty leftOut "each has an SVG"
                Expect.hasLength written panels.Length "all"

                Expect.equal
                    (Directory.GetFiles folder |> Array.map Path.GetFileName |> Array.sort)
                    (Array.sort [|
                        for name in written do
                            $"{name}.csv"
                            $"{name}.svg"
                    |])
                    "files"

                let clips = [
                    for name in written do
                        let svg = File.ReadAllText(Path.Combine(folder, $"{name}.svg"))

                        match List.ofSeq (Regex.Matches(svg, "id=\"([^\"]*)\"")) with
                        | [ id ] ->
                            Expect.stringContains svg $"url(#{id.Groups[1].Value})" "it is used"
                            id.Groups[1].Value
                        | found -> failtest $"{name} has {found.Length} names"
                ]

                Expect.equal (List.distinct clips) clips "they can stand on one page"

                // Numbers of the run, not of the drawing.
                let table = File.ReadAllLines(Path.Combine(folder, "loss.csv")) |> List.ofArray
                let _, losses = record.Value.Metrics |> List.find (fst >> (=) "loss")

                Expect.equal
                    (table.Tail |> List.map (fun line -> read (line.Split(',')[2])))
                    (List.ofArray losses)
                    "losses"

                // An output and its target have a name each.
                let curves =
                    File.ReadAllLines(Path.Combine(folder, "y-after-training.csv"))
                    |> Array.tail
                    |> Array.map (fun line -> (line.Split(','))[0])
                    |> Array.distinct
                    |> List.ofArray

                Expect.equal
                    (List.sort curves)
                    [ "y 0"; "y 0 target"; "y 1"; "y 1 target" ]
                    "curves")
        }

        test "are left out where a chart has no SVG, by name" {
            inFolder (fun folder ->
                let map = Chart.Heatmap(zData = [| [| 1.0 |] |], UseDefaults = false)

                let written, leftOut =
                    FigureFiles.write folder [
                        panel "A map" map
                        figure "x" "y" [ Style.line "a" Style.blue 1.0 [| 0.0 |] [| 0.0 |] ]
                    ]

                Expect.equal written [ "a-figure" ] "the other"
                Expect.equal (List.map fst leftOut) [ "A map" ] "title"
                Expect.stringContains (snd leftOut.Head) "heatmap" "why")
        }

        test
            "are written by rflo report --figures, which keeps the report that there is where it cannot" {
            inFolder (fun folder ->
                let name = "a"
                let place = Path.Combine(folder, name)

                Host.runWith [| "--out"; place; "--quiet" |] rich
                |> fun code -> Expect.equal code 0 "training"

                let made = rflo folder [ "report"; name; "--figures" ]
                Expect.equal made.Code 0 $"exit code ({made.Errors})"
                let figures = Path.Combine(place, "figures")
                Expect.stringContains made.Output figures "where they are"
                Expect.isTrue (File.Exists(Path.Combine(figures, "loss.svg"))) "an SVG"
                Expect.isTrue (File.Exists(Path.Combine(figures, "loss.csv"))) "its numbers"

                // A file stands where the folder has to be.
                let report = Path.Combine(place, RunFileNames.Report)
                let before = File.ReadAllText report
                Directory.Delete(figures, true)
                File.WriteAllText(figures, "")
                let failed = rflo folder [ "report"; name; "--figures" ]
                Expect.equal failed.Code ExitCode.EndedEarly "exit code"
                Expect.stringContains failed.Errors figures "what cannot be written"
                Expect.isFalse (failed.Errors.Contains "   at ") "no stack trace"
                Expect.equal (File.ReadAllText report) before "the report is there")
        }
    ]

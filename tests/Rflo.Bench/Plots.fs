/// The pictures of the documentation.
module Rflo.Bench.Plots

open System
open System.IO
open ScottPlot
open Rflo.Bench.Ceilings
open Rflo.Bench.Curves

let private width, height = 1000, 600

/// A picture with a title and named axes.
let private titled (title: string) (x: string) (y: string) =
    let plot = new Plot()
    plot.Title title
    plot.XLabel x
    plot.YLabel y
    plot.Grid.MinorLineWidth <- 0.5f
    plot

/// Labels of an axis whose numbers are logarithms.
let private logarithmic (axis: IAxis) =
    let label (power: float) =
        let value = 10.0 ** power
        if value >= 1.0 then $"{value:N0}" else $"{value}"

    axis.TickGenerator <-
        TickGenerators.NumericAutomatic(
            MinorTickGenerator = TickGenerators.LogMinorTickGenerator(),
            IntegerTicksOnly = true,
            LabelFormatter = label
        )

/// A plot whose axes are logarithmic in both directions.
let private logLog title x y =
    let plot = titled title x y
    logarithmic plot.Axes.Bottom
    logarithmic plot.Axes.Left
    plot

let private logs points =
    points |> List.map (fst >> log10) |> Array.ofList,
    points |> List.map (snd >> log10) |> Array.ofList

let private add (plot: Plot) name points =
    let xs, ys = logs points
    let line = plot.Add.Scatter(xs, ys)
    line.LegendText <- name
    line.LineWidth <- 2f
    line.MarkerSize <- 6f

/// A line of that slope through a point, as theory has it.
let private guide (plot: Plot) name (x, y) (until: float) slope =
    let xs, ys = logs [ x, y; until, y * (until / x) ** slope ]
    let line = plot.Add.ScatterLine(xs, ys)
    line.LinePattern <- LinePattern.Dashed
    line.Color <- Colors.Gray
    line.LegendText <- name

let private draw folder name (plot: Plot) =
    plot.Font.Set "DejaVu Sans" |> ignore
    plot.Legend.FontSize <- 12f
    plot.ShowLegend(Edge.Right) |> ignore
    plot.SavePng(Path.Combine(folder, name), width, height) |> ignore

let private save folder name (plot: Plot) =
    plot.Axes.AutoScale()
    draw folder name plot

let private curves title x y guides (curves: Curve list) =
    let plot = logLog title x y

    // Ten strong colours, or twice as many where all rules are shown.
    if List.length curves > 10 then
        plot.Add.Palette <- Palettes.Category20()

    for curve in curves do
        if not curve.Points.IsEmpty then
            add plot curve.Name curve.Points

    for name, start, until, slope in guides do
        guide plot name start until slope

    plot

/// Guides of some slopes that begin at the first point of a curve.
let private from (curve: Curve) slopes =
    match List.tryLast curve.Points with
    | None -> []
    | Some(x, y) -> [
        for slope in slopes -> $"N^{slope}", (x, y), 50.0, float slope
      ]

let units folder (measured: Curve list) =
    let named name =
        measured |> List.filter (fun curve -> curve.Name = name)

    curves
        "Time of a step: every rule, T = 100, double precision, one core"
        "units N"
        "microseconds a step"
        [
            for name, slope in [ "rflo", 2; "kf-rtrl", 3; "rtrl", 4 ] do
                for curve in named name do
                    yield! from curve [ slope ]
        ]
        measured
    |> save folder "units.png"

/// One picture for each rule that peers have.
let peers folder (ours: Curve list) (theirs: (string * Curve) list) =
    for rule in compared do
        let name = Work.ruleName rule

        curves
            $"Time of a step: {name}, T = 100, double precision, one core"
            "units N"
            "microseconds a step" [] [
                for curve in ours do
                    if curve.Name = name then
                        { curve with Name = "Rflo.Dsl" }

                for rule, curve in theirs do
                    if rule = name then
                        curve
            ]
        |> save folder $"""peers-{name.Replace(' ', '-')}.png"""

let steps folder measured =
    curves
        "Time of a step over the length of a trial, N = 50"
        "steps T"
        "microseconds a step"
        []
        measured
    |> save folder "steps.png"

let density folder measured =
    curves
        "Time of a step over the fraction of connections that exist, N = 2,000"
        "density"
        "microseconds a step"
        []
        measured
    |> save folder "density.png"

let threads folder (measured: Curve list) =
    let plot =
        titled
            "Two independent runs on two threads, beside one alone"
            "units N"
            "steps a second, times one run"

    logarithmic plot.Axes.Bottom

    for curve in measured do
        let xs = curve.Points |> List.map (fst >> log10) |> Array.ofList
        let line = plot.Add.Scatter(xs, curve.Points |> List.map snd |> Array.ofList)
        line.LegendText <- curve.Name
        line.LineWidth <- 2f
        line.MarkerSize <- 6f

    let twice = plot.Add.HorizontalLine 2.0
    twice.LinePattern <- LinePattern.Dashed
    twice.LegendText <- "two cores"
    plot.Axes.AutoScale()
    plot.Axes.SetLimitsY(0.0, 2.2)
    draw folder "threads.png" plot

/// Bandwidth over the size of what is gone through.
let bandwidth folder (ceilings: Ceilings) =
    let points pick =
        ceilings.Ladder |> List.map (fun rung -> rung.Bytes / 1024.0, pick rung / 1e9)

    curves "Bandwidth of one core" "KiB that are gone through again and again" "GB/s" [] [
        {
            Name = "read"
            Points = points _.Read
        }
        {
            Name = "read and written"
            Points = points _.ReadWrite
        }
    ]
    |> save folder "bandwidth.png"

/// Multiply-adds a second over multiply-adds a byte, under the roofs of this machine.
let roofline folder (ceilings: Ceilings) (reached: Roofline.Reached list) =
    let plot =
        logLog
            "Roofline, double precision, one core"
            "multiply-adds a byte"
            "multiply-adds a second, G"

    let peak = multiplyAdds false ceilings / 1e9
    let lowest = 1.0 / 32.0

    let roof name workingSet =
        let bytes = bytesASecond _.Read workingSet ceilings / 1e9
        guide plot name (lowest, bytes * lowest) (peak / bytes) 1.0

    roof "read from 16 KiB" 16384.0
    roof "read from 512 KiB" 524288.0
    roof "read from 8 MiB" 8388608.0
    roof "read from 128 MiB" 134217728.0
    guide plot "multiply-adds" (lowest, peak) 64.0 0.0

    for name, steps in reached |> List.groupBy (fun step -> Work.ruleName step.Work.Rule) do
        add plot name [
            for step in steps ->
                step.Bound.MultiplyAdds / step.Bound.Bytes,
                step.Bound.MultiplyAdds / step.Microseconds / 1e3
        ]

        // From above to below, the sizes of the table.
        for step in steps do
            let label =
                plot.Add.Text(
                    $" {step.Work.Units}",
                    log10 (step.Bound.MultiplyAdds / step.Bound.Bytes),
                    log10 (step.Bound.MultiplyAdds / step.Microseconds / 1e3)
                )

            label.LabelFontSize <- 10f
            label.LabelFontColor <- Colors.Gray

    save folder "roofline.png" plot

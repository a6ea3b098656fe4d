/// Line plots as SVG: a few curves, few words, readable in light and dark.
module Plot

open System
open System.Globalization

type Curve = {
    Label: string
    /// A class of site.css: "first", "second" or "third".
    Ink: string
    Points: (float * float) list
}

type Panel = {
    Title: string
    Across: string
    IsLog: bool
    Curves: Curve list
}

let private number (value: float) =
    value.ToString("0.##", CultureInfo.InvariantCulture)

let private short (value: float) =
    value.ToString("G3", CultureInfo.InvariantCulture)

/// Round numbers that span a range: decades of a logarithmic axis, about four steps of another.
let private ticks isLog low high =
    if isLog then
        [
            for decade in floor (log10 low) .. ceil (log10 high) -> 10.0 ** decade
        ]
    else
        let rough = (high - low) / 4.0
        let power = 10.0 ** floor (log10 rough)

        let step =
            [ 1.0; 2.0; 5.0; 10.0 ]
            |> List.map ((*) power)
            |> List.find (fun step -> step >= rough)

        [
            floor (low / step) * step .. step .. ceil (high / step) * step
        ]

let private panel (left: float) (panel: Panel) =
    let points = panel.Curves |> List.collect _.Points
    let right = points |> List.map fst |> List.max
    let values = points |> List.map snd
    let marks = ticks panel.IsLog (List.min values) (List.max values)

    let scale value =
        if panel.IsLog then log10 value else value

    let low, high = scale marks.Head, scale (List.last marks)
    let x trial = left + 52.0 + 268.0 * trial / right

    let y value =
        190.0 - 150.0 * (scale value - low) / (high - low)

    [
        $"""<text x="{number (left + 52.0)}" y="22" class="title">{panel.Title}</text>"""

        for mark in marks do
            let height = number (y mark)

            $"""<path class="grid" d="M{number (x 0.0)} {height}H{number (x right)}"/>"""

            $"""<text x="{number (left + 46.0)}" y="{number (y mark + 4.0)}" text-anchor="end">{short mark}</text>"""

        $"""<text x="{number (x 0.0)}" y="208">0</text>"""
        $"""<text x="{number (x right)}" y="208" text-anchor="end">{short right} {panel.Across}</text>"""

        for k, curve in List.indexed panel.Curves do
            let path =
                curve.Points
                |> List.map (fun (trial, value) -> $"{number (x trial)} {number (y value)}")
                |> String.concat "L"

            $"""<path class="curve {curve.Ink}" d="M{path}"/>"""

            let at = left + 52.0 + 105.0 * float k

            $"""<path class="curve {curve.Ink}" d="M{number at} 226h16"/>"""

            $"""<text x="{number (at + 20.0)}" y="230">{curve.Label}</text>"""
    ]

/// Panels side by side, as an element of a page: no file, no script.
let svg (described: string) (panels: Panel list) =
    let width = 340 * panels.Length

    String.concat "\n" [
        $"""<div class="figure"><svg viewBox="0 0 {width} 240" role="img" aria-label="{described}" style="max-width:{width}px">"""

        for k, each in List.indexed panels do
            yield! panel (340.0 * float k) each

        "</svg></div>"
    ]

/// The middle of several curves, point by point.
let median (curves: float[] list) = [|
    for k in 0 .. curves.Head.Length - 1 do
        (curves |> List.map (fun curve -> curve[k]) |> List.sort)[curves.Length / 2]
|]

/// Means over stretches of a curve, which a page has room for, at the trials in their middle.
let thin stretch (values: float[]) =
    values
    |> Array.chunkBySize stretch
    |> Array.mapi (fun k part -> float (k * stretch) + float part.Length / 2.0, Array.average part)
    |> List.ofArray

/// The mean of several curves, point by point.
let mean (curves: float[] list) = [|
    for k in 0 .. curves.Head.Length - 1 do
        curves |> List.averageBy (fun curve -> curve[k])
|]

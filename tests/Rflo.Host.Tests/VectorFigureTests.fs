/// Figures as SVG: every point where its axes put it, gaps where there is no number, and words that XML can carry.
module Rflo.Host.Tests.VectorFigureTests

open System
open System.Globalization
open System.Text.RegularExpressions
open System.Xml.Linq
open Expecto
open Plotly.NET
open Rflo.Host

let private panel chart = {
    Title = "loss & <others>"
    Caption = ""
    IsWide = false
    Height = 300
    Chart = chart
}

let private svg chart =
    XDocument.Parse(VectorFigure.ofPanel (panel chart))

let private elements name (document: XDocument) =
    document.Descendants(XName.Get(name, "http://www.w3.org/2000/svg"))
    |> List.ofSeq

let private attribute (name: string) (element: XElement) =
    match element.Attribute(XName.Get name) with
    | null -> ""
    | found -> found.Value

/// The points of a path.
let private points (d: string) = [
    for found in Regex.Matches(d, "[ML](-?[0-9.]+) (-?[0-9.]+)") ->
        float (Double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)),
        float (Double.Parse(found.Groups[2].Value, CultureInfo.InvariantCulture))
]

let private linear = Style.axis "time (ms)" |> Style.ranged (0.0, 10.0)
let private logarithmic = Style.logAxis "loss" (1.0, 100.0)

let private isNear (a: float) (b: float) what =
    Numbers.isLessThan (abs (a - b)) 0.02 what

[<Tests>]
let tests =
    testList "figures as SVG" [
        test "put points where linear and logarithmic axes have them" {
            let document =
                [
                    Style.line "curve" Style.blue 2.0 [| 0.0; 5.0; 10.0 |] [| 1.0; 10.0; 100.0 |]
                ]
                |> Style.figure linear logarithmic
                |> svg

            let curve =
                elements "path" document
                |> List.map (attribute "d" >> points)
                |> List.find (fun points -> points.Length = 3)

            let frame = elements "rect" document |> List.head

            let at name = float (attribute name frame)

            for (x, y), (across, up) in List.zip curve [ 0.0, 0.0; 0.5, 0.5; 1.0, 1.0 ] do
                isNear x (at "x" + across * at "width") "x"
                isNear y (at "y" + (1.0 - up) * at "height") "y"

            // The ticks of the axis of decades stand where the axis has them.
            let label =
                elements "text" document
                |> List.find (fun text -> text.Value = "10" && attribute "text-anchor" text = "end")

            isNear (float (attribute "y" label)) (at "y" + 0.5 * at "height" + 4.0) "the tick of 10"
        }

        test "leave gaps where a series has no number, or a logarithmic axis cannot show it" {
            let document =
                [
                    Style.line "curve" Style.blue 2.0 [| 0.0; 1.0; 2.0; 3.0; 4.0; 5.0; 6.0 |] [|
                        1.0
                        2.0
                        nan
                        3.0
                        4.0
                        0.0
                        5.0
                    |]
                ]
                |> Style.figure linear logarithmic
                |> svg

            let stretches =
                elements "g" document
                |> List.collect (fun group ->
                    group.Elements()
                    |> Seq.map (attribute "d" >> points >> List.length)
                    |> List.ofSeq)

            Expect.equal stretches [ 2; 2; 1 ] "points of each stretch"
        }

        test "have points, bands, a legend and an outline of equal units" {
            let square = Style.axis "imaginary part"
            square.SetProperty("scaleanchor", "x")

            let document =
                [
                    yield!
                        Style.between "band" Style.band [| 0.0; 10.0 |] [| 1.0; 1.0 |] [|
                            2.0
                            2.0
                        |]

                    Style.points
                        "a <b> & c"
                        (TraceObjects.Marker.init (Color = Style.orange, Size = 8)) [|
                            0.0
                            1.0
                            0.0
                        |] [| 0.0; 0.0; 1.0 |]
                ]
                |> Style.figure (Style.axis "real part" |> Style.ranged (-2.0, 2.0)) square
                |> svg

            let texts = elements "text" document |> List.map _.Value
            Expect.contains texts "a <b> & c" "legend"
            Expect.contains texts "band" "legend of the band"

            let inside =
                elements "g" document
                |> List.collect (fun group -> List.ofSeq (group.Elements()))

            let circles = inside |> List.filter (fun one -> one.Name.LocalName = "circle")

            let centre (one: XElement) =
                float (attribute "cx" one), float (attribute "cy" one)

            match List.map centre circles with
            | [ x0, y0; x1, _; _, y2 ] ->
                isNear (x1 - x0) (y0 - y2) "a unit is as long on both axes"
            | other -> failtest $"%A{other}"

            Expect.isTrue
                (inside
                 |> List.exists (fun one ->
                     attribute "fill-opacity" one = "0.18" && (attribute "d" one).EndsWith 'Z'))
                "the band is a closed outline"
        }

        test "have words where their axes put them, and shades behind trials" {
            let trial steps phases mask : Rflo.Dsl.Activity =
                let column (values: float[]) =
                    MathNet.Numerics.LinearAlgebra.Matrix<float>.Build.DenseOfColumnArrays(
                        [| values |]
                    )

                {
                    Loss = 0.0
                    Conditions = Map.empty
                    Performance = nan
                    Inputs = column (Array.zeroCreate steps)
                    Readouts = []
                    Targets = column (Array.zeroCreate steps)
                    Mask = column mask
                    Rewards = Array.zeroCreate steps
                    Events =
                        Map.ofList [
                            for name, steps in phases do
                                name, steps
                                $"{name}.onset", List.truncate 1 steps

                            TrialAxes.PerturbedEvent, [ 3; 4 ]
                        ]
                    Outputs = Map.empty
                    Rates = Map.empty
                    States = Map.empty
                }

            let one =
                trial 6 [ "wait", [ 1..3 ]; "go", [ 4..6 ] ] [| 0.0; 0.0; 0.0; 1.0; 1.0; 0.0 |]

            let aligned = TrialAxes.align 2.0<Rflo.Dsl.ms> None [ one ]
            let marks = TrialAxes.marks [ 0 ] aligned
            Expect.equal aligned.Times [| 2.0; 4.0; 6.0; 8.0; 10.0; 12.0 |] "ends of steps"
            Expect.equal marks.Phases [ "wait", 0.0, 6.0; "go", 6.0, 12.0 ] "phases"
            Expect.equal marks.Mask [ 6.0, 10.0 ] "mask"
            Expect.equal marks.Perturbed [ 4.0, 8.0 ] "perturbation"

            // A trial whose second phase begins a step later: time 0 is that begin, and steps that both have are shown.
            let later =
                trial 7 [ "wait", [ 1..4 ]; "go", [ 5..7 ] ] [| 0.0; 0.0; 0.0; 0.0; 1.0; 0.0; 0.0 |]

            let both = [ one; later ]
            let aligned = TrialAxes.align 2.0<Rflo.Dsl.ms> (TrialAxes.lastPhase both) both
            Expect.equal aligned.Anchor (Some "go") "the last phase"
            Expect.equal (List.map snd aligned.Trials) [ 0; 1 ] "first rows"
            Expect.equal aligned.Times [| -4.0; -2.0; 0.0; 2.0; 4.0; 6.0 |] "times from its onset"
            let marks = TrialAxes.marks [ 0 ] aligned
            Expect.equal marks.Phases [ "wait", -6.0, 0.0; "go", 0.0, 6.0 ] "phases of both"
            Expect.equal marks.Mask [ 0.0, 2.0 ] "where both have a mask"

            // Whichever trial is the last.
            let turned = List.rev both

            let fromBehind =
                TrialAxes.align 2.0<Rflo.Dsl.ms> (TrialAxes.lastPhase turned) turned

            Expect.equal (TrialAxes.marks [ 0 ] fromBehind) marks "the same marks"

            let document =
                TrialAxes.figure true aligned marks "output" (0.0, 1.0) [
                    Style.line "curve" Style.blue 2.0 aligned.Times (Array.create 6 0.5)
                ]
                |> svg

            let frame = elements "rect" document |> List.head
            let at name = float (attribute name frame)

            let word = elements "text" document |> List.find (fun text -> text.Value = "go")

            Expect.equal (attribute "text-anchor" word) "middle" "centred"

            isNear
                (float (attribute "x" word))
                (at "x" + 0.75 * at "width")
                "in the middle of its phase"
            // The row of names is 0.085 high, and its middle lies 0.0425 below the top of 1.085.
            isNear
                (float (attribute "y" word))
                (at "y" + 0.0425 / 1.085 * at "height" + 4.0)
                "above the curves"

            let texts = elements "text" document |> List.map _.Value
            Expect.containsAll texts [ "target counts"; "perturbation" ] "legend"
        }

        test "draw a histogram in steps, level around each value" {
            let document =
                Figures.weights "a->b" [| 0.0; 0.0; 0.0; 1.0 |] [| 0.0; 1.0; 1.0; 1.0 |]
                |> _.Chart
                |> svg

            for group in elements "g" document do
                for curve in group.Elements() do
                    let points = points (attribute "d" curve)
                    // Eight values: between two of them a level, a step and a level.
                    Expect.hasLength points (2 + 2 * 7) "corners"

                    Expect.all
                        (List.pairwise points)
                        (fun ((x, y), (next, above)) -> x = next || y = above)
                        "level or upright"

                    let steps =
                        points |> List.pairwise |> List.filter (fun ((x, _), (y, _)) -> x = y)

                    Expect.hasLength steps 7 "steps"
        }

        test "have room for long words at the ticks" {
            let leftOf names =
                let document =
                    Figures.activity "Rates" Style.blue 1.0 [| 1.0; 2.0 |] [
                        for name in names -> name, [| 0.0; 1.0 |]
                    ]
                    |> _.Chart
                    |> svg

                float (attribute "x" (List.head (elements "rect" document)))

            isNear (leftOf [ "a 0" ]) 66.0 "short ones need no more"
            // A letter of the font is at most 7 pixels wide.
            Numbers.isGreaterThan
                (leftOf [ "premotor cortex 100" ])
                (7.0 + 20.0 + 19.0 * 6.5)
                "long ones"
        }

        test "keep their legend where another figure has none" {
            let figure () =
                [
                    Style.line "curve" Style.blue 2.0 [| 0.0; 1.0 |] [| 1.0; 2.0 |]
                ]
                |> Style.figure linear logarithmic

            let hidden = figure () |> Chart.withLegendStyle (Visible = false)

            let isHidden chart =
                (GenericChart.toFigureJson chart).Contains "\"visible\":false"

            Expect.isTrue (isHidden hidden) "the one without"
            Expect.isFalse (isHidden (figure ())) "the next"
        }

        test "of charts of another kind are refused" {
            Expect.throwsT<ArgumentException>
                (fun () ->
                    Chart.Heatmap(zData = [| [| 1.0 |] |], UseDefaults = false)
                    |> panel
                    |> VectorFigure.ofPanel
                    |> ignore)
                "a map of colours"
        }
    ]

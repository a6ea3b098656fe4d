/// How the arrows of a picture and their labels are drawn.
module internal Rflo.Pictures.Arrows

open Rflo.Pictures.Parts
open Rflo.Pictures.Sizes
open Rflo.Pictures.Places
open Rflo.Pictures.Routes
open Rflo.Pictures.Layout
open Rflo.Pictures.Ink

let private point (point: Point) = $"{n point.X},{n point.Y}"

let private path (route: Route) =
    let start = point route.Curve.Head.From

    let bends =
        route.Curve
        |> List.map (fun cubic ->
            $" C{point cubic.FirstControl} {point cubic.SecondControl} {point cubic.To}")

    $"M{start}" + String.concat "" bends

let private stroke colour width dashes (route: Route) =
    element "path" [
        "d", path route
        "fill", "none"
        "stroke", colour
        "stroke-width", n width
        if dashes <> "" then
            "stroke-dasharray", dashes
    ] []

/// An open switch.
let gateSymbol x y colour =
    element "g" [ "class", "switch" ] [
        line (x + 2.0) y (x + 11.5) (y - 5.5) colour 1.7
        circle (x + 2.0) y 2.2 [ "fill", colour ]
        circle (x + 13.5) y 2.2 [ "fill", paper; "stroke", colour; "stroke-width", "1.4" ]
    ]

let private kind mark =
    match mark with
    | Mark.Gate _ -> "gate"
    | Mark.Delay _ -> "delay"
    | Mark.Density _ -> "density"
    | Mark.Rule _ -> "rule"
    | Mark.Populations _ -> "populations"
    | Mark.Name _ -> "projection-name"
    | Mark.Feedback _ -> "feedback-kind"

let private span (arrow: Arrow) (mark: Mark) =
    let colour =
        if mark.IsFeedback then errorColour
        elif mark.IsRule then colourOf arrow.Paint
        else ink

    element "tspan" [
        "class", kind mark
        "fill", colour

        if mark.IsRule then
            "font-weight", "bold"
        if mark.IsName then
            "font-style", "italic"
    ] [ escape (markText mark) ]

/// The marks of an arrow in their box, on paper so that no line runs through them.
let label (arrow: Arrow) (box: Box) =
    let indent =
        if arrow.Marks |> List.exists _.IsGate then
            gateWidth - 2.0
        else
            0.0

    element "g" [ "class", "label" ] [
        rectangle box.Left box.Top box.Width box.Height 5.0 [
            "fill", paper
            "stroke", colourOf arrow.Paint
            "stroke-width", "0.7"
            "stroke-opacity", "0.55"
        ]

        if indent > 0.0 then
            gateSymbol (box.Left + 6.0) (box.MiddleY + 1.5) ink

        element "text" [
            "x", n (box.MiddleX + indent / 2.0)
            "y", n (box.MiddleY + 3.9)
            "font-size", n markSize
            "fill", quiet
            "text-anchor", "middle"
        ] [
            arrow.Marks |> List.map (span arrow) |> String.concat " · "
        ]
    ]

/// The constant 1.
let one (centre: Point) colour =
    circle centre.X centre.Y biasRadius [ "fill", paper; "stroke", colour; "stroke-width", "1.4" ]
    + words centre.X (centre.Y + 3.8) 10.5 ink false "1"

let private kindOf (drawn: DrawnArrow) =
    let place = if drawn.One.IsSome then "projection bias" else "projection"

    match drawn.Arrow.Paint with
    | Paint.Plastic -> $"{place} plastic"
    | Paint.Frozen -> $"{place} frozen"
    | Paint.Error -> "error"

/// An arrow without its label: line, ending, and the constant 1 if it begins there.
let draw (drawn: DrawnArrow) =
    let arrow, route = drawn.Arrow, drawn.Route
    let colour = colourOf arrow.Paint
    let kindOfEnding, shape = ending arrow.Ending arrow.Paint
    let dashes = if arrow.Paint = Paint.Error then "6 4" else ""

    spoken (kindOf drawn) arrow.Words [
        // A wide invisible line is easier to point at.
        element "path" [
            "d", path route
            "fill", "none"
            "stroke", "#000"
            "stroke-opacity", "0"
            "stroke-width", "11"
        ] []
        // An edge in the color of the paper separates crossing lines.
        stroke paper (widthOf arrow.Paint + 2.6) "" route
        stroke colour (widthOf arrow.Paint) dashes route
        element
            "g"
            [
                "class", $"ending {kindOfEnding}"
                "transform", $"translate({point route.Tip}) rotate({n route.Angle})"
            ]
            shape

        match drawn.One with
        | Some centre -> one centre colour
        | None -> ()
    ]

/// An arrow's label, with the arrow's tooltip.
let drawLabel (drawn: DrawnArrow) =
    match drawn.Label with
    | Some box -> [
        element "g" [] [
            element "title" [] [ escape drawn.Arrow.Words ]
            label drawn.Arrow box
        ]
      ]
    | None -> []

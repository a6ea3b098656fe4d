/// How the nodes of a picture are drawn.
module internal Rflo.Pictures.Nodes

open Rflo.Pictures.Parts
open Rflo.Pictures.Sizes
open Rflo.Pictures.Places
open Rflo.Pictures.Ink

let private outline fill stroke width isDashed = [
    "fill", fill
    "stroke", stroke
    "stroke-width", n width

    if isDashed then
        "stroke-dasharray", "5 4"
]

/// A small podium: one bar stands out.
let private podium x y =
    let bar at height colour =
        rectangle (x + at) (y - height) 5.0 height 1.0 [ "fill", colour ]

    String.concat "" [
        bar -10.0 6.0 "#c9b458"
        bar -2.5 15.0 "#7a5c00"
        bar 5.0 4.0 "#c9b458"
    ]

/// A node without its words.
let symbol (shape: Shape) (box: Box) =
    let rounded radius =
        rectangle box.Left box.Top box.Width box.Height radius

    match shape with
    | Shape.Area -> rounded (min 14.0 (box.Height / 4.0)) (outline "#f2f6fb" ink 1.6 false)
    | Shape.Relay ->
        let radius = min (box.Height / 2.0) (box.Width / 2.0)

        rounded radius (outline "#eef6f1" ink 1.6 false)
        + rectangle
            (box.Left + 4.0)
            (box.Top + 4.0)
            (box.Width - 8.0)
            (box.Height - 8.0)
            (radius - 4.0)
            (outline "none" ink 0.8 false)
    | Shape.WinnerTakeAll ->
        let points = [
            box.Left, box.MiddleY
            box.Left + 16.0, box.Top
            box.Right - 16.0, box.Top
            box.Right, box.MiddleY
            box.Right - 16.0, box.Bottom
            box.Left + 16.0, box.Bottom
        ]

        polygon points (outline "#fdf6dd" ink 1.6 false @ [ "stroke-linejoin", "round" ])
    | Shape.Input ->
        let points = [
            box.Left, box.Top
            box.Right - 10.0, box.Top
            box.Right, box.MiddleY
            box.Right - 10.0, box.Bottom
            box.Left, box.Bottom
        ]

        polygon points (outline paper quiet 1.2 false @ [ "stroke-linejoin", "round" ])
    | Shape.Readout ->
        rounded 3.0 (outline paper quiet 1.2 false)
        + line (box.Right - 5.0) (box.Top + 4.0) (box.Right - 5.0) (box.Bottom - 4.0) quiet 2.0
    | Shape.Stranger _ -> rounded 8.0 (outline paper errorColour 1.6 true)

/// The bar that divides an area under Dale's law, E on the left and I on the right.
let split fraction (box: Box) y =
    let width = box.Width - 52.0
    let left = box.MiddleX - width / 2.0
    let share = width * (fraction |> max 0.0 |> min 1.0)
    let share = if System.Double.IsNaN share then 0.0 else share

    element "g" [ "class", "dale" ] [
        rectangle left (y - 8.0) width 8.0 0.0 [ "fill", inhibitoryColour ]
        rectangle left (y - 8.0) share 8.0 0.0 [ "fill", excitatoryColour ]
        rectangle left (y - 8.0) width 8.0 0.0 (outline "none" ink 0.8 false)
        words (left - 9.0) y smallest ink true "E"
        words (left + width + 8.0) y smallest ink true "I"
    ]

let private kind shape =
    match shape with
    | Shape.Area -> "area"
    | Shape.Relay -> "area relay"
    | Shape.WinnerTakeAll -> "area winner-take-all"
    | Shape.Input -> "input"
    | Shape.Readout -> "readout"
    | Shape.Stranger _ -> "stranger"

/// A node with its words.
let draw (node: Node, box: Box) =
    let isSmall = isSmall node.Shape

    let nameSize, lineSize, step =
        if isSmall then
            12.5, 10.5, 13.0
        else
            nameSize, lineSize, 15.0

    let bar = if node.Excitatory.IsSome then 16.0 else 0.0

    let icon =
        if node.Shape = Shape.WinnerTakeAll then
            podiumHeight
        else
            0.0

    let total = icon + nameSize + step * float node.Lines.Length + bar
    let top = box.MiddleY - total / 2.0 + icon + nameSize * 0.85

    let x =
        match node.Shape with
        | Shape.Input
        | Shape.Readout -> box.MiddleX - 3.0
        | _ -> box.MiddleX

    spoken (kind node.Shape) node.Words [
        symbol node.Shape box
        words x top nameSize ink true (shorten node.Short)

        for i, text in List.indexed node.Lines do
            words x (top + step * float (i + 1)) lineSize quiet false (shorten text)

        match node.Excitatory with
        | Some fraction -> split fraction box (top + total - icon - nameSize + 1.0)
        | None -> ()

        if node.Shape = Shape.WinnerTakeAll then
            podium box.MiddleX (top - nameSize - 1.0)
    ]

/// The frame around a group of nodes.
let frame (name: string, box: Box) =
    element "g" [ "class", "group" ] [
        rectangle box.Left box.Top box.Width box.Height 16.0 [
            "fill", "#fafafa"
            "stroke", "#c3c8ce"
            "stroke-width", "1"
        ]
        element "text" [
            "x", n (box.Left + 14.0)
            "y", n (box.Top + 20.0)
            "font-size", "13"
            "fill", quiet
            "font-weight", "bold"
        ] [ escape (shorten name) ]
    ]

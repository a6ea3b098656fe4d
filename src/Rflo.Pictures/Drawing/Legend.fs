/// The legend: the meanings of the signs that are in a picture.
module internal Rflo.Pictures.Legend

open Rflo.Pictures.Parts
open Rflo.Pictures.Sizes
open Rflo.Pictures.Places
open Rflo.Pictures.Layout
open Rflo.Pictures.Ink

let private swatch content =
    element
        "svg"
        [
            "viewBox", "0 0 52 24"
            "width", "52"
            "height", "24"
            "aria-hidden", "true"
            "font-family", fonts
        ]
        content

let private arrow paint kind =
    let dashes =
        if paint = Paint.Error then
            [ "stroke-dasharray", "6 4" ]
        else
            []

    let _, shape = ending kind paint

    swatch [
        element
            "path"
            ([
                "d", "M3,12 L37,12"
                "stroke", colourOf paint
                "stroke-width", n (widthOf paint)
             ]
             @ dashes)
            []
        element "g" [ "transform", "translate(47,12)" ] shape
    ]

let private node shape =
    let box = {
        Left = 5.0
        Top = 2.0
        Width = 42.0
        Height = 20.0
    }

    swatch [ Nodes.symbol shape box ]

let private text sign =
    swatch [ words 26.0 16.0 markSize ink false sign ]

let private nodes (layout: Layout) = [
    let shapes = layout.Nodes |> Array.map (fun (node, _) -> node.Shape)
    let has shape = Array.contains shape shapes

    if has Shape.Area then
        node Shape.Area,
        "area of leaky rate units; larger with more of them; tanh where no other function is named"

    if has Shape.Relay then
        node Shape.Relay, "relay: repeats its input, one step later"

    if has Shape.WinnerTakeAll then
        node Shape.WinnerTakeAll, "winner takes all: one unit is 1, the others 0"

    if layout.Nodes |> Array.exists (fun (node, _) -> node.Excitatory.IsSome) then
        swatch [
            Nodes.split
                0.8
                {
                    Left = -12.0
                    Top = 0.0
                    Width = 76.0
                    Height = 24.0
                }
                16.0
        ],
        "Dale's law: excitatory and inhibitory share of the units"

    if has Shape.Input then
        node Shape.Input, "input from the task"

    if has Shape.Readout then
        node Shape.Readout, "readout, compared with the task's targets"

    if shapes |> Array.exists _.IsStranger then
        node (Shape.Stranger Shape.Area), "a name that is declared nowhere"

    if layout.Arrows |> Array.exists _.One.IsSome then
        swatch [ Arrows.one (Routes.at 26.0 12.0) ink ], "the constant 1, whose weights are biases"
]

let private arrows (layout: Layout) = [
    let drawn = layout.Arrows |> Array.map _.Arrow
    let projections = drawn |> Array.filter (fun arrow -> arrow.Paint <> Paint.Error)

    let paint paint =
        Array.exists (fun arrow -> arrow.Paint = paint) drawn

    let ends kind =
        Array.exists (fun arrow -> arrow.Ending = kind) projections

    if paint Paint.Plastic then
        arrow Paint.Plastic Ending.AnySign, "plastic: the weights learn"

    if paint Paint.Frozen then
        arrow Paint.Frozen Ending.AnySign, "frozen: the weights stay"

    if ends Ending.AnySign then
        arrow Paint.Frozen Ending.AnySign, "open arrowhead: weights of any sign, without Dale's law"

    if ends Ending.Excitatory then
        arrow Paint.Frozen Ending.Excitatory, "filled arrowhead: from excitatory units"

    if ends Ending.Inhibitory then
        arrow Paint.Frozen Ending.Inhibitory, "bar: from inhibitory units"

    if ends Ending.Both then
        arrow Paint.Frozen Ending.Both, "arrowhead and bar: from excitatory and inhibitory units"

    if paint Paint.Error then
        arrow Paint.Error Ending.AnySign, "error of a readout, sent to an area"
]

let private marks (layout: Layout) = [
    let all =
        layout.Arrows |> Array.collect (fun drawn -> Array.ofList drawn.Arrow.Marks)

    let has test = Array.exists test all

    if has _.IsGate then
        swatch [ Arrows.gateSymbol 18.0 14.0 ink ], "gate: open only at the times beside it"

    if has _.IsDelay then
        text "5 ms", "delay, where more than a step"

    if has _.IsDensity then
        text "10 %",
        "how many of the connections exist, where not all: a fraction, a mask, or unit to unit (1 : 1)"

    if has _.IsPopulations then
        text "E → I",
        "from some units or channels, or to some units only; E and I are those of Dale's law"

    if has _.IsRule then
        text "by …", "learns by a rule of its own"

    if has (fun mark -> mark = Mark.Feedback "random") then
        text "random", "through fixed random weights"

    if has (fun mark -> mark = Mark.Feedback "Wᵀ") then
        text "Wᵀ", "through the transpose of the readout's weights"

    if has (fun mark -> mark = Mark.Feedback "given") then
        text "given", "through given weights"
]

/// A list of signs and their meanings, in html.
let html (layout: Layout) =
    let item (sign, meaning) =
        element "li" [] [ sign; element "span" [] [ escape meaning ] ]

    match nodes layout @ arrows layout @ marks layout with
    | [] -> ""
    | entries -> element "ul" [ "class", "legend" ] (entries |> List.map (item >> (+) "\n"))

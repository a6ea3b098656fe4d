/// The strokes, colours and words of SVG that pictures are made of.
module internal Rflo.Pictures.Ink

open System
open System.Globalization
open System.Text
open Rflo.Pictures.Parts

/// Colors for readers with any color vision (Okabe and Ito), dark enough for print.
let plasticColour, frozenColour, errorColour = "#0072b2", "#6f7680", "#c4500a"

let ink, quiet, paper = "#1b1f24", "#565d66", "#ffffff"
let excitatoryColour, inhibitoryColour = "#e69f00", "#56407e"

let fonts =
    "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"

/// A coordinate.
let n (value: float) =
    let text = Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture)
    if text = "-0" then "0" else text

/// A text escaped for XML; characters that XML does not allow become the replacement character.
let escape (text: string) =
    let clean = StringBuilder()

    for rune in text.EnumerateRunes() do
        let code = rune.Value

        if code = int '&' then
            clean.Append "&amp;"
        elif code = int '<' then
            clean.Append "&lt;"
        elif code = int '>' then
            clean.Append "&gt;"
        elif code = int '"' then
            clean.Append "&quot;"
        elif code = int '\'' then
            clean.Append "&#39;"
        elif code = 9 || code = 10 || code = 13 then
            clean.Append ' '
        elif code < 32 || code = 0xfffe || code = 0xffff then
            clean.Append '\ufffd'
        else
            clean.Append(rune.ToString())
        |> ignore

    clean.ToString()

/// An element; attributes as name and value.
let element name (attributes: (string * string) list) (content: string list) =
    let written =
        attributes
        |> List.map (fun (name, value) -> $" {name}=\"{escape value}\"")
        |> String.concat ""

    match content with
    | [] -> $"<{name}{written}/>"
    | some -> $"<{name}{written}>" + String.concat "" some + $"</{name}>"

/// A group with a title, for mouse and screen reader.
let spoken kind words content =
    element
        "g"
        [ "class", kind; "role", "img"; "aria-label", words ]
        (element "title" [] [ escape words ] :: content)

/// Words, centred on a point.
let words x y size colour isBold text =
    element "text" [
        "x", n x
        "y", n y
        "font-size", n size
        "fill", colour
        "text-anchor", "middle"
        if isBold then
            "font-weight", "bold"
    ] [ escape text ]

let line x1 y1 x2 y2 colour width =
    element "line" [
        "x1", n x1
        "y1", n y1
        "x2", n x2
        "y2", n y2
        "stroke", colour
        "stroke-width", n width
        "stroke-linecap", "round"
    ] []

let circle x y radius attributes =
    element "circle" ([ "cx", n x; "cy", n y; "r", n radius ] @ attributes) []

let polygon points attributes =
    let text = points |> List.map (fun (x, y) -> $"{n x},{n y}") |> String.concat " "
    element "polygon" (("points", text) :: attributes) []

let rectangle x y width height radius attributes =
    element
        "rect"
        ([
            "x", n x
            "y", n y
            "width", n width
            "height", n height
            "rx", n radius
         ]
         @ attributes)
        []

let colourOf paint =
    match paint with
    | Paint.Plastic -> plasticColour
    | Paint.Frozen -> frozenColour
    | Paint.Error -> errorColour

let widthOf paint =
    match paint with
    | Paint.Plastic -> 2.4
    | Paint.Frozen -> 1.5
    | Paint.Error -> 1.6

/// How an arrow ends at (0, 0), pointing to the right.
let ending kind paint =
    let colour = colourOf paint
    let triangle = polygon [ 0.0, 0.0; -11.0, -5.0; -11.0, 5.0 ] [ "fill", colour ]
    let bar x = line x -6.5 x 6.5 colour 3.0

    let shaft until =
        line -11.0 0.0 until 0.0 colour (widthOf paint)

    match kind with
    | Ending.Excitatory -> "excitatory", [ triangle ]
    | Ending.Inhibitory -> "inhibitory", [ shaft -4.5; bar -4.5 ]
    | Ending.Both ->
        "both-signs",
        [
            polygon [ -5.5, 0.0; -14.0, -4.8; -14.0, 4.8 ] [ "fill", colour ]
            bar -3.5
        ]
    | Ending.AnySign ->
        "any-sign",
        [
            shaft -1.0
            element "path" [
                "d", "M-8.5,-4.8 L-0.8,0 L-8.5,4.8"
                "fill", "none"
                "stroke", colour
                "stroke-width", n (max 1.8 (widthOf paint))
                "stroke-linecap", "round"
                "stroke-linejoin", "round"
            ] []
        ]

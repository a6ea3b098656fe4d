/// The circuit as a file for Graphviz, which has its own layout, for pictures that are edited as text.
module internal Rflo.Pictures.Dot

open System.Text
open Rflo.Pictures.Parts
open Rflo.Pictures.Ink

/// A text between quotes. Graphviz reads a backslash as the begin of an escape and `&` as that of an HTML entity, and it does not
/// accept /// control characters. In a label a backslash is written twice. In a tooltip some versions resolve escapes twice and
/// others once, so the similar sign for set difference replaces it there.
let private between (backslash: string) (text: string) =
    let clean = StringBuilder "\""

    for rune in text.EnumerateRunes() do
        match rune.Value with
        | 34 -> clean.Append "\\\""
        | 38 -> clean.Append "&amp;"
        | 92 -> clean.Append backslash
        | 9
        | 10
        | 13 -> clean.Append ' '
        | code when code < 32 || code = 127 || code = 0xfffe || code = 0xffff ->
            clean.Append '\ufffd'
        | _ -> clean.Append(rune.ToString())
        |> ignore

    clean.Append('"').ToString()

/// A text that is shown, between quotes.
let quoted = between "\\\\"

let private tooltip text = "tooltip", between "\u29f5" text

/// Lines below each other, each centred.
let private lines (texts: string list) =
    let inner (text: string) =
        let all = quoted text
        all.Substring(1, all.Length - 2)

    "\"" + (texts |> List.map inner |> String.concat "\\n") + "\""

let private attributes (pairs: (string * string) list) =
    pairs
    |> List.map (fun (name, value) -> $"{name}={value}")
    |> String.concat ", "
    |> fun all -> $"[{all}]"

let private look shape =
    match shape with
    | Shape.Area -> [
        "shape", "box"
        "style", "\"rounded,filled\""
        "fillcolor", "\"#f2f6fb\""
      ]
    | Shape.Relay -> [
        "shape", "box"
        "style", "\"rounded,filled\""
        "peripheries", "2"
        "fillcolor", "\"#eef6f1\""
      ]
    | Shape.WinnerTakeAll -> [
        "shape", "hexagon"
        "style", "filled"
        "fillcolor", "\"#fdf6dd\""
      ]
    | Shape.Input -> [ "shape", "cds" ]
    | Shape.Readout -> [ "shape", "box" ]
    | Shape.Stranger _ -> [
        "shape", "box"
        "style", "\"rounded,dashed\""
        "color", quoted errorColour
      ]

let private node (index: int) (node: Node) =
    let law =
        match node.Excitatory with
        | Some fraction when System.Double.IsFinite fraction -> [
            $"{Dissection.number (100.0 * fraction)} %% excitatory"
          ]
        | _ -> []

    let all =
        [ "label", lines (node.Short :: node.Lines @ law) ]
        @ look node.Shape
        @ [ tooltip node.Words ]

    $"n{index} {attributes all};"

let private head ending =
    match ending with
    | Ending.Excitatory -> "normal"
    | Ending.Inhibitory -> "tee"
    | Ending.Both -> "teenormal"
    | Ending.AnySign -> "vee"

let private arrow (source: string) (arrow: Arrow) =
    let text mark =
        match mark with
        | Mark.Gate text -> $"gate {text}"
        | Mark.Delay text
        | Mark.Density text
        | Mark.Rule text
        | Mark.Populations text
        | Mark.Name text
        | Mark.Feedback text -> text

    let all = [
        "arrowhead", head arrow.Ending
        "color", quoted (colourOf arrow.Paint)
        "penwidth", n (widthOf arrow.Paint)

        if not arrow.Marks.IsEmpty then
            "label", quoted (arrow.Marks |> List.map text |> String.concat " · ")

        // Errors run backward; they do not affect the order from left to right.
        if arrow.Paint = Paint.Error then
            "style", "dashed"
            "constraint", "false"

        tooltip arrow.Words
    ]

    $"{source} -> n{arrow.Target} {attributes all};"

/// The text of a circuit's parts.
let ofParts (summary: string) (parts: Parts) =
    let groups =
        parts.Nodes
        |> Array.map (fun node -> node.Group)
        |> Array.distinct
        |> Array.filter ((<>) "")

    let nodesOf group = [
        for index, each in Array.indexed parts.Nodes do
            if each.Group = group then
                node index each
    ]

    String.concat "\n" [
        "digraph {"
        $"  graph [rankdir=LR, fontname=\"Helvetica\", fontsize=13, tooltip={snd (tooltip summary)}];"
        "  node [fontname=\"Helvetica\", fontsize=12, margin=\"0.15,0.08\"];"
        "  edge [fontname=\"Helvetica\", fontsize=10];"

        for index, group in Array.indexed groups do
            $"  subgraph cluster_{index} {{"
            $"    graph [label={quoted group}, labeljust=l, style=rounded, color=\"#c3c8ce\"];"

            for line in nodesOf group do
                "    " + line

            "  }"

        for line in nodesOf "" do
            "  " + line

        for each in parts.Arrows do
            "  " + arrow $"n{each.Source}" each

        for index, bias in Array.indexed parts.Biases do
            $"  one{index} [label=\"1\", shape=circle, width=0.25, margin=0, fontsize=10];"
            "  " + arrow $"one{index}" bias

        "}"
        ""
    ]

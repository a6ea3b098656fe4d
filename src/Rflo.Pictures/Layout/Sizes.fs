/// How large the nodes and words of a picture are, in pixels.
module internal Rflo.Pictures.Sizes

open System
open Rflo.Pictures.Parts

let nameSize = 15.0
let lineSize = 12.0
let markSize = 11.0

/// The smallest words of a picture: the letters beside the bar of Dale's law.
let smallest = 10.0

/// The height of a label on an arrow.
let labelHeight = 17.0

/// The width of a gate's symbol, with the room behind it.
let gateWidth = 20.0

/// The height of the sign of a winner-take-all area, with the room below it.
let podiumHeight = 19.0

/// The radius of the constant 1.
let biasRadius = 8.0

/// How far the constant 1 stands below its node.
let biasDrop = 26.0

let private em (letter: char) =
    if "iljtfrI.,:;'|!()[] ".Contains letter then 0.40
    elif "mwMW@%—→".Contains letter then 1.0
    elif letter > '\u2e7f' then 1.05
    elif Char.IsUpper letter then 0.76
    else 0.64

/// The width of a text, never too small for the usual fonts without serifs.
let textWidth size (text: string) = size * Seq.sumBy em text

/// A text that is not too long for a node or a label; tooltips have all of it.
let shorten (text: string) =
    if text.Length > 28 then
        text.Substring(0, 27) + "…"
    else
        text

/// What stands on an arrow.
let markText mark =
    match mark with
    | Mark.Gate text
    | Mark.Delay text
    | Mark.Density text
    | Mark.Rule text
    | Mark.Populations text
    | Mark.Name text
    | Mark.Feedback text -> shorten text

/// What stands between two marks.
let markGap = 9.0

let private markWidth mark =
    textWidth markSize (markText mark) + (if mark.IsGate then gateWidth else 0.0)

/// The width of an arrow's label; 0 without one.
let labelWidth (arrow: Arrow) =
    match arrow.Marks with
    | [] -> 0.0
    | marks -> List.sumBy markWidth marks + markGap * float (marks.Length - 1) + 12.0

/// Half of the room that an arrow takes from the arrows beside it.
let halfLane (arrow: Arrow) =
    if arrow.Marks.IsEmpty then 7.0 else 10.0

/// How far above its node a loop reaches.
let loopHeight = 27.0

/// The room that each loop takes above its node, with its label.
let loopWidth (loop: Arrow) = max 40.0 (labelWidth loop + 8.0)

/// The height of the loops above a node, with their labels.
let loopsHeight (loops: Arrow list) =
    if loops.IsEmpty then
        0.0
    elif loops |> List.forall _.Marks.IsEmpty then
        loopHeight + 3.0
    else
        loopHeight + labelHeight + 3.0

/// Where in a row of such widths each has its middle, from the middle of the row.
let middles (widths: float list) =
    let lefts = widths |> List.scan (+) (-(List.sum widths) / 2.0)
    widths |> List.mapi (fun i width -> lefts[i] + width / 2.0)

/// The width that a node needs so that all of its loops end on it.
let loopsWidth (loops: Arrow list) =
    match loops |> List.map loopWidth |> middles with
    | [] -> 0.0
    | all -> 2.0 * max -all.Head (List.last all) + 68.0

/// The room that each constant 1 takes below its node, with its label.
let biasWidth (bias: Arrow) =
    match labelWidth bias with
    | 0.0 -> 3.0 * biasRadius
    | width -> 3.0 * biasRadius + width

let isSmall shape =
    match shape with
    | Shape.Input
    | Shape.Readout
    | Shape.Stranger _ -> true
    | _ -> false

/// A node without its loops and biases: width and height. Both grow with the logarithm of the number of units.
let body (node: Node) (loops: Arrow list) (portHeight: float) =
    let growth = 8.0 * Math.Log10(float (max 1 node.Units))

    let name =
        textWidth nameSize (shorten node.Short)
        * (if isSmall node.Shape then 0.9 else 1.06)

    let lines = node.Lines |> List.map (textWidth lineSize) |> List.fold max 0.0
    let text = max name lines

    if isSmall node.Shape then
        max (text + 30.0) (loopsWidth loops),
        max (20.0 + 14.0 * float node.Lines.Length + 4.0) portHeight
    else
        let bar = if node.Excitatory.IsSome then 16.0 else 0.0

        let icon =
            if node.Shape = Shape.WinnerTakeAll then
                podiumHeight
            else
                0.0

        let height = 34.0 + 15.0 * float node.Lines.Length + bar + icon + growth

        let sides =
            match node.Shape with
            | Shape.WinnerTakeAll
            | Shape.Relay -> 56.0
            | _ -> 32.0

        max (max 96.0 (text + sides) + 1.6 * growth) (loopsWidth loops), max height portHeight

/// How far inside its box the border of a node lies, on one side (1 the right, -1 the left), at some height from the
/// middle.
let inset shape side (width: float, height: float) (offset: float) =
    let half, away = height / 2.0, abs offset

    match shape with
    | Shape.Relay ->
        let radius = min half (width / 2.0)
        let inner = max 0.0 (away - (half - radius))
        radius - sqrt (max 0.0 (radius * radius - inner * inner))
    | Shape.WinnerTakeAll -> 16.0 * away / half
    | Shape.Input when side > 0 -> 10.0 * away / half
    | Shape.Area ->
        let inner = max 0.0 (away - (half - 14.0))
        14.0 - sqrt (max 0.0 (196.0 - inner * inner))
    | _ -> 0.0

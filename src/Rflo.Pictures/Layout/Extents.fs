/// The space that each item of a picture needs.
module internal Rflo.Pictures.Extents

open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Sizes

/// The space of an item in its column: above and below its middle, and both sides together.
type Extent = {
    Above: float
    Below: float
    Across: float
}

let loopsOf (parts: Parts) node =
    parts.Arrows
    |> Array.filter (fun arrow -> arrow.Source = node && arrow.Target = node)
    |> List.ofArray

let biasesOf (parts: Parts) node =
    parts.Biases |> Array.filter (fun bias -> bias.Target = node) |> List.ofArray

/// Where an arrow has its label, if in a passage.
let labelledPassage (rows: Rows) (parts: Parts) arrow =
    let chain = rows.Chains[arrow]

    if
        chain.Length > 2
        && parts.Arrows[arrow].Paint <> Paint.Error
        && not parts.Arrows[arrow].Marks.IsEmpty
    then
        Some chain[chain.Length / 2]
    else
        None

/// The space that every item needs, with loops and biases.
let extents (parts: Parts) (rows: Rows) (bodies: (float * float)[]) =
    let extents =
        Array.create rows.Items.Length {
            Above = 6.0
            Below = 6.0
            Across = 0.0
        }

    for node in 0 .. parts.Nodes.Length - 1 do
        let width, height = bodies[node]
        let loops, biases = loopsOf parts node, biasesOf parts node

        extents[node] <- {
            Above = height / 2.0 + loopsHeight loops
            Below = height / 2.0 + (if biases.IsEmpty then 0.0 else biasDrop + biasRadius + 4.0)
            Across = max width (max (List.sumBy loopWidth loops) (List.sumBy biasWidth biases))
        }

    for arrow in 0 .. parts.Arrows.Length - 1 do
        let chain, half = rows.Chains[arrow], halfLane parts.Arrows[arrow]

        for passage in chain[1 .. chain.Length - 2] do
            let across =
                if labelledPassage rows parts arrow = Some passage then
                    labelWidth parts.Arrows[arrow] + 10.0
                else
                    0.0

            extents[passage] <- {
                Above = half
                Below = half
                Across = across
            }

    extents

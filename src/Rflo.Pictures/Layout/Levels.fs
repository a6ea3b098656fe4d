/// How high everything in a picture stands, by least squares.
module internal Rflo.Pictures.Levels

open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Ports
open Rflo.Pictures.Extents

/// Two items in neighbouring columns that an arrow joins; it runs level where the two offsets meet.
type private Leg = {
    Item: int
    Other: int
    Offset: float
    OtherOffset: float
    Pull: float
}

let private legs (parts: Parts) (rows: Rows) (ports: Ports) = [|
    for arrow in 0 .. parts.Arrows.Length - 1 do
        let chain = rows.Chains[arrow]
        let last = chain.Length - 1
        let isError = parts.Arrows[arrow].Paint = Paint.Error

        let offset k =
            if k = 0 then ports.Leaving[arrow].Offset
            elif k = last then ports.Arriving[arrow].Offset
            else 0.0

        for k in 0 .. last - 1 do
            let a, b = chain[k], chain[k + 1]

            if
                rows.Items[a].Column <> rows.Items[b].Column
                && rows.Items[a].Band = rows.Items[b].Band
            then
                let passages = (if k > 0 then 1 else 0) + (if k + 1 < last then 1 else 0)
                let pull = [| 2.0; 2.0; 24.0 |][passages] * (if isError then 0.02 else 1.0)

                let leg = {
                    Item = a
                    Other = b
                    Offset = offset k
                    OtherOffset = offset (k + 1)
                    Pull = pull
                }

                leg

                {
                    leg with
                        Item = b
                        Other = a
                        Offset = offset (k + 1)
                        OtherOffset = offset k
                }
|]

/// The places nearest to those desired, by weighted least squares, that are at least so far apart: pools neighbours
/// that would come too close, as isotonic regression does.
let settle (desired: float[]) (weights: float[]) (apart: float[]) =
    let shift = Array.scan (+) 0.0 apart

    let rec pool blocks =
        match blocks with
        | (sum, weight, count) :: (sumBefore, weightBefore, countBefore) :: rest when
            sum / weight < sumBefore / weightBefore
            ->
            pool ((sum + sumBefore, weight + weightBefore, count + countBefore) :: rest)
        | _ -> blocks

    let blocks =
        (desired, weights)
        ||> Array.zip
        |> Array.indexed
        |> Array.fold
            (fun blocks (i, (place, weight)) ->
                pool ((weight * (place - shift[i]), weight, 1) :: blocks))
            []

    blocks
    |> List.rev
    |> List.collect (fun (sum, weight, count) -> List.replicate count (sum / weight))
    |> List.mapi (fun i place -> place + shift[i])
    |> Array.ofList

/// Empty room between two items of a column.
let private gap (nodes: int) a b =
    if a < nodes && b < nodes then 30.0 else 9.0

/// The middle of every item, each band for itself.
let levels (parts: Parts) (rows: Rows) (ports: Ports) (extents: Extent[]) =
    let level = Array.zeroCreate rows.Items.Length

    let pulling =
        legs parts rows ports |> Array.groupBy (fun leg -> leg.Item) |> Map.ofArray

    let nodes = parts.Nodes.Length

    let lists =
        rows.Columns
        |> Array.map (fun column ->
            column |> Array.groupBy (fun item -> rows.Items[item].Band) |> Array.map snd)

    let arrange direction column =
        let pull item =
            pulling.TryFind item
            |> Option.defaultValue [||]
            |> Array.filter (fun leg ->
                direction = 0
                || sign (rows.Items[item].Column - rows.Items[leg.Other].Column) = direction)

        let desire item =
            match pull item with
            | [||] -> level[item], 0.05
            | legs ->
                let weight = legs |> Array.sumBy (fun leg -> leg.Pull)

                let place =
                    legs
                    |> Array.sumBy (fun leg ->
                        leg.Pull * (level[leg.Other] + leg.OtherOffset - leg.Offset))

                place / weight, weight

        let desired, weights = column |> Array.map desire |> Array.unzip

        let apart =
            column
            |> Array.pairwise
            |> Array.map (fun (a, b) -> extents[a].Below + extents[b].Above + gap nodes a b)

        settle desired weights apart
        |> Array.iteri (fun i place -> level[column[i]] <- place)

    for turn in 0..29 do
        let direction =
            if turn > 19 then 0
            elif turn % 2 = 0 then 1
            else -1

        for column in (if direction < 0 then Array.rev lists else lists) do
            column |> Array.iter (arrange direction)

    level

/// Room above a group of nodes, for its frame and its name.
let frameAbove, frameBelow = 34.0, 14.0

/// Puts the bands one below the other.
let stack (rows: Rows) (extents: Extent[]) (level: float[]) =
    let placed = Array.copy level
    let mutable top = 0.0

    for band in 0 .. rows.Bands.Length - 1 do
        let members =
            [ 0 .. rows.Items.Length - 1 ]
            |> List.filter (fun i -> rows.Items[i].Band = band)

        if not members.IsEmpty then
            let first = members |> List.map (fun i -> level[i] - extents[i].Above) |> List.min
            let last = members |> List.map (fun i -> level[i] + extents[i].Below) |> List.max

            let above, below =
                if rows.Bands[band] = "" then
                    0.0, 0.0
                else
                    frameAbove, frameBelow

            for i in members do
                placed[i] <- level[i] - first + top + above

            top <- top + above + (last - first) + below + 26.0

    placed

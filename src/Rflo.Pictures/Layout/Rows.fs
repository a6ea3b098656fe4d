/// The order of items in each column of a picture.
module internal Rflo.Pictures.Rows

open System.Collections.Generic
open Rflo.Pictures.Parts

/// A node, or the place where an arrow passes a column between nodes.
type Item = {
    Column: int
    /// Bands lie one below the other: each group of nodes has its own, and what is in no group has another.
    Band: int
    /// Errors pass below everything else of their band.
    IsLow: bool
}

type Rows = {
    /// Nodes first, by index; then passages.
    Items: Item[]
    /// The items that each arrow visits, from its source to its target.
    Chains: int[][]
    /// The items of each column from top to bottom.
    Columns: int[][]
    /// The name of each band.
    Bands: string[]
}

/// Bands from top to bottom: half of the groups, the nodes without a group, the other groups.
let private bands (parts: Parts) =
    let groups =
        parts.Nodes
        |> Array.map (fun node -> node.Group)
        |> Array.distinct
        |> Array.filter ((<>) "")

    let above, below = groups |> Array.splitAt ((groups.Length + 1) / 2)
    Array.concat [ above; [| "" |]; below ]

/// Errors of one readout that pass a column in the same way share their passage.
let private chains (parts: Parts) (columns: int[]) (bandOf: int[]) (middle: int) =
    let items =
        List(
            Seq.init parts.Nodes.Length (fun node -> {
                Column = columns[node]
                Band = bandOf[node]
                IsLow = false
            })
        )

    let shared = Dictionary()

    let passage arrow band column =
        let isError = arrow.Paint = Paint.Error

        let add () =
            items.Add {
                Column = column
                Band = band
                IsLow = isError
            }

            items.Count - 1

        if isError then
            let key = arrow.Source, arrow.Marks, band, column

            if not (shared.ContainsKey key) then
                shared[key] <- add ()

            shared[key]
        else
            add ()

    let chain (arrow: Arrow) = [|
        let from, into = columns[arrow.Source], columns[arrow.Target]
        let direction = sign (into - from)
        let source = bandOf[arrow.Source]
        let band = if source = bandOf[arrow.Target] then source else middle
        arrow.Source

        if direction <> 0 then
            for column in from + direction .. direction .. into - direction do
                passage arrow band column

        arrow.Target
    |]

    let all = parts.Arrows |> Array.map chain
    items.ToArray(), all

/// Every step of an arrow from a column to the next one: the item on the left, the item on the right.
let steps (items: Item[]) (chains: int[][]) =
    chains
    |> Array.collect Array.pairwise
    |> Array.filter (fun (a, b) -> items[a].Column <> items[b].Column)
    |> Array.map (fun (a, b) -> if items[a].Column < items[b].Column then a, b else b, a)

let private crossings (position: int[]) (between: (int * int)[]) =
    let ends = between |> Array.map (fun (a, b) -> position[a], position[b])
    let mutable count = 0

    for i in 1 .. ends.Length - 1 do
        for j in 0 .. i - 1 do
            let (a, b), (c, d) = ends[i], ends[j]

            if (a - c) * (b - d) < 0 then
                count <- count + 1

    count

/// The position of each item in its column.
let positions (count: int) (columns: int[][]) =
    let position = Array.zeroCreate count
    columns |> Array.iter (Array.iteri (fun i item -> position[item] <- i))
    position

/// Orders one column by the mean position of the neighbours on one side.
let private byBarycentre (items: Item[]) (neighbours: int[][]) (position: int[]) column =
    let centre item =
        match neighbours[item] with
        | [||] -> float position[item]
        | some -> some |> Array.averageBy (fun other -> float position[other])

    column
    |> Array.sortBy (fun item -> items[item].Band, items[item].IsLow, centre item, position[item])

/// Swaps neighbours in a column for as long as that removes crossings.
let private untangle (items: Item[]) (between: (int * int)[][]) (columns: int[][]) =
    let position = positions items.Length columns

    let around c =
        (if c > 0 then crossings position between[c - 1] else 0)
        + (if c < between.Length then
               crossings position between[c]
           else
               0)

    let trySwap c i =
        let column = columns[c]
        let upper, lower = column[i], column[i + 1]

        let swap () =
            let high, low = column[i], column[i + 1]
            column[i] <- low
            column[i + 1] <- high
            position[low] <- i
            position[high] <- i + 1

        if items[upper].Band = items[lower].Band && items[upper].IsLow = items[lower].IsLow then
            let before = around c
            swap ()

            if around c >= before then
                swap ()

    for _ in 1..6 do
        for c in 0 .. columns.Length - 1 do
            for i in 0 .. columns[c].Length - 2 do
                trySwap c i

/// Sweeps to and fro, and keeps the order with the fewest crossings.
let private reduceCrossings (items: Item[]) (chains: int[][]) (first: int[][]) =
    let all = steps items chains |> Array.distinct

    let neighbours pick other =
        let byItem = all |> Array.groupBy pick |> Map.ofArray

        Array.init items.Length (fun item ->
            byItem.TryFind item |> Option.defaultValue [||] |> Array.map other)

    let onLeft, onRight = neighbours snd fst, neighbours fst snd

    let between =
        Array.init (max 0 (first.Length - 1)) (fun c ->
            all |> Array.filter (fun (a, _) -> items[a].Column = c))

    let total columns =
        let position = positions items.Length columns
        between |> Array.sumBy (crossings position)

    let sweep (columns: int[][]) toRight =
        let next = Array.copy columns
        let range = [ 0 .. columns.Length - 1 ]

        for c in (if toRight then range else List.rev range) do
            let position = positions items.Length next
            next[c] <- byBarycentre items (if toRight then onLeft else onRight) position next[c]

        next

    // Crossings are counted pair by pair, which is too slow for so many, and no reader can follow them.
    let isLarge = all.Length > 600

    let candidates =
        [ 1 .. (if isLarge then 4 else 14) ]
        |> List.scan (fun columns turn -> sweep columns (turn % 2 = 1)) first
        |> List.tail

    if isLarge then
        List.last candidates
    else
        let best = candidates |> List.minBy total |> Array.map Array.copy
        untangle items between best
        best

/// Arranges the nodes of a picture, whose columns are known, in rows.
let ofColumns (parts: Parts) (columns: int[]) : Rows =
    let bands = bands parts

    let bandOf =
        parts.Nodes |> Array.map (fun node -> System.Array.IndexOf(bands, node.Group))

    let items, chains = chains parts columns bandOf (System.Array.IndexOf(bands, ""))

    let width = items |> Array.fold (fun most item -> max most (item.Column + 1)) 0

    let first =
        Array.init width (fun c ->
            [| 0 .. items.Length - 1 |]
            |> Array.filter (fun i -> items[i].Column = c)
            |> Array.sortBy (fun i -> items[i].Band, items[i].IsLow, i))

    {
        Items = items
        Chains = chains
        Columns =
            if width = 0 then
                [||]
            else
                reduceCrossings items chains first
        Bands = bands
    }

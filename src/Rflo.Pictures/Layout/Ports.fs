/// Where the arrows of a picture touch its nodes.
module internal Rflo.Pictures.Ports

open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Sizes

type Port = {
    /// 1 on the right of the node, -1 on its left.
    Side: int
    /// How far below the middle of the node.
    Offset: float
}

type Ports = {
    /// By arrow, at its source.
    Leaving: Port[]
    /// By arrow, at its target.
    Arriving: Port[]
    /// The height that a node needs for all of them.
    Heights: float[]
}

/// One end of an arrow before it has a place.
type private Touch = {
    Node: int
    OnSide: int
    Arrow: int
    IsArriving: bool
    /// Touches with one key share a port.
    Shared: int
    /// From top to bottom so that arrows do not cross at the node.
    Order: int * int * int
}

let private touch (parts: Parts) (rows: Rows) (position: int[]) arrow isArriving =
    let chain = rows.Chains[arrow]

    let node, next =
        if isArriving then
            Array.last chain, chain[chain.Length - 2]
        else
            chain[0], chain[1]

    let here, there = rows.Items[node].Column, rows.Items[next].Column
    let isBelow = position[next] > position[node]

    {
        Node = node
        // An arrow within a column bends to the right on its way down, and to the left on its way up.
        OnSide =
            if there <> here then sign (there - here)
            elif isBelow <> isArriving then 1
            else -1
        Arrow = arrow
        IsArriving = isArriving
        Shared =
            if
                parts.Arrows[arrow].Paint = Paint.Error
                && not isArriving
                && next >= parts.Nodes.Length
            then
                -next
            else
                arrow
        Order =
            if there <> here then 1, position[next], arrow
            elif isBelow then 2, -position[next], -arrow
            else 0, -position[next], arrow
    }

/// The touches of one side of one node, with their offsets, and the height that they take.
let private spread (parts: Parts) (touches: Touch[]) =
    let lanes =
        touches
        |> Array.groupBy (fun touch -> touch.Shared, touch.IsArriving)
        |> Array.map snd
        |> Array.sortBy (fun lane -> lane |> Array.map (fun touch -> touch.Order) |> Array.max)

    // Inputs and readouts stay small, however many arrows they have.
    let squeeze =
        if isSmall parts.Nodes[touches[0].Node].Shape then
            0.7
        else
            1.0

    let halves =
        lanes |> Array.map (fun lane -> squeeze * halfLane parts.Arrows[lane[0].Arrow])

    let total = 2.0 * Array.sum halves
    let tops = halves |> Array.scan (fun top half -> top + 2.0 * half) (-total / 2.0)

    let placed = [|
        for i, lane in Array.indexed lanes do
            for touch in lane do
                touch, tops[i] + halves[i]
    |]

    placed, total + 18.0

/// Gives every arrow that is no loop its two ports.
let ofRows (parts: Parts) (rows: Rows) : Ports =
    let position = positions rows.Items.Length rows.Columns
    let nowhere = { Side = 1; Offset = 0.0 }
    let leaving = Array.create parts.Arrows.Length nowhere
    let arriving = Array.create parts.Arrows.Length nowhere
    let heights = Array.zeroCreate parts.Nodes.Length

    let touches = [|
        for arrow in 0 .. parts.Arrows.Length - 1 do
            if parts.Arrows[arrow].Source <> parts.Arrows[arrow].Target then
                touch parts rows position arrow false
                touch parts rows position arrow true
    |]

    for (node, side), some in touches |> Array.groupBy (fun touch -> touch.Node, touch.OnSide) do
        let placed, height = spread parts some
        heights[node] <- max heights[node] height

        for touch, offset in placed do
            let port = { Side = side; Offset = offset }
            (if touch.IsArriving then arriving else leaving)[touch.Arrow] <- port

    {
        Leaving = leaving
        Arriving = arriving
        Heights = heights
    }

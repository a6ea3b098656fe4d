/// The positions of all items of a picture, from their heights.
module internal Rflo.Pictures.Places

open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Ports
open Rflo.Pictures.Sizes
open Rflo.Pictures.Extents
open Rflo.Pictures.Levels

/// A rectangle; left, top, width and height.
type Box = {
    Left: float
    Top: float
    Width: float
    Height: float
} with

    member this.Right = this.Left + this.Width
    member this.Bottom = this.Top + this.Height
    member this.MiddleX = this.Left + this.Width / 2.0
    member this.MiddleY = this.Top + this.Height / 2.0

/// How far an arrow within a column bends out of it: at its control points.
let bulge (distance: float) rank =
    30.0 + min 90.0 (0.16 * distance) + 16.0 * float rank

/// The rank of an arrow among those between the same two ends.
let rankOf (parts: Parts) arrow =
    let same (other: Arrow) =
        other.Source = parts.Arrows[arrow].Source
        && other.Target = parts.Arrows[arrow].Target

    parts.Arrows[.. arrow - 1] |> Array.filter same |> Array.length

/// Widths of the channels left of each column, and right of the last one.
let private channels (parts: Parts) (rows: Rows) (ports: Ports) (level: float[]) =
    let widths = Array.create (rows.Columns.Length + 1) 64.0
    widths[0] <- 0.0
    widths[rows.Columns.Length] <- 0.0

    let widen channel width =
        widths[channel] <- max widths[channel] width

    for arrow in 0 .. parts.Arrows.Length - 1 do
        let drawn, chain = parts.Arrows[arrow], rows.Chains[arrow]
        let label = labelWidth drawn

        for a, b in Array.pairwise chain do
            let left, right = rows.Items[a].Column, rows.Items[b].Column
            let rise = abs (level[a] - level[b])

            if left <> right then
                let isLabelled =
                    chain.Length = 2 || (drawn.Paint = Paint.Error && b = Array.last chain)

                let text = if isLabelled && label > 0.0 then label + 62.0 else 0.0
                widen (max left right) (max text (min 130.0 (48.0 + 0.28 * rise)))
            elif a <> b then
                let side = if ports.Leaving[arrow].Side > 0 then left + 1 else left
                let reach = 0.75 * bulge rise (rankOf parts arrow)
                widen side (max (reach + label / 2.0) label + 28.0)

    widths

type Places = {
    /// The body of each node.
    Bodies: Box[]
    /// The body with its loops and biases.
    Footprints: Box[]
    /// The middle of each item.
    Levels: float[]
    /// Left and right edge of each column.
    Edges: (float * float)[]
    /// The frame of each group, with the group's name.
    Frames: (string * Box)[]
}

/// The smallest box around others.
let boxAround (boxes: Box seq) =
    let left = boxes |> Seq.map (fun box -> box.Left) |> Seq.min
    let top = boxes |> Seq.map (fun box -> box.Top) |> Seq.min
    let right = boxes |> Seq.map (fun box -> box.Right) |> Seq.max
    let bottom = boxes |> Seq.map (fun box -> box.Bottom) |> Seq.max

    {
        Left = left
        Top = top
        Width = right - left
        Height = bottom - top
    }

/// A frame spans the columns of its nodes, and all heights that its band takes.
let private frames (rows: Rows) (footprints: Box[]) (extents: Extent[]) (level: float[]) =
    rows.Bands
    |> Array.indexed
    |> Array.filter (fun (_, group) -> group <> "")
    |> Array.map (fun (band, group) ->
        let inBand i = rows.Items[i].Band = band

        let around =
            footprints
            |> Array.indexed
            |> Array.filter (fst >> inBand)
            |> Seq.map snd
            |> boxAround

        let members = [ 0 .. level.Length - 1 ] |> List.filter inBand
        let top = members |> List.map (fun i -> level[i] - extents[i].Above) |> List.min
        let bottom = members |> List.map (fun i -> level[i] + extents[i].Below) |> List.max

        group,
        {
            Left = around.Left - 16.0
            Top = top - frameAbove + 4.0
            Width = around.Width + 32.0
            Height = bottom - top + frameAbove + frameBelow - 8.0
        })

/// Places what stands in rows.
let ofRows (parts: Parts) (rows: Rows) (ports: Ports) : Places =
    let bodies =
        ports.Heights
        |> Array.mapi (fun node height -> body parts.Nodes[node] (loopsOf parts node) height)

    let extents = extents parts rows bodies
    let level = levels parts rows ports extents |> stack rows extents

    let widths =
        rows.Columns
        |> Array.map (Array.fold (fun most i -> max most extents[i].Across) 40.0)

    let channels = channels parts rows ports level

    let edges =
        (channels, Array.append widths [| 0.0 |])
        ||> Array.zip
        |> Array.scan
            (fun (_, right) (channel, width) -> right + channel, right + channel + width)
            (0.0, 0.0)
        |> fun all -> all[1 .. rows.Columns.Length]

    let box node width above below =
        let left, right = edges[rows.Items[node].Column]

        {
            Left = (left + right - width) / 2.0
            Top = level[node] - above
            Width = width
            Height = above + below
        }

    let nodes = [| 0 .. parts.Nodes.Length - 1 |]

    let footprints =
        nodes
        |> Array.map (fun node ->
            let extent = extents[node]
            box node extent.Across extent.Above extent.Below)

    {
        Bodies =
            nodes
            |> Array.map (fun node ->
                let width, height = bodies[node]
                box node width (height / 2.0) (height / 2.0))
        Footprints = footprints
        Levels = level
        Edges = edges
        Frames = frames rows footprints extents level
    }

/// The curves of a picture's arrows.
module internal Rflo.Pictures.Routes

open System
open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Ports
open Rflo.Pictures.Sizes
open Rflo.Pictures.Extents
open Rflo.Pictures.Places

type Point = { X: float; Y: float }

/// A cubic Bézier curve.
type Cubic = {
    From: Point
    FirstControl: Point
    SecondControl: Point
    To: Point
}

type Route = {
    Curve: Cubic list
    /// Where the arrow touches its target.
    Tip: Point
    /// Where it points, in degrees clockwise from the right.
    Angle: float
}

/// The length of the longest ending: the curve stops so far before the tip.
let headLength = 10.0

let at x y = { X = x; Y = y }

/// The point of a cubic at t in [0, 1].
let pointOf (cubic: Cubic) t =
    let s = 1.0 - t

    let mix a b c d =
        s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d

    at
        (mix cubic.From.X cubic.FirstControl.X cubic.SecondControl.X cubic.To.X)
        (mix cubic.From.Y cubic.FirstControl.Y cubic.SecondControl.Y cubic.To.Y)

/// A cubic that is level at both ends.
let private wave a b =
    let half = (b.X - a.X) / 2.0

    {
        From = a
        FirstControl = at (a.X + half) a.Y
        SecondControl = at (b.X - half) b.Y
        To = b
    }

let private line a b = {
    From = a
    FirstControl = at (a.X + (b.X - a.X) / 3.0) (a.Y + (b.Y - a.Y) / 3.0)
    SecondControl = at (b.X - (b.X - a.X) / 3.0) (b.Y - (b.Y - a.Y) / 3.0)
    To = b
}

/// A loop above a node, around some x.
let private loop (place: Box) x =
    let left, right = x - 14.0, x + 14.0
    let high = place.Top - loopHeight / 0.75

    {
        Curve = [
            {
                From = at left place.Top
                FirstControl = at (left - 7.0) high
                SecondControl = at (right + 2.0) (high - 3.0)
                To = at right (place.Top - headLength)
            }
        ]
        Tip = at right place.Top
        Angle = 90.0
    }

let private loopRoute (parts: Parts) (places: Places) arrow =
    let place = places.Bodies[parts.Arrows[arrow].Source]

    let along =
        loopsOf parts parts.Arrows[arrow].Source |> List.map loopWidth |> middles

    loop place (place.MiddleX + along[rankOf parts arrow])

/// Where a port lies on the border of its node.
let private border (parts: Parts) (places: Places) node (port: Port) =
    let place = places.Bodies[node]

    let inset =
        inset parts.Nodes[node].Shape port.Side (place.Width, place.Height) port.Offset

    let x =
        if port.Side > 0 then
            place.Right - inset
        else
            place.Left + inset

    at x (place.MiddleY + port.Offset)

let private edge (places: Places) column side =
    let left, right = places.Edges[column]
    if side > 0 then right else left

/// Down or up beside a column.
let private arc (rows: Rows) (places: Places) (parts: Parts) arrow side start stop =
    let x = edge places rows.Items[parts.Arrows[arrow].Source].Column side
    let reach = float side * bulge (abs (start.Y - stop.Y)) (rankOf parts arrow)
    let a, b = at x start.Y, at x stop.Y

    [
        line start a
        {
            From = a
            FirstControl = at (x + reach) a.Y
            SecondControl = at (x + reach) b.Y
            To = b
        }
        line b stop
    ]

/// From column to column, level through each of them.
let private across (rows: Rows) (places: Places) (chain: int[]) direction start stop =
    let column item = rows.Items[item].Column

    let passages = [
        for item in chain[1 .. chain.Length - 2] do
            at (edge places (column item) -direction) places.Levels[item]
            at (edge places (column item) direction) places.Levels[item]
    ]

    let corners =
        [ at (edge places (column chain[0]) direction) start.Y ]
        @ passages
        @ [
            at (edge places (column (Array.last chain)) -direction) stop.Y
        ]

    let bends =
        corners
        |> List.pairwise
        |> List.mapi (fun i (a, b) -> if i % 2 = 0 then wave a b else line a b)

    [ line start corners.Head ] @ bends @ [ line (List.last corners) stop ]

/// The way of an arrow.
let ofArrow (parts: Parts) (rows: Rows) (ports: Ports) (places: Places) arrow : Route =
    let drawn = parts.Arrows[arrow]

    if drawn.Source = drawn.Target then
        loopRoute parts places arrow
    else
        let side = ports.Arriving[arrow].Side
        let start = border parts places drawn.Source ports.Leaving[arrow]
        let tip = border parts places drawn.Target ports.Arriving[arrow]
        let stop = at (tip.X + float side * headLength) tip.Y
        let chain = rows.Chains[arrow]
        let columns = rows.Items[chain[0]].Column, rows.Items[Array.last chain].Column

        {
            Curve =
                if fst columns = snd columns then
                    arc rows places parts arrow side start stop
                else
                    across rows places chain (sign (snd columns - fst columns)) start stop
            Tip = tip
            Angle = if side > 0 then 180.0 else 0.0
        }

/// The constants 1 below a node: where each stands, and its way up.
let ofBiases (parts: Parts) (places: Places) node : (Arrow * Point * Route) list =
    let place = places.Bodies[node]
    let biases = biasesOf parts node
    let widths = biases |> List.map biasWidth
    let along = middles widths

    biases
    |> List.mapi (fun i bias ->
        // Where the row is wider than the node, the outer arrows lean inwards.
        let centre =
            at
                (place.MiddleX + along[i] - widths[i] / 2.0 + 1.5 * biasRadius)
                (place.Bottom + biasDrop)

        let x = centre.X |> max (place.Left + 16.0) |> min (place.Right - 16.0)
        let tip = at x place.Bottom
        let length = sqrt ((tip.X - centre.X) ** 2.0 + (tip.Y - centre.Y) ** 2.0)

        let along distance =
            at
                (tip.X + distance * (centre.X - tip.X) / length)
                (tip.Y + distance * (centre.Y - tip.Y) / length)

        bias,
        centre,
        {
            Curve = [ line (along (length - biasRadius)) (along headLength) ]
            Tip = tip
            Angle = Math.Atan2(tip.Y - centre.Y, tip.X - centre.X) * 180.0 / Math.PI
        })

/// Positions of the labels on a picture's arrows.
module internal Rflo.Pictures.Labels

open Rflo.Pictures.Parts
open Rflo.Pictures.Rows
open Rflo.Pictures.Sizes
open Rflo.Pictures.Places
open Rflo.Pictures.Routes

let private around (arrow: Arrow) (point: Point) =
    let width = labelWidth arrow

    {
        Left = point.X - width / 2.0
        Top = point.Y - labelHeight / 2.0
        Width = width
        Height = labelHeight
    }

/// The area that two boxes share.
let overlap (a: Box) (b: Box) =
    let wide = min a.Right b.Right - max a.Left b.Left
    let high = min a.Bottom b.Bottom - max a.Top b.Top
    if wide > 0.0 && high > 0.0 then wide * high else 0.0

/// Points along a curve, close enough to find what it crosses.
let sample (route: Route) = [|
    for cubic in route.Curve do
        for t in 0.0..0.04..1.0 do
            pointOf cubic t
|]

let private contains (box: Box) (point: Point) =
    point.X > box.Left
    && point.X < box.Right
    && point.Y > box.Top
    && point.Y < box.Bottom

/// The bend on which a label slides, and where on it the label would best be.
let private slide (rows: Rows) (arrow: Arrow) chain (route: Route) =
    let columns = Array.map (fun item -> rows.Items[item].Column) chain

    match route.Curve with
    | [ only ] -> only, 0.5
    | curve when columns[0] = Array.last columns -> curve[1], 0.5
    // Errors of one readout run together; only the last bend is an arrow's own.
    | curve when arrow.Paint = Paint.Error -> curve[curve.Length - 2], 0.6
    | [ _; bend; _ ] -> bend, 0.5
    // Level through the passage in which `labelledPassage` keeps room.
    | curve -> curve[2 * (chain.Length / 2)], 0.5

/// A label around a point of a bend. Where the bend leads back to the column that it came from, the label stays beside
/// that column.
let private beside (arrow: Arrow) (bend: Cubic) (point: Point) =
    let box = around arrow point

    let side =
        if bend.From.X = bend.To.X then
            sign (bend.FirstControl.X - bend.From.X)
        else
            0

    match side with
    | 1 -> {
        box with
            Left = max box.Left (bend.From.X + 4.0)
      }
    | -1 -> {
        box with
            Left = min box.Left (bend.From.X - 4.0 - box.Width)
      }
    | _ -> box

/// The places where a label may stand, best first.
let private candidates rows (arrow: Arrow) chain route =
    let bend, best = slide rows arrow chain route

    [ 0.0; -0.08; 0.08; -0.16; 0.16; -0.24; 0.24; -0.32; 0.32 ]
    |> List.filter (fun away -> abs away < 0.01 || chain.Length = 2 || arrow.Paint = Paint.Error)
    |> List.map (fun away -> pointOf bend (best + away) |> beside arrow bend)

/// How bad a place is: on a node, on another label, on another arrow.
let private cost (nodes: Box[]) (taken: Box list) (others: Point[]) (box: Box) =
    1e6 * Array.sumBy (overlap box) nodes
    + 10.0 * List.sumBy (overlap box) taken
    + 15.0 * float (others |> Array.filter (contains box) |> Array.length)

/// The box of every arrow's label, where it has one. Places with little choice are taken first.
let ofRoutes
    (parts: Parts)
    (rows: Rows)
    (places: Places)
    (routes: Route[])
    (biases: Box list)
    : Box option[] =
    let samples = routes |> Array.map sample
    let labels: Box option[] = Array.create routes.Length None

    let isLoop arrow =
        parts.Arrows[arrow].Source = parts.Arrows[arrow].Target

    let labelled =
        [ 0 .. routes.Length - 1 ]
        |> List.filter (fun arrow -> not parts.Arrows[arrow].Marks.IsEmpty)
        |> List.sortBy (fun arrow ->
            if isLoop arrow then 0
            elif parts.Arrows[arrow].Paint = Paint.Error then 3
            elif rows.Chains[arrow].Length > 2 then 1
            else 2)

    let place taken arrow =
        let drawn = parts.Arrows[arrow]

        let others =
            // With many arrows every place is on some arrow, so they are not compared.
            if routes.Length > 300 then
                [||]
            else
                samples |> Array.removeAt arrow |> Array.concat

        let nodes = places.Bodies

        let box =
            if isLoop arrow then
                let top = pointOf routes[arrow].Curve.Head 0.5
                around drawn (at top.X (top.Y - labelHeight / 2.0 - 2.0))
            else
                candidates rows drawn rows.Chains[arrow] routes[arrow]
                |> List.indexed
                |> List.minBy (fun (rank, box) -> cost nodes taken others box + 2.0 * float rank)
                |> snd

        labels[arrow] <- Some box
        box :: taken

    // No label covers the end of an arrow.
    let tips = [
        for route in routes do
            let last = (List.last route.Curve).To

            {
                Left = min last.X route.Tip.X - 4.0
                Top = min last.Y route.Tip.Y - 5.0
                Width = abs (last.X - route.Tip.X) + 8.0
                Height = abs (last.Y - route.Tip.Y) + 10.0
            }
    ]

    labelled |> List.fold place (tips @ biases) |> ignore
    labels

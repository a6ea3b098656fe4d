/// A circuit with a place for everything that its picture shows.
module internal Rflo.Pictures.Layout

open Rflo.Dsl
open Rflo.Pictures.Parts
open Rflo.Pictures.Sizes
open Rflo.Pictures.Places
open Rflo.Pictures.Routes

type DrawnArrow = {
    Arrow: Arrow
    Route: Route
    Label: Box option
    /// Where the constant 1 stands, if the arrow comes from there.
    One: Point option
}

type Layout = {
    Nodes: (Node * Box)[]
    Arrows: DrawnArrow[]
    Frames: (string * Box)[]
    /// Everything lies in here.
    View: Box
}

let private biasLabel (bias: Arrow) (centre: Point) =
    if bias.Marks.IsEmpty then
        None
    else
        Some {
            Left = centre.X + biasRadius + 3.0
            Top = centre.Y - labelHeight / 2.0
            Width = labelWidth bias
            Height = labelHeight
        }

let private dot (point: Point) radius = {
    Left = point.X - radius
    Top = point.Y - radius
    Width = 2.0 * radius
    Height = 2.0 * radius
}

let private view (places: Places) (arrows: DrawnArrow[]) =
    let boxes = [|
        yield! places.Footprints
        yield! Array.map snd places.Frames

        for arrow in arrows do
            yield! Option.toArray arrow.Label

            for point in Labels.sample arrow.Route do
                dot point 3.0

            match arrow.One with
            | Some centre -> dot centre biasRadius
            | None -> ()
    |]

    match boxes with
    | [||] -> {
        Left = 0.0
        Top = 0.0
        Width = 240.0
        Height = 60.0
      }
    | _ ->
        let margin = 24.0
        let box = boxAround boxes

        {
            Left = box.Left - margin
            Top = box.Top - margin
            Width = box.Width + 2.0 * margin
            Height = box.Height + 2.0 * margin
        }

/// Lays a circuit out in at most so many columns, where possible: the flow from left to right, groups one below the other, errors
/// back below everything.
let within (columns: int) (circuit: Circuit) : Layout =
    let parts = Dissection.ofCircuit circuit
    let rows = Layers.columns columns parts |> Rows.ofColumns parts
    let ports = Ports.ofRows parts rows
    let places = Places.ofRows parts rows ports

    let routes = Array.init parts.Arrows.Length (Routes.ofArrow parts rows ports places)

    let biases = [|
        for node in 0 .. parts.Nodes.Length - 1 do
            for bias, centre, route in Routes.ofBiases parts places node do
                {
                    Arrow = bias
                    Route = route
                    Label = biasLabel bias centre
                    One = Some centre
                }
    |]

    let ones = [
        for bias in biases do
            yield! Option.toList bias.Label
            yield! bias.One |> Option.map (fun centre -> dot centre biasRadius) |> Option.toList
    ]

    let labels = Labels.ofRoutes parts rows places routes ones

    let arrows = [|
        for i, arrow in Array.indexed parts.Arrows do
            {
                Arrow = arrow
                Route = routes[i]
                Label = labels[i]
                One = None
            }

        yield! biases
    |]

    {
        Nodes = Array.zip parts.Nodes places.Bodies
        Arrows = arrows
        Frames = places.Frames
        View = view places arrows
    }

/// Lays a circuit out for a slide.
let ofCircuit (circuit: Circuit) : Layout = within Layers.mostColumns circuit

/// The size in points of the smallest words of a picture that is so many millimetres wide.
let smallestText (width: float) (layout: Layout) =
    Sizes.smallest * width / layout.View.Width * 72.0 / 25.4

/// Lays a circuit out for a page: in fewer columns than on a slide, one above the other, if its words would otherwise be too
/// small to read.
let ofPage (width: float) (circuit: Circuit) : Layout =
    let rec narrower columns (best: Layout) =
        let isReadable = smallestText width best >= 5.0

        if isReadable || columns < 3 then
            best
        else
            let next = within columns circuit
            narrower (columns - 1) (if next.View.Width < best.View.Width then next else best)

    narrower (Layers.mostColumns - 1) (ofCircuit circuit)

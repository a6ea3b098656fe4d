namespace Rflo.Pictures

open Rflo.Dsl
open Rflo.Pictures.Parts
open Rflo.Pictures.Layout
open Rflo.Pictures.Ink

/// Millimetres on paper.
[<Measure>]
type mm

/// Pictures of circuits, in the format of a slide.
[<RequireQualifiedAccess>]
module Picture =

    let private summary (circuit: Circuit) =
        let count one (parts: 'part list) =
            if parts.Length = 1 then
                $"1 {one}"
            else
                $"{parts.Length} {one}s"

        String.concat ", " [
            "Circuit: " + count "area" circuit.Areas
            count "input" circuit.Inputs
            count "readout" circuit.Readouts
            count "projection" circuit.Projections
        ]

    /// Draws with a width and a height, as SVG has them, and fonts.
    let private draw (width: string) (height: string) (fonts: string) circuit (layout: Layout) =
        let view = layout.View
        let box = $"{n view.Left} {n view.Top} {n view.Width} {n view.Height}"

        // Errors lie below the projections, words above all lines.
        let errors, projections =
            layout.Arrows |> Array.partition (fun drawn -> drawn.Arrow.Paint = Paint.Error)

        element "svg" [
            "xmlns", "http://www.w3.org/2000/svg"
            "viewBox", box
            "width", width
            "height", height
            "role", "img"
            "aria-label", summary circuit
            "font-family", fonts
        ] [
            rectangle view.Left view.Top view.Width view.Height 0.0 [ "fill", paper ]

            for frame in layout.Frames do
                "\n" + Nodes.frame frame

            for arrow in Array.append errors projections do
                "\n" + Arrows.draw arrow

            for node in layout.Nodes do
                "\n" + Nodes.draw node

            for arrow in layout.Arrows do
                for label in Arrows.drawLabel arrow do
                    "\n" + label

            if layout.Nodes.Length = 0 then
                words 120.0 34.0 13.0 quiet false "an empty circuit"

            "\n"
        ]

    let private onScreen circuit (layout: Layout) =
        draw (n layout.View.Width) (n layout.View.Height) fonts circuit layout

    let private style =
        """
body { margin: 0 auto; padding: 24px; max-width: 1400px; color: #1b1f24; background: #ffffff; font: 15px/1.5 "Helvetica Neue", Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 26px; margin: 0 0 16px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 28px 0 8px; }
figure { margin: 0; }
figure svg { max-width: 100%; height: auto; }
.legend { list-style: none; margin: 20px 0 0; padding: 0; columns: 3 300px; column-gap: 32px; font-size: 13px; }
.legend li { display: flex; gap: 12px; align-items: center; padding: 3px 0; break-inside: avoid; }
.legend svg { flex: none; }
.words { margin: 0; padding-left: 20px; font-size: 14px; overflow-wrap: anywhere; }
@media print { body { padding: 0; } }
"""

    /// The circuit as an SVG picture: the flow from left to right, also of a circuit with problems. The same circuit
    /// gives the same text.
    let svg (circuit: Circuit) : string =
        Layout.ofCircuit circuit |> onScreen circuit

    /// The default font of a printed picture.
    let private printedFont = "Helvetica"

    /// `Picture.printIn "Times New Roman" 85.0<mm> network` is the picture for a page: so many millimetres wide, with its words in this font.
    /// It stands in fewer columns than on a slide where its words would be smaller than 5 points; `Picture.smallestText` is their
    /// size. A font much wider than Helvetica runs over the boxes.
    /// A width that is no positive number is an ArgumentOutOfRangeException.
    let printIn (font: string) (width: float<mm>) (circuit: Circuit) : string =
        if not (System.Double.IsFinite(float width) && width > 0.0<mm>) then
            raise (
                System.ArgumentOutOfRangeException(
                    nameof width,
                    $"the picture is %g{float width} mm wide; give a positive width, such as 180.0<mm>"
                )
            )

        let layout = Layout.ofPage (float width) circuit
        let height = width * layout.View.Height / layout.View.Width
        draw $"{n (float width)}mm" $"{n (float height)}mm" $"{font}, {fonts}" circuit layout

    /// `Picture.print 180.0<mm> network` is the picture for a page, so many millimetres wide, with its words in Helvetica.
    let print (width: float<mm>) (circuit: Circuit) : string = printIn printedFont width circuit

    /// The size in points of the smallest words of a picture that is so wide. Journals require at least 5 to 7 points.
    let smallestText (width: float<mm>) (circuit: Circuit) : float =
        Layout.ofPage (float width) circuit |> Layout.smallestText (float width)

    /// The circuit in the language of Graphviz, to be laid out by `dot -Tpdf circuit.dot`, and edited as text before. The same circuit gives
    /// the same text.
    let dot (circuit: Circuit) : string =
        Dissection.ofCircuit circuit |> Dot.ofParts (summary circuit)

    /// `Picture.html "reach" c` is a self-contained page: the picture of c, its legend, and
    /// the circuit in words.
    let html (title: string) (circuit: Circuit) : string =
        let layout = Layout.ofCircuit circuit
        let lines = Circuit.describe circuit

        String.concat "\n" [
            "<!DOCTYPE html>"
            "<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"
            element "title" [] [ escape title ]
            $"<style>{style}</style></head>"
            "<body>"
            element "h1" [] [ escape title ]
            element "figure" [] [ onScreen circuit layout; Legend.html layout ]

            if not lines.IsEmpty then
                "<h2>In words</h2>"

                element "ul" [ "class", "words" ] [
                    for line in lines -> "\n" + element "li" [] [ escape line ]
                ]

            "</body></html>"
            ""
        ]

    let private endsIn (extension: string) (file: string) =
        file.EndsWith(extension, System.StringComparison.OrdinalIgnoreCase)

    /// Whether a picture can be written into a file of that name: one that ends in .svg, .html, .dot or .gv.
    let isKnown (file: string) =
        [ ".svg"; ".html"; ".htm"; ".dot"; ".gv" ]
        |> List.exists (fun extension -> endsIn extension file)

    /// The picture for a file of that name: SVG, a file for Graphviz, or else a page.
    let forFile (file: string) title circuit =
        if endsIn ".svg" file then
            svg circuit
        elif endsIn ".dot" file || endsIn ".gv" file then
            dot circuit
        else
            html title circuit

namespace Rflo.Host

open System
open System.Globalization
open System.Security.Cryptography
open System.Text
open System.Text.Json
open System.Text.Json.Nodes
open System.Text.RegularExpressions
open Plotly.NET
open Rflo.Pictures

/// A figure of a page as SVG, for papers and slides: lines, points, bands between lines, axes with their titles, a legend. A chart of another
/// kind, such as a map of colours, has no such file.
[<RequireQualifiedAccess>]
module internal VectorFigure =

    let private width, legendHeight, lineHeight = 640.0, 20.0, 13.0
    let private leastLeft, right, bottom = 66.0, 14.0, 48.0
    let private letterWidth = 6.6
    let private font = "Helvetica, Arial, Liberation Sans, sans-serif"
    let private ink, grey = "#1b1f24", "#5b6470"

    let private n (value: float) =
        let text = Math.Round(value, 2).ToString("0.##", CultureInfo.InvariantCulture)
        if text = "-0" then "0" else text

    let private element name attributes content =
        Ink.element name attributes (if content = "" then [] else [ content ])

    /// A colour and its opacity; not every reader of SVG takes rgba.
    let private paint name (colour: string) =
        let found = Regex.Match(colour, @"^rgba\((.*),([^,]*)\)$")

        if found.Success then
            [
                name, $"rgb({found.Groups[1].Value})"
                $"{name}-opacity", found.Groups[2].Value.Trim()
            ]
        else
            [ name, colour ]

    // Axes.

    type private Axis = {
        IsLog: bool
        /// Ends, as logarithms where the axis is logarithmic.
        Low: float
        High: float
        /// Pixels of these ends.
        From: float
        To: float
        Title: string
        /// Values and their words.
        Ticks: (float * string) list
    }

    let private onAxis (axis: Axis) value =
        let scaled = if axis.IsLog then log10 value else value

        axis.From + (scaled - axis.Low) / (axis.High - axis.Low) * (axis.To - axis.From)

    let private isShown (axis: Axis) value =
        Double.IsFinite value && (not axis.IsLog || value > 0.0)

    let private axisOf name (layout: JsonNode) (values: float[]) (from, until) =
        let get path = name :: path
        let isLog = FigureJson.text (get [ "type" ]) layout = Some "log"

        let low, high =
            match FigureJson.numbers (get [ "range" ]) layout with
            | [| low; high |] when low < high -> low, high
            | _ ->
                let low, high =
                    values
                    |> Array.filter (fun value -> not isLog || value > 0.0)
                    |> Array.singleton
                    |> Figures.limits

                if isLog then
                    log10 (max 1e-300 low), log10 (max 1e-300 high)
                else
                    low, high

        let ticks =
            match
                FigureJson.numbers (get [ "tickvals" ]) layout,
                FigureJson.texts (get [ "ticktext" ]) layout
            with
            | at, words when at.Length > 0 && at.Length = words.Length ->
                List.ofArray (Array.zip at words)
            | _ when isLog -> [
                for tick in Style.logTicks (10.0 ** low) (10.0 ** high) -> tick, Style.tickText tick
              ]
            | _ -> [
                for tick in Style.evenTicks low high ->
                    tick, (Math.Round(tick, 10)).ToString("0.######", CultureInfo.InvariantCulture)
              ]

        {
            IsLog = isLog
            Low = low
            High = high
            From = from
            To = until
            Title = FigureJson.titleOf name layout
            Ticks = ticks
        }

    /// Both axes with as many units a pixel: the one with fewer becomes longer at both ends.
    let private alike (x: Axis) (y: Axis) =
        let perPixel (axis: Axis) =
            (axis.High - axis.Low) / abs (axis.To - axis.From)

        let most = max (perPixel x) (perPixel y)

        let widened (axis: Axis) =
            let middle = (axis.Low + axis.High) / 2.0
            let half = most * abs (axis.To - axis.From) / 2.0
            let low, high = middle - half, middle + half

            {
                axis with
                    Low = low
                    High = high
                    Ticks = [
                        for tick in Style.evenTicks low high ->
                            tick,
                            (Math.Round(tick, 10))
                                .ToString("0.######", CultureInfo.InvariantCulture)
                    ]
            }

        widened x, widened y

    /// Words in which powers may stand raised.
    let private raised (words: string) =
        Regex.Replace(
            Ink.escape words,
            "&lt;sup&gt;(.*?)&lt;/sup&gt;",
            "<tspan dy=\"-4\" font-size=\"8\">$1</tspan><tspan dy=\"4\"> </tspan>"
        )

    let private words x y anchor more content =
        element "text" ([ "x", n x; "y", n y; "text-anchor", anchor; "fill", ink ] @ more) content

    let private line x1 y1 x2 y2 colour =
        element
            "line"
            [
                "x1", n x1
                "y1", n y1
                "x2", n x2
                "y2", n y2
                "stroke", colour
                "stroke-width", "1"
            ]
            ""

    let private axes (x: Axis) (y: Axis) = [
        line x.From y.From x.To y.From grey
        line x.From y.From x.From y.To grey

        let inside (axis: Axis) tick =
            let place = onAxis axis tick

            isShown axis tick
            && place >= min axis.From axis.To - 0.5
            && place <= max axis.From axis.To + 0.5

        for tick, name in x.Ticks do
            if inside x tick then
                let place = onAxis x tick
                line place y.From place (y.From + 4.0) grey
                words place (y.From + 17.0) "middle" [] (raised name)

        for tick, name in y.Ticks do
            if inside y tick then
                let place = onAxis y tick
                line (x.From - 4.0) place x.From place grey
                words (x.From - 7.0) (place + 4.0) "end" [] (raised name)

        words ((x.From + x.To) / 2.0) (y.From + 36.0) "middle" [] (raised x.Title)

        let middle = (y.From + y.To) / 2.0

        words 16.0 middle "middle" [ "transform", $"rotate(-90 16 {n middle})" ] (raised y.Title)
    ]

    // Traces.

    let private dashes name =
        match name with
        | Some "dot" -> [ "stroke-dasharray", "1.5,3.5" ]
        | Some "dash" -> [ "stroke-dasharray", "7,4" ]
        | Some "dashdot" -> [ "stroke-dasharray", "7,3,1.5,3" ]
        | _ -> []

    let private stroke (trace: JsonNode) =
        paint "stroke" (FigureJson.text [ "line"; "color" ] trace |> Option.defaultValue ink)
        @ [
            "stroke-width",
            n (FigureJson.number [ "line"; "width" ] trace |> Option.defaultValue 2.0)
            "stroke-linejoin", "round"
        ]
        @ dashes (FigureJson.text [ "line"; "dash" ] trace)

    /// Stretches of points that a line joins: what is not finite is a gap.
    let private stretches (points: (float * float) option[]) =
        (([], []), points)
        ||> Array.fold (fun (ended, current) point ->
            match point, current with
            | Some point, _ -> ended, point :: current
            | None, [] -> ended, []
            | None, _ -> List.rev current :: ended, [])
        |> fun (ended, current) ->
            List.rev (if current.IsEmpty then ended else List.rev current :: ended)

    let private path (points: (float * float) list) =
        points
        |> List.mapi (fun k (x, y) -> (if k = 0 then "M" else "L") + $"{n x} {n y}")
        |> String.concat ""

    let private pixels (x: Axis) (y: Axis) (trace: JsonNode) =
        let xs, ys = FigureJson.numbers [ "x" ] trace, FigureJson.numbers [ "y" ] trace

        Array.init (min xs.Length ys.Length) (fun k ->
            if isShown x xs[k] && isShown y ys[k] then
                Some(onAxis x xs[k], onAxis y ys[k])
            else
                None)

    /// Plotly's numbers of symbols: 0 a circle, 1 a square, 2 a diamond, 4 an x, 41 a bar; 100 more without a filling.
    let private symbol (trace: JsonNode) =
        let found =
            match
                FigureJson.text [ "marker"; "symbol" ] trace,
                FigureJson.number [ "marker"; "symbol" ] trace
            with
            | _, Some number -> int number
            | Some words, _ ->
                match Int32.TryParse(words, NumberStyles.None, CultureInfo.InvariantCulture) with
                | true, number -> number
                | _ -> 0
            | None, None -> 0

        found % 100, found >= 100 && found < 200

    let private mark (trace: JsonNode) (x, y) =
        let size =
            (FigureJson.number [ "marker"; "size" ] trace |> Option.defaultValue 6.0) / 2.0

        let colour = FigureJson.text [ "marker"; "color" ] trace |> Option.defaultValue ink

        let opacity =
            FigureJson.number [ "marker"; "opacity" ] trace |> Option.defaultValue 1.0

        let kind, isOpen = symbol trace

        let filled =
            (if isOpen then
                 [ "fill", "none"; "stroke", colour; "stroke-width", "1.2" ]
             else
                 paint "fill" colour)
            @ (if opacity < 1.0 then [ "opacity", n opacity ] else [])

        let polygon corners =
            let points = corners |> List.map (fun (x, y) -> $"{n x},{n y}") |> String.concat " "
            element "polygon" (("points", points) :: filled) ""

        match kind with
        | 1 ->
            polygon [
                x - size, y - size
                x + size, y - size
                x + size, y + size
                x - size, y + size
            ]
        | 2 ->
            let reach = 1.3 * size
            polygon [ x, y - reach; x + reach, y; x, y + reach; x - reach, y ]
        | 4 ->
            element
                "path"
                [
                    "d",
                    $"M{n (x - size)} {n (y - size)}L{n (x + size)} {n (y + size)}M{n (x - size)} {n (y + size)}L{n (x + size)} {n (y - size)}"
                    "stroke", colour
                    "stroke-width", "1.6"
                ]
                ""
        | 41 ->
            let colour =
                FigureJson.text [ "marker"; "line"; "color" ] trace
                |> Option.defaultValue colour

            element
                "path"
                [
                    "d", $"M{n (x - size)} {n y}H{n (x + size)}"
                    "stroke", colour
                    "stroke-width", "3"
                ]
                ""
        | _ -> element "circle" ([ "cx", n x; "cy", n y; "r", n size ] @ filled) ""

    let private isOfPoints (trace: JsonNode) =
        match FigureJson.text [ "mode" ] trace with
        | Some mode -> mode.Contains "markers"
        | None -> false

    let private isOfLines (trace: JsonNode) =
        match FigureJson.text [ "mode" ] trace with
        | Some mode -> mode.Contains "lines"
        | None -> true

    /// The points of a histogram: level around each value, up or down half-way between two.
    let private inSteps (points: (float * float) list) = [
        match points with
        | [] -> ()
        | first :: _ -> first

        for (x, y), (next, above) in List.pairwise points do
            let middle = (x + next) / 2.0
            middle, y
            middle, above

        if points.Length > 1 then
            List.last points
    ]

    let private drawn x y (before: JsonNode option) (trace: JsonNode) = [
        let points = pixels x y trace

        match FigureJson.text [ "fill" ] trace, before with
        | Some "tonexty", Some before ->
            let outline =
                List.ofArray (Array.choose id points)
                @ List.rev (List.ofArray (Array.choose id (pixels x y before)))

            if not outline.IsEmpty then
                element
                    "path"
                    (("d", path outline + "Z")
                     :: paint
                         "fill"
                         (FigureJson.text [ "fillcolor" ] trace |> Option.defaultValue grey))
                    ""
        | _ -> ()

        if isOfLines trace && FigureJson.number [ "line"; "width" ] trace <> Some 0.0 then
            let shaped =
                match FigureJson.text [ "line"; "shape" ] trace with
                | Some "hvh" -> inSteps
                | _ -> id

            for stretch in stretches points do
                let stretch = shaped stretch
                element "path" ([ "d", path stretch; "fill", "none" ] @ stroke trace) ""

        if isOfPoints trace then
            for point in Array.choose id points do
                mark trace point
    ]

    // Words in the figure, at places of the axes.

    let private annotations (x: Axis) (y: Axis) (layout: JsonNode) = [
        match FigureJson.at [ "annotations" ] layout with
        | Some(:? JsonArray as all) ->
            for one in all do
                match one with
                | null -> ()
                | one ->
                    match
                        FigureJson.number [ "x" ] one,
                        FigureJson.number [ "y" ] one,
                        FigureJson.text [ "text" ] one
                    with
                    | Some across, Some up, Some said when isShown x across && isShown y up ->
                        let anchor =
                            match FigureJson.text [ "xanchor" ] one with
                            | Some "left" -> "start"
                            | Some "right" -> "end"
                            | _ -> "middle"

                        let down =
                            match FigureJson.text [ "yanchor" ] one with
                            | Some "bottom" -> -2.0
                            | Some "top" -> 11.0
                            | _ -> 4.0

                        let size =
                            match FigureJson.number [ "font"; "size" ] one with
                            | Some size -> [ "font-size", n size ]
                            | None -> []

                        words (onAxis x across) (onAxis y up + down) anchor size (raised said)
                    | _ -> ()
        | _ -> ()
    ]

    // The legend, above the axes, in rows.

    let private entries (traces: JsonNode list) = [
        for trace in traces do
            let isHidden =
                match FigureJson.at [ "showlegend" ] trace with
                | Some value -> value.GetValueKind() = JsonValueKind.False
                | None -> false

            match FigureJson.text [ "name" ] trace with
            | Some name when name <> "" && not isHidden -> name, trace
            | _ -> ()
    ]

    /// Entries with their rows and places, by an estimate of how wide their words are.
    let private laid left (entries: (string * JsonNode) list) =
        (([], (0, left)), entries)
        ||> List.fold (fun (placed, (row, x)) (name, trace) ->
            let wide = 38.0 + 7.0 * float name.Length

            let row, x =
                if x > left && x + wide > width then
                    row + 1, left
                else
                    row, x

            (name, trace, row, x) :: placed, (row, x + wide))
        |> fst
        |> List.rev

    let private legend (placed: (string * JsonNode * int * float) list) = [
        for name, trace, row, x in placed do
            let y = 14.0 + legendHeight * float row

            if isOfPoints trace && not (isOfLines trace) then
                mark trace (x + 10.0, y - 4.0)
            elif (FigureJson.text [ "fill" ] trace).IsSome then
                element
                    "rect"
                    ([ "x", n x; "y", n (y - 9.0); "width", "20"; "height", "9" ]
                     @ paint
                         "fill"
                         (FigureJson.text [ "fillcolor" ] trace |> Option.defaultValue grey))
                    ""
            else
                element "path" ([ "d", $"M{n x} {n (y - 4.0)}H{n (x + 20.0)}" ] @ stroke trace) ""

            words (x + 26.0) y "start" [] (raised name)
    ]

    /// The figure of traces and a layout that were read of a panel's chart; see `ofPanel`.
    let ofJson (panel: Panel) (traces: JsonNode list, layout: JsonNode) =
        match FigureJson.otherKind traces with
        | Some kind ->
            invalidArg (nameof panel) $"a chart of the kind {kind} cannot be written as SVG"
        | None -> ()

        let all name =
            traces |> Seq.collect (FigureJson.numbers [ name ]) |> Array.ofSeq

        let ofY = axisOf "yaxis" layout (all "y")

        // Room for the words at the ticks, such as names of units, beside the title of the axis.
        let left =
            (ofY (1.0, 0.0)).Ticks
            |> List.map (fun (_, words) ->
                34.0 + letterWidth * float (Regex.Replace(words, "<[^>]*>", "")).Length)
            |> List.fold max leastLeft

        let placed = laid left (entries traces)
        let rows = placed |> List.map (fun (_, _, row, _) -> row + 1) |> List.fold max 0

        let top = 8.0 + legendHeight * float rows
        let height = top + float panel.Height - 40.0 + bottom

        let x = axisOf "xaxis" layout (all "x") (left, width - right)
        let y = ofY (height - bottom, top)

        let x, y =
            if (FigureJson.text [ "yaxis"; "scaleanchor" ] layout).IsSome then
                alike x y
            else
                x, y

        let clip =
            element
                "rect"
                [
                    "x", n x.From
                    "y", n y.To
                    "width", n (x.To - x.From)
                    "height", n (y.From - y.To)
                ]
                ""

        let curves =
            FigureJson.withBefore traces
            |> List.collect (fun (before, trace) -> drawn x y before trace)
            |> String.concat "\n"

        // A page may hold several figures, whose clips must differ in name.
        let inside =
            let hash = SHA256.HashData(Encoding.UTF8.GetBytes(clip + curves))
            "inside-" + (Convert.ToHexStringLower hash).Substring(0, 8)

        String.concat "\n" [
            element
                "svg"
                [
                    "xmlns", "http://www.w3.org/2000/svg"
                    "width", n width
                    "height", n height
                    "viewBox", $"0 0 {n width} {n height}"
                    "font-family", font
                    "font-size", n (lineHeight - 1.0)
                    "role", "img"
                    "aria-label", panel.Title
                ]
                (String.concat "\n" [
                    ""
                    element "defs" [] (element "clipPath" [ "id", inside ] clip)
                    yield! legend placed
                    element "g" [ "clip-path", $"url(#{inside})" ] $"\n{curves}\n"
                    yield! annotations x y layout
                    yield! axes x y
                    ""
                ])
            ""
        ]

    /// The figure, without its title and its caption, which stand in the text around it.
    let ofPanel (panel: Panel) =
        ofJson panel (FigureJson.ofChart panel.Chart)

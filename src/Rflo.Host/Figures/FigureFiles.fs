namespace Rflo.Host

open System
open System.IO
open System.Text.Json.Nodes
open Rflo.Runs

/// The figures of a page as files: each as SVG, and the numbers of its curves and points as CSV.
[<RequireQualifiedAccess>]
module internal FigureFiles =

    /// The folder of these files, beside the page.
    [<Literal>]
    let FolderName = "figures"

    /// Letters and digits of a title, with hyphens between its words.
    let private fileName (title: string) =
        let letters =
            title.ToLowerInvariant()
            |> String.map (fun letter -> if Char.IsAsciiLetterOrDigit letter then letter else ' ')

        letters.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> String.concat "-"

    /// A name of its own for each.
    let rec private unlike (taken: string list) name k =
        let tried = if k = 1 then name else $"{name}-{k}"

        if List.contains tried taken then
            unlike taken name (k + 1)
        else
            tried

    /// The panels, each with the name of its files.
    let named (panels: Panel list) =
        ([], panels)
        ||> List.fold (fun named panel ->
            let taken = List.map fst named

            let name =
                match fileName panel.Title with
                | "" -> "figure"
                | name -> name

            (unlike taken name 1, panel) :: named)
        |> List.rev

    /// A place on the horizontal axis as it is read there: a number, or the name that stands at it. Ticks of logarithmic axes are numbers.
    let private readOn layout =
        let names =
            if FigureJson.text [ "xaxis"; "type" ] layout = Some "log" then
                Map.empty
            else
                Map.ofSeq (
                    Seq.zip
                        (FigureJson.numbers [ "xaxis"; "tickvals" ] layout)
                        (FigureJson.texts [ "xaxis"; "ticktext" ] layout)
                )

        fun place ->
            match Map.tryFind place names with
            | Some name -> name
            | None -> TableText.exact place

    let private rowsOf readX name x y = [
        for x: float, y in Array.zip x y do
            if Double.IsFinite x && Double.IsFinite y then
                [ name; readX x; TableText.exact y ]
    ]

    /// The points of a trace: where it is moved up to stand above others, as they were before.
    let private points (trace: JsonNode) =
        let x, y = FigureJson.numbers [ "x" ] trace, FigureJson.numbers [ "y" ] trace
        let values = FigureJson.numbers [ "customdata" ] trace
        x, (if values.Length = y.Length then values else y)

    /// The numbers that a figure draws: a row for each point of a curve that has a name, and for both ends of a band. Guides have no name, and
    /// shades no numbers.
    let numbers (traces: JsonNode list, layout: JsonNode) =
        let titleOr word axis =
            match FigureJson.titleOf axis layout with
            | "" -> word
            | title -> title

        let isMoved =
            traces
            |> List.exists (fun trace -> (FigureJson.at [ "customdata" ] trace).IsSome)

        let heads = [
            "curve"
            titleOr "x" "xaxis"
            // The axis of curves that stand one above the other has their names.
            if isMoved then "value" else titleOr "y" "yaxis"
        ]

        let rowsOf = rowsOf (readOn layout)

        heads,
        [
            for before, trace in FigureJson.withBefore traces do
                match
                    FigureJson.text [ "name" ] trace, FigureJson.text [ "fill" ] trace, before
                with
                | None, _, _
                | Some "", _, _ -> ()
                | Some name, Some _, Some before ->
                    if FigureJson.text [ "meta" ] trace <> Some Style.Shade then
                        yield! points before ||> rowsOf $"{name}, lower end"
                        yield! points trace ||> rowsOf $"{name}, upper end"
                | Some name, _, _ -> yield! points trace ||> rowsOf name
        ]

    /// Writes one figure and a table of its numbers into a folder.
    let private save folder name svg table =
        let within ending = Path.Combine(folder, name + ending)
        TextFiles.Write(within ".svg", svg)
        TableText.writeCsv (within ".csv") table

    /// Writes a figure into a folder, with numbers that are known.
    let writeWith folder name panel table =
        save folder name (VectorFigure.ofPanel panel) table

    /// What is said of figures that were written.
    let words folder (names: string list) =
        let all = String.concat ", " names
        $"figures (.svg) and their numbers (.csv) in {folder}: {all}"

    /// Writes the figures into a folder: the names of those that are written, and what was left out and why.
    let write (folder: string) (panels: Panel list) =
        let results = [
            for name, panel in named panels do
                let json = FigureJson.ofChart panel.Chart

                match FigureJson.otherKind (fst json) with
                | Some kind -> Error(panel.Title, $"a chart of the kind {kind} has no SVG")
                | None ->
                    save folder name (VectorFigure.ofJson panel json) (numbers json)
                    Ok name
        ]

        List.choose Result.toOption results,
        results
        |> List.choose (function
            | Ok _ -> None
            | Error left -> Some left)

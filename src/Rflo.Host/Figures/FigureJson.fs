namespace Rflo.Host

open System.Text.Json
open System.Text.Json.Nodes
open Plotly.NET

/// What Plotly has of a figure, read back: its traces and its layout.
[<RequireQualifiedAccess>]
module internal FigureJson =

    /// The node at the end of a path of names.
    let rec at (path: string list) (node: JsonNode | null) : JsonNode option =
        match path, node with
        | [], _ -> Option.ofObj node
        | name :: rest, (:? JsonObject as fields) -> at rest fields[name]
        | _ -> None

    let private toNumber (node: JsonNode | null) =
        match node with
        | :? JsonValue as value when value.GetValueKind() = JsonValueKind.Number ->
            Some(value.GetValue<float>())
        | _ -> None

    let number path (node: JsonNode) =
        at path node |> Option.bind (fun found -> toNumber found)

    let text path (node: JsonNode) =
        match at path node with
        | Some(:? JsonValue as value) when value.GetValueKind() = JsonValueKind.String ->
            Some(value.ToString())
        | _ -> None

    /// Numbers of an array; NaN for what is none.
    let numbers path (node: JsonNode) = [|
        match at path node with
        | Some(:? JsonArray as all) ->
            for each in all do
                toNumber each |> Option.defaultValue nan
        | _ -> ()
    |]

    let texts path (node: JsonNode) = [|
        match at path node with
        | Some(:? JsonArray as all) ->
            for each in all do
                match each with
                | null -> ""
                | each -> each.ToString()
        | _ -> ()
    |]

    /// The traces of a chart, and its layout.
    let ofChart (chart: GenericChart) =
        let figure = JsonNode.Parse(GenericChart.toFigureJson chart) |> nonNull

        [
            match at [ "data" ] figure with
            | Some(:? JsonArray as all) ->
                for trace in all do
                    match trace with
                    | null -> ()
                    | trace -> trace
            | _ -> ()
        ],
        at [ "layout" ] figure
        |> Option.defaultWith (fun () -> JsonObject() :> JsonNode)

    /// The title of an axis of a layout, such as "xaxis".
    let titleOf axis layout =
        text [ axis; "title"; "text" ] layout
        |> Option.orElse (text [ axis; "title" ] layout)
        |> Option.defaultValue ""

    /// Each trace with the one before it, which is the other end of a band.
    let withBefore (traces: JsonNode list) =
        List.zip (None :: List.map Some traces |> List.truncate traces.Length) traces

    /// A chart of another kind than curves and points, such as a map of colours: none, or its kind.
    let otherKind (traces: JsonNode list) =
        traces
        |> List.tryPick (fun trace ->
            match text [ "type" ] trace with
            | None
            | Some "scatter" -> None
            | Some kind -> Some kind)

/// Reads a report back: what stands in its figures, tiles and captions.
module Rflo.Host.Tests.Parsing

open System.Net
open System.Text.Json
open System.Text.RegularExpressions

/// A figure of a page: its traces by name, in their order.
type Figure = {
    Title: string
    Caption: string
    Traces: (string * float[]) list
}

let private decode (text: string) = WebUtility.HtmlDecode text |> nonNull

let private numbers (array: JsonElement) = [|
    for each in array.EnumerateArray() ->
        match each.ValueKind with
        | JsonValueKind.Number -> each.GetDouble()
        | _ -> nan
|]

let private traces (json: string) =
    use figure = JsonDocument.Parse json

    [
        for trace in figure.RootElement.GetProperty("data").EnumerateArray() do
            let name =
                match trace.TryGetProperty "name" with
                | true, name -> string (name.GetString())
                | _ -> ""

            match trace.TryGetProperty "y" with
            | true, y when y.ValueKind = JsonValueKind.Array -> name, numbers y
            | _ -> ()
    ]

/// The figures of a page.
let figures (html: string) = [
    for found in
        Regex.Matches(
            html,
            "<figure[^>]*><h3>(.*?)</h3><div class=\"plot\"[^>]*><script type=\"application/json\">(.*?)</script></div><figcaption>(.*?)</figcaption>",
            RegexOptions.Singleline
        ) ->
        {
            Title = decode found.Groups[1].Value
            Caption = decode found.Groups[3].Value
            Traces = traces found.Groups[2].Value
        }
]

/// The tiles of a page: value by label.
let tiles (html: string) =
    Map.ofList [
        for found in Regex.Matches(html, "<div class=\"tile\"><b>(.*?)</b><span>(.*?)</span></div>") ->
            decode found.Groups[2].Value, decode found.Groups[1].Value
    ]

/// Terms of a page and what they stand for.
let terms (html: string) = [
    for found in Regex.Matches(html, "<dt>(.*?)</dt><dd>(.*?)</dd>", RegexOptions.Singleline) ->
        decode found.Groups[1].Value, decode found.Groups[2].Value
]

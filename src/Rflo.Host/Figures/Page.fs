namespace Rflo.Host

open System
open System.IO
open System.Net
open System.Reflection
open System.Text
open Plotly.NET

/// A part of a page.
type internal Section =
    | Panels of Panel list
    /// A paragraph.
    | Note of string
    /// Names and their values.
    | Terms of (string * string) list
    /// A heading row and rows.
    /// An SVG file with a title and a caption, embedded as an image, so that its scripts cannot affect the page.
    | Drawing of title: string * svg: string * caption: string
    /// Several of them side by side.
    | Drawings of (string * string * string) list
    | Table of string list * string list list
    /// The same where cells are sentences.
    | Prose of string list * string list list
    /// Text as it is, folded away behind a title.
    | Folded of title: string * text: string

/// The head of a page.
type internal PageHead = {
    Title: string
    Subtitle: string
    /// How the run ended, and whether it completed.
    Status: string * bool
    /// The most important numbers.
    Tiles: (string * string) list
}

/// One self-contained HTML file: plotly.js, style and data are in it.
[<RequireQualifiedAccess>]
module internal Page =

    let private escape (text: string) = WebUtility.HtmlEncode text

    let private plotly =
        lazy
            (let assembly = Assembly.GetAssembly typeof<GenericChart> |> nonNull

             let name =
                 assembly.GetManifestResourceNames()
                 |> Array.find (fun name ->
                     name.Contains "plotly-"
                     && name.EndsWith(".min.js", System.StringComparison.Ordinal))

             use reader = new StreamReader(nonNull (assembly.GetManifestResourceStream name))
             reader.ReadToEnd())

    let private style =
        """
:root { --ink: #1b1f24; --soft: #5b6470; --line: #e3e7ec; --paper: #ffffff; --ground: #f6f7f9; --accent: #0072b2; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 60px; }
header h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
header p { margin: 6px 0 0; color: var(--soft); max-width: 80ch; }
.status { display: inline-block; margin-top: 12px; padding: 2px 12px; border-radius: 999px; font-size: 13px; font-weight: 600; background: #e2f3ec; color: #00614a; }
.status.bad { background: #fbe9df; color: #a04300; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px; margin: 20px 0 4px; }
.tile { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tile b { display: block; font-size: 20px; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; overflow-wrap: anywhere; }
.tile span { color: var(--soft); font-size: 12.5px; }
h2 { font-size: 19px; margin: 34px 0 10px; }
.figures { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin-top: 16px; }
figure { margin: 0; background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 14px 14px 10px; min-width: 0; }
figure.wide { grid-column: 1 / -1; }
figure h3 { margin: 0 0 2px; font-size: 15.5px; }
figcaption { color: var(--soft); font-size: 12.5px; line-height: 1.45; margin-top: 4px; }
.plot { width: 100%; }
.drawing { margin-bottom: 16px; }
.drawing img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 6px 18px; overflow-x: auto; }
dl { display: grid; grid-template-columns: minmax(120px, max-content) 1fr; gap: 0 24px; margin: 0; }
dt, dd { padding: 7px 0; border-top: 1px solid var(--line); margin: 0; overflow-wrap: anywhere; }
dt:first-of-type, dd:first-of-type { border-top: 0; }
dt { font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 8px 12px; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
table.prose th, table.prose td { text-align: left; white-space: normal; vertical-align: top; padding: 8px 10px; font-size: 13.5px; min-width: 60px; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: 13px; }
details { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 10px 18px; margin-top: 16px; }
summary { cursor: pointer; font-weight: 600; }
pre { overflow-x: auto; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.note { color: var(--soft); }
@media (max-width: 720px) { .figures { grid-template-columns: minmax(0, 1fr); } main { padding: 18px 12px 40px; } header h1 { font-size: 25px; } dl { grid-template-columns: 1fr; } dd { border-top: 0; padding-top: 0; } dd:first-of-type { padding-top: 0; } }
@media print { body { background: #fff; } figure, .tile { break-inside: avoid; } details { display: none; } }
"""

    let private script =
        """
const draw = () => document.querySelectorAll(".plot").forEach(place => {
  const figure = JSON.parse(place.querySelector("script").textContent);
  place.textContent = "";
  Plotly.newPlot(place, figure.data, figure.layout, { responsive: true, displaylogo: false,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"], toImageButtonOptions: { format: "svg" } });
});
draw();
"""

    let private panel (text: StringBuilder) (panel: Panel) =
        // The data must not contain the end tag of their script element.
        let json =
            (GenericChart.toFigureJson panel.Chart).Replace("</", "<\\/").Replace("<!", "<\\u0021")

        let kind = if panel.IsWide then " class=\"wide\"" else ""

        text
            .Append($"<figure{kind}><h3>{escape panel.Title}</h3>")
            .Append(
                $"<div class=\"plot\" style=\"height:{panel.Height}px\"><script type=\"application/json\">"
            )
            .Append(json)
            .Append($"</script></div><figcaption>{escape panel.Caption}</figcaption></figure>\n")
        |> ignore

    let private row tag cells =
        let inside =
            cells
            |> List.map (fun cell -> $"<{tag}>{escape cell}</{tag}>")
            |> String.concat ""

        $"<tr>{inside}</tr>"

    let private drawing (text: StringBuilder) (title: string, svg: string, caption: string) =
        let data = Convert.ToBase64String(Encoding.UTF8.GetBytes svg)

        text
            .Append($"<figure class=\"drawing\"><h3>{escape title}</h3>")
            .Append($"<img alt=\"{escape title}\" src=\"data:image/svg+xml;base64,{data}\">")
            .Append($"<figcaption>{escape caption}</figcaption></figure>\n")
        |> ignore

    let private section (text: StringBuilder) section =
        match section with
        | Panels panels ->
            text.Append "<div class=\"figures\">\n" |> ignore
            panels |> List.iter (panel text)
            text.Append "</div>\n" |> ignore
        | Note note -> text.Append($"<p class=\"note\">{escape note}</p>\n") |> ignore
        | Terms terms ->
            let rows =
                terms
                |> List.map (fun (term, what) -> $"<dt>{escape term}</dt><dd>{escape what}</dd>")

            text.Append("<div class=\"card\"><dl>").AppendJoin("", rows).Append "</dl></div>\n"
            |> ignore
        | Drawing(title, svg, caption) -> drawing text (title, svg, caption)
        | Drawings all ->
            text.Append "<div class=\"figures\">\n" |> ignore
            all |> List.iter (drawing text)
            text.Append "</div>\n" |> ignore
        | Table(heads, rows)
        | Prose(heads, rows) ->
            let kind =
                match section with
                | Prose _ -> " class=\"prose\""
                | _ -> ""

            text
                .Append($"<div class=\"card\"><table{kind}><thead>")
                .Append(row "th" heads)
                .Append("</thead><tbody>")
                .AppendJoin("", rows |> List.map (row "td"))
                .Append("</tbody></table></div>\n")
            |> ignore
        | Folded(title, content) ->
            text.Append(
                $"<details><summary>{escape title}</summary><pre>{escape content}</pre></details>\n"
            )
            |> ignore

    /// The figures of sections, in their order.
    let panels (sections: (string * Section list) list) = [
        for _, parts in sections do
            for part in parts do
                match part with
                | Panels panels -> yield! panels
                | _ -> ()
    ]

    /// The page: a head, and sections each with a heading or none.
    let html (head: PageHead) (sections: (string * Section list) list) =
        let text = StringBuilder()
        let status, isGood = head.Status
        let mood = if isGood then "status" else "status bad"

        text
            .Append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
            .Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Append("<link rel=\"icon\" href=\"data:,\">")
            .Append(
                $"<title>{escape head.Title}</title><style>{style}</style></head><body><main>\n"
            )
            .Append($"<header><h1>{escape head.Title}</h1><p>{escape head.Subtitle}</p>")
            .Append(
                $"<span class=\"{mood}\">{escape status}</span></header>\n<div class=\"tiles\">"
            )
            .AppendJoin(
                "",
                head.Tiles
                |> List.map (fun (name, value) ->
                    $"<div class=\"tile\"><b>{escape value}</b><span>{escape name}</span></div>")
            )
            .Append("</div>\n")
        |> ignore

        for heading, parts in sections do
            if heading <> "" then
                text.Append($"<h2>{escape heading}</h2>\n") |> ignore

            List.iter (section text) parts

        text
            .Append("</main>\n<script>")
            .Append(plotly.Value)
            .Append("</script>\n<script>")
            .Append(script)
            .Append("</script></body></html>\n")
            .ToString()

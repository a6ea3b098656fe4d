/// Figures of runs in pages: those of a report, which draw themselves by one copy of plotly.js for the whole site.
module Figures

open System.IO
open System.Text.RegularExpressions

#load "dressing.fsx"

let private script = "plotly.js"

/// A report without the plotly.js in it, which is the last script but one.
let private withoutScript (site: string) (report: string) =
    let found = Regex.Match(report, @"(?s)</main>\n<script>(.*?)</script>\n<script>")

    if not found.Success then
        report
    else
        let code = found.Groups[1]
        let shared = Path.Combine(site, script)

        if not (File.Exists shared) then
            File.WriteAllText(shared, code.Value)

        report.Substring(0, code.Index - "<script>".Length)
        + $"<script src=\"../{script}\">"
        + report.Substring(code.Index + code.Length)

/// Puts a page that a run made into the site; the link to it.
let share (site: string) name (file: string) =
    Directory.CreateDirectory(Path.Combine(site, "reports")) |> ignore
    let link = $"reports/{name}.html"

    lock script (fun () ->
        File.WriteAllText(Path.Combine(site, link), withoutScript site (File.ReadAllText file)))

    link

let private figures = Regex("(?s)<figure[^>]*>.*?</figure>")

/// So many figures of each report that a run left stand in a page; all are behind its link.
let private shown = 3

/// The figures of a run, as markdown.
let ofRun (site: string) name (folder: string) =
    let reports =
        Directory.GetFiles(folder, "*.html", SearchOption.AllDirectories)
        |> Array.sortBy (fun file -> file.Split(Path.DirectorySeparatorChar).Length, file)
        // A comparison has a report that shows all of its runs.
        |> Array.truncate 2

    if reports.Length = 0 then
        ""
    else
        let parts = [
            for k, file in Array.indexed reports do
                let link = share site $"{name}-{k}" file
                let drawn = figures.Matches(File.ReadAllText file) |> Seq.truncate shown

                Dressing.mark (
                    Dressing.Html(
                        "<div class=\"figures\">"
                        + (drawn |> Seq.map _.Value |> String.concat "\n")
                        + "</div>"
                    )
                )

                $"\n[The whole page that the run made]({link})\n"
        ]

        let draw =
            Dressing.mark (
                Dressing.Html(
                    $"""<script src="{script}"></script>
<script>
document.querySelectorAll(".plot").forEach(place => {{
  const figure = JSON.parse(place.querySelector("script").textContent);
  place.textContent = "";
  Plotly.newPlot(place, figure.data, figure.layout, {{ responsive: true, displayModeBar: false }});
}});
</script>"""
                )
            )

        "\n## What it draws\n\n" + String.concat "\n" parts + draw

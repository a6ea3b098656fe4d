// Writes what runs of the paper's figures found into docs/reproduction.md and README.md, and their pictures beside this script:
//
//     rflo reproduce all
//     dotnet fsi docs/reproduction/page.fsx runs/reproduction
//
// Each argument is a folder of `rflo reproduce`; of a figure that stands in several, the last is taken. Tables stand between
// `<!-- claims: fig2a fig2b -->` (or `<!-- summary -->`, `<!-- tests -->`, `<!-- readings: fig3 -->`) and `<!-- end -->`; the text
// around them is written by hand. Pictures are drawn by chromium, without a network; a picture of a figure that no folder has stays as
// it was.
#load "../../src/Rflo.Host/host.fsx"
#r "../../src/Rflo.Reproductions/bin/Release/net10.0/Rflo.Reproductions.dll"

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Rflo.Reproductions.Murray2019

let here = __SOURCE_DIRECTORY__
let root = Path.GetFullPath(Path.Combine(here, "..", ".."))

let folders =
    fsi.CommandLineArgs
    |> Array.skip 1
    |> Array.filter (fun argument -> argument <> "--")
    |> List.ofArray

if folders.IsEmpty then
    eprintfn "page.fsx: name the folders of `rflo reproduce`, such as runs/reproduction"
    exit 2

/// The last of the folders that has a file.
let newest name =
    folders
    |> List.map (fun folder -> Path.Combine(folder, name))
    |> List.filter File.Exists
    |> List.tryLast

// ---- tables -------------------------------------------------------------------------------------

/// The rows of the tables of a claims.md with that many columns, as cells.
let rows columns file =
    File.ReadAllLines file
    |> Array.filter _.StartsWith("| ")
    |> Array.map (fun line -> Regex.Split(line.Trim('|', ' '), @"(?<!\\) \| ") |> List.ofArray)
    |> Array.filter (fun cells -> cells.Length = columns && cells.Head <> "figure")
    |> List.ofArray

let claimFiles =
    folders
    |> List.map (fun folder -> Path.Combine(folder, "claims.md"))
    |> List.filter File.Exists

/// Rows of all folders, figure by figure.
let merged columns =
    (Map.empty, claimFiles)
    ||> List.fold (fun all file ->
        rows columns file
        |> List.groupBy List.head
        |> List.fold (fun all (figure, rows) -> Map.add figure rows all) all)

let claims = merged 6
let tests = merged 4

/// Figures in the order of the paper.
let order = [
    "fig2a"
    "fig2b"
    "fig2c"
    "fig2d"
    "fig2-s1"
    "fig2-s2"
    "fig2-s3"
    "fig3"
    "fig4"
    "fig4-short"
    "appendix"
    "beyond"
    "beyond-loop"
]

let figures = order |> List.filter claims.ContainsKey

let table heads rows =
    let line cells = "| " + String.concat " | " cells + " |"

    String.concat "\n" [
        line heads
        "|" + String.replicate (List.length heads) "---|"
        for row in rows do
            line row
    ]

let claimTable names =
    table [ ""; "claim"; "measured"; "runs"; "verdict" ] [
        for name in names do
            match Map.tryFind name claims with
            | Some rows ->
                for row in rows do
                    match row with
                    | [ _; id; text; measured; runs; verdict ] ->
                        let verdict =
                            Regex.Replace(verdict, "^(holds|does not hold|not decided)", "**$1**")

                        [ id; text; measured; runs; verdict ]
                    | _ -> ()
            | None -> failwith $"no folder has claims of {name}"
    ]

let summary () =
    let count (rows: string list list) =
        let ends (start: string) =
            rows |> List.filter (fun row -> row[5].StartsWith start) |> List.length

        [
            rows.Length
            ends "holds"
            ends "does not hold"
            ends "not decided"
        ]
        |> List.map string

    let isOfPaper figure =
        not (List.contains figure [ "fig4-short"; "beyond"; "beyond-loop" ])

    let ofPaper = figures |> List.filter isOfPaper

    let line name chosen =
        name :: count (chosen |> List.collect (fun figure -> claims[figure]))

    table [
        "figure"
        "claims tried"
        "hold"
        "do not hold"
        "not decided"
    ] [
        for figure in ofPaper do
            line figure [ figure ]

        line "all of these" ofPaper
    ]

let testTable () =
    let all = [
        for figure in figures do
            for row in Map.tryFind figure tests |> Option.defaultValue [] -> row
    ]

    let corrected = all |> List.map (fun row -> float row[2]) |> Statistics.holm

    table [
        "figure"
        "claim"
        "p, one-sided sign test"
        "p, corrected (Holm)"
    ] [
        for row, p in List.zip all corrected -> [ row[0]; row[1]; row[2]; $"%.2g{p}" ]
    ]

let readings name =
    match newest $"{name}-readings.md" with
    | Some file -> (File.ReadAllText file).Trim()
    | None -> failwith $"no folder has {name}-readings.md"

let fill (path: string) =
    let block (found: Match) =
        let words =
            found.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            |> List.ofArray

        let text =
            match found.Groups["kind"].Value with
            | "claims" -> claimTable words
            | "summary" -> summary ()
            | "tests" -> testTable ()
            | _ -> readings (List.exactlyOne words)

        $"{found.Groups[1].Value}\n\n{text}\n\n<!-- end -->"

    let text =
        Regex.Replace(
            File.ReadAllText path,
            @"(<!-- (?<kind>claims|summary|tests|readings)(?:: (?<words>[^>]*?))? -->)\n.*?<!-- end -->",
            block,
            RegexOptions.Singleline
        )

    File.WriteAllText(path, text)
    printfn $"{path}"

// ---- pictures -----------------------------------------------------------------------------------

/// File, figure, title of the panel, width, height.
let pictures = [
    "fig2a-200", "fig2a", "Loss, T = 200", 620, 320
    "fig2a-1600", "fig2a", "Loss, T = 1600", 620, 320
    "fig2b", "fig2b", "Final loss v. period", 560, 360
    "fig2c", "fig2c", "Alignment under RFLO", 560, 360
    "fig2d", "fig2d", "Loss, T = 800, clipped", 620, 320
    "fig2-s1", "fig2-s1", "Loss, T = 200", 620, 320
    "fig2-s1-period", "fig2-s1", "Final loss v. period", 560, 360
    "fig2-s2", "fig2-s2", "Loss, T = 200", 620, 320
    "fig2-s3a", "fig2-s3", "Final loss v. size", 560, 360
    "fig2-s3b", "fig2-s3", "Final loss v. gain", 560, 360
    "fig3", "fig3", "Produced against target delay", 700, 420
    "fig3-slopes", "fig3", "Every network's slope", 700, 420
    "fig3-errors", "fig3", "Every network's error", 700, 420
    "fig4-loop", "fig4", "With the loop", 400, 400
    "fig4-rflo", "fig4", "RFLO without a loop", 400, 400
    "fig4-bptt", "fig4", "BPTT without a loop, as printed", 400, 400
    "fig4-clipped", "fig4", "BPTT without a loop, clipped", 400, 400
    "beyond-local", "beyond", "Loss, local rules", 620, 320
    "beyond-others", "beyond", "Loss, other approximations, and BPTT", 620, 320
]

/// Draws panels of a page as PNG, in an empty page of their own.
let draw (page: string) (wanted: (string * string * int * int) list) =
    let sizes =
        wanted
        |> List.map (fun (_, title, width, height) ->
            $"{{title:{System.Text.Json.JsonSerializer.Serialize title},width:{width},height:{height}}}")
        |> String.concat ","

    let script =
        "<script>(async () => { const made = [];\n"
        + $"for (const wanted of [{sizes}]) {{\n"
        + "const figure = [...document.querySelectorAll('figure')].find(f => f.querySelector('h3').textContent === wanted.title);\n"
        + "const plot = figure.querySelector('.plot');\n"
        + "const layout = { ...plot.layout, autosize: false, paper_bgcolor: '#ffffff', plot_bgcolor: '#ffffff' };\n"
        + "const url = await Plotly.toImage({ data: plot.data, layout }, { format: 'png', width: wanted.width, height: wanted.height, scale: 1.5 });\n"
        + "const text = document.createElement('pre'); text.textContent = url; made.push(text); }\n"
        + "document.body.replaceChildren(...made); })();</script></body>"

    let folder = Directory.CreateTempSubdirectory "rflo-pictures"
    let copy = Path.Combine(folder.FullName, "page.html")
    File.WriteAllText(copy, (File.ReadAllText page).Replace("</body>", script))

    let info =
        ProcessStartInfo("chromium", RedirectStandardOutput = true, RedirectStandardError = true)

    for argument in
        [
            "--headless"
            "--no-sandbox"
            "--disable-gpu"
            "--virtual-time-budget=60000"
            "--dump-dom"
            Uri(copy).AbsoluteUri
        ] do
        info.ArgumentList.Add argument

    use started = Process.Start info |> nonNull
    let errors = started.StandardError.ReadToEndAsync()
    let dom = started.StandardOutput.ReadToEnd()
    started.WaitForExit()
    folder.Delete true

    let found =
        Regex.Matches(dom, "<pre>data:image/png;base64,([^<]+)</pre>")
        |> Seq.map (fun one -> Convert.FromBase64String one.Groups[1].Value)
        |> List.ofSeq

    if found.Length <> wanted.Length then
        failwith $"{page}: {found.Length} of {wanted.Length} panels were drawn: {errors.Result}"

    for (file, _, _, _), bytes in List.zip wanted found do
        let path = Path.Combine(here, file + ".png")
        File.WriteAllBytes(path, bytes)
        printfn $"{path}"

fill (Path.Combine(root, "docs", "reproduction.md"))
fill (Path.Combine(root, "README.md"))

for figure, wanted in pictures |> List.groupBy (fun (_, figure, _, _, _) -> figure) do
    match newest $"{figure}.html" with
    | Some page ->
        draw
            page
            (wanted
             |> List.map (fun (file, _, title, width, height) -> file, title, width, height))
    | None -> printfn $"{figure}: no folder has its page; its pictures stay"

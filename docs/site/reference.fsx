/// The API reference: fsdocs makes a page of every public module and type, which become pages beside the others.
module Reference

open System.IO
open System.Text.RegularExpressions

#load "anchors.fsx"

/// Projects whose public names are for users, in the order of the reference.
let assemblies = [
    "Rflo.Dsl"
    "Rflo.Host"
    "Rflo.Core"
    "Rflo.Analysis"
    "Rflo.Runs"
    "Rflo.Testing"
]

/// Their project files.
let projects (root: string) = [
    for name in assemblies do
        for extension in [ "fsproj"; "csproj" ] do
            let file = Path.Combine(root, "src", name, $"{name}.{extension}")

            if File.Exists file then
                file
]

let private nameOf (file: string) =
    match Path.GetFileName file with
    | "index.html" -> "api.html"
    | name -> "api-" + name

/// Words between backquotes in comments are code.
let private backquoted (html: string) =
    Regex.Replace(
        html,
        @"(?s)(<p class=""fsdocs-(?:summary|para)[^>]*>)(.*?)(</p>)",
        fun found ->
            found.Groups[1].Value
            + Regex.Replace(found.Groups[2].Value, "`([^`]+)`", "<code>$1</code>")
            + found.Groups[3].Value
    )

/// Without what needs a script or a network: buttons, icons and tips that open. What they say stands in the page too.
let private plain (html: string) =
    let without pattern (text: string) =
        Regex.Replace(text, pattern, "", RegexOptions.Singleline)

    html
    |> without @"<div class=""icon-button-row"">.*?</div>\s*</div>\s*(?=</div>)"
    |> without @"<div class=""fsdocs-source-link"".*?</div>"
    |> without @"<div class=""icon-button-row"">\s*</div>"
    |> without @"<fsdocs-details-toggle></fsdocs-details-toggle>"
    |> without @"<iconify-icon[^>]*></iconify-icon>"
    |> without
        @"<div popover="""" class=""fsdocs-tip""[^>]*>\s*<div class=""member-tooltip"">.*?</div>\s*</div>"
    |> without @"</?(?:details|summary)>"
    |> without @" data-fsdocs-tip(?:-unique)?=""[^""]*"""
    |> without @" onclick=""[^""]*"""

let private linked (html: string) =
    Regex.Replace(
        html,
        @"(?:\./)?reference/([\w.\-]+\.html)",
        fun found -> nameOf found.Groups[1].Value
    )

/// The entry in the list of pages: a namespace a line.
let private entry (site: string) =
    let items =
        assemblies
        |> List.map (fun name -> name, $"api-{name.ToLowerInvariant().Replace('.', '-')}.html")
        |> List.filter (fun (_, file) -> File.Exists(Path.Combine(site, file)))
        |> List.map (fun (name, file) ->
            $"""<li class="nav-item"><a class="nav-link" href="{file}">{name}</a></li>""")
        |> String.concat "\n"

    $"""<li class="nav-header">API reference</li>
{items}"""

/// fsdocs links to members and types of C# that it makes no page or heading for: such a link leads to the page, or stays text.
let private resolved (site: string) (parts: string -> Set<string>) (html: string) =
    Regex.Replace(
        html,
        @"(?s)<a href=""(api-[^""#]*)(?:#([^""]*))?"">(.*?)</a>",
        fun found ->
            let file, part, inside =
                found.Groups[1].Value, found.Groups[2].Value, found.Groups[3].Value

            if not (File.Exists(Path.Combine(site, file))) then
                inside
            elif part = "" || (parts file).Contains part then
                found.Value
            else
                $"""<a href="{file}">{inside}</a>"""
    )

/// Moves the reference beside the other pages, and adds it to the list of all.
let apply (site: string) =
    let folder = Path.Combine(site, "reference")

    if Directory.Exists folder then
        for file in Directory.GetFiles(folder, "*.html") do
            File.WriteAllText(
                Path.Combine(site, nameOf file),
                file |> File.ReadAllText |> backquoted |> plain
            )

        Directory.Delete(folder, true)

    let pages = Directory.GetFiles(site, "*.html")
    let entry = entry site

    for file in pages do
        File.WriteAllText(
            file,
            (linked (File.ReadAllText file)).Replace("<!-- reference -->", entry)
        )

    let placesOf = Anchors.reader ()
    let partsOf file = placesOf (Path.Combine(site, file))

    for file in pages |> Array.filter (fun file -> (Path.GetFileName file).StartsWith "api") do
        File.WriteAllText(file, resolved site partsOf (File.ReadAllText file))

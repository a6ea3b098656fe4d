// Builds the documentation: runs every block of code in docs/*.md, makes a page for each rule and each example, and has fsdocs
// turn all of it into a site that needs no network.
//
//     dotnet fsi build.fsx docs                          everything, into artifacts/docs
//     dotnet fsi docs/site/build.fsx [PAGE...]           run the code of these pages only, and build nothing
//     dotnet fsi docs/site/build.fsx --accept PAGE...    and write into the pages what was printed
#load "pages.fsx"
#load "running.fsx"
#load "rules.fsx"

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open Markdown

let root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))
let docs = Path.Combine(root, "docs")
let staged = Path.Combine(root, "artifacts", "docs-source")
let site = Path.Combine(root, "artifacts", "docs")
let work = Path.Combine(root, "artifacts", "docs-work")

let fresh folder =
    if Directory.Exists folder then
        Directory.Delete(folder, true)

    Directory.CreateDirectory folder |> ignore

let names =
    Directory.GetFiles(docs, "*.md")
    |> Array.map Path.GetFileNameWithoutExtension
    |> Array.sort
    |> List.ofArray

// ---- running ------------------------------------------------------------------------------------

let runAll (chosen: string list) =
    fresh work

    chosen
    |> List.toArray
    |> Array.Parallel.map (fun name ->
        let text = File.ReadAllText(Path.Combine(docs, name + ".md"))
        let clock = Stopwatch.StartNew()
        let ran = Running.page (Path.Combine(work, name)) text
        let state = if ran.Complaints.IsEmpty then "runs" else "FAILS"
        printfn $"{name}: {state} (%.1f{clock.Elapsed.TotalSeconds} s)"
        name, ran)
    |> List.ofArray

let complain (ran: (string * Running.Ran) list) =
    for name, page in ran do
        for complaint in page.Complaints do
            eprintfn $"docs/{name}.md: {complaint}\n"

    ran |> List.forall (fun (_, page) -> page.Complaints.IsEmpty)

let markOf mark =
    match mark with
    | Unmarked -> ""
    | NotRun reason -> $"<!-- not run: {reason} -->\n"
    | Output -> "<!-- output -->\n"
    | OutputVaries -> "<!-- output varies -->\n"
    | Run 0 -> "<!-- run -->\n"
    | Run code -> $"<!-- run, exit code {code} -->\n"
    | File name -> $"<!-- file: {name} -->\n"
    | Below(line, name) -> $"<!-- below {line} in: {name} -->\n"
    | Strange text -> $"<!-- {text} -->\n"

/// The page's own markdown, with what was printed.
let written parts =
    parts
    |> List.map (function
        | Prose text -> text
        | Hidden code -> $"<!-- hidden\n{code}\n-->"
        | Options options -> $"""<!-- arguments: {String.concat " " options} -->"""
        | Block(language, mark, code) -> $"{markOf mark}```{language}\n{code}```")
    |> String.concat ""

// ---- staging ------------------------------------------------------------------------------------

/// Links between pages, and from pages to examples, as they are in the site.
let linked (prose: string) =
    let prose =
        Regex.Replace(prose, @"\]\((?:\./)?([\w-]+)\.md(#[^)]*)?\)", "]($1.html$2)")

    Regex.Replace(prose, @"\]\(\.\./examples/([\w-]+)\.fsx\)", "](example-$1.html)")

let forSite parts =
    parts
    |> List.map (function
        | Prose text -> linked (fenced text)
        | Hidden _
        | Options _ -> ""
        | Block(language, _, code) -> $"```{language}\n{code}```")
    |> String.concat ""

let stage file (category, categoryIndex, index, title) (body: string) =
    let title =
        title
        |> Option.defaultWith (fun () -> Regex.Match(body, @"(?m)^# (.+)$").Groups[1].Value)

    let front =
        $"---\ntitle: {title}\ncategory: {category}\ncategoryindex: {categoryIndex}\nindex: {index}\n---\n"

    File.WriteAllText(Path.Combine(staged, file + ".md"), front + body)

let stageRules () =
    let after = List.length Pages.groups + 1

    Rules.all
    |> List.indexed
    |> List.toArray
    |> Array.Parallel.iter (fun (k, page) ->
        let body = Rules.markdown page |> linked
        stage ("rule-" + page.File) (Pages.rules, after, k + 1, Some page.Title) body)

    printfn $"{Rules.all.Length} pages of rules"

let stageExamples () =
    let after = List.length Pages.groups + 2

    for k, file in
        Directory.GetFiles(Path.Combine(root, "examples"), "*.fsx")
        |> Array.sort
        |> Array.indexed do
        let name = Path.GetFileNameWithoutExtension file
        let code = File.ReadAllText file
        let body = $"# {name}\n\n```fsharp\n{code}```\n"
        stage $"example-{name}" (Pages.examples, after, k + 1, Some name) body

let copyPictures () =
    for file in Directory.GetFiles(docs, "*.*", SearchOption.AllDirectories) do
        let relative = Path.GetRelativePath(docs, file)

        if List.contains (Path.GetExtension file) [ ".png"; ".svg"; ".css" ] then
            let target =
                Path.Combine(
                    staged,
                    relative.Replace("site" + string Path.DirectorySeparatorChar, "")
                )

            Directory.CreateDirectory(Path.GetDirectoryName target) |> ignore
            File.Copy(file, target, true)

// ---- the site -----------------------------------------------------------------------------------

let fsdocs () =
    let info =
        ProcessStartInfo(
            "dotnet",
            [
                "fsdocs"
                "build"
                "--noapidocs"
                "--nodefaultcontent"
                "--input"
                staged
                "--output"
                site
                "--parameters"
                "root"
                "./"
                "fsdocs-collection-name"
                "Rflo.Dsl"
            ],
            WorkingDirectory = staged,
            RedirectStandardOutput = true
        )

    use child = Process.Start info
    let output = child.StandardOutput.ReadToEnd()
    child.WaitForExit()

    if child.ExitCode <> 0 then
        eprintfn $"{output}"

    child.ExitCode = 0

/// fsdocs also leaves copies for other programs, and folders of its own.
let tidy () =
    for file in Directory.GetFiles site do
        if
            List.contains (Path.GetExtension file) [ ".md"; ".txt"; ".json" ]
            || file.EndsWith "NuGet.config"
        then
            File.Delete file

    for folder in [ "content"; ".fsdocs" ] do
        let place = Path.Combine(site, folder)

        if Directory.Exists place then
            Directory.Delete(place, true)

/// Every link and picture of every page that leads nowhere.
let broken () = [
    for page in Directory.GetFiles(site, "*.html") do
        let text = File.ReadAllText page

        for found in Regex.Matches(text, "(?:href|src)=\"([^\"]*)\"") do
            let target = found.Groups[1].Value

            let file, fragment =
                match target.Split '#' with
                | [| file; fragment |] -> file, fragment
                | parts -> parts[0], ""

            if not (Regex.IsMatch(target, "^(https?|data):")) then
                let path =
                    if file = "" then
                        page
                    else
                        Path.GetFullPath(Path.Combine(site, file))

                if not (File.Exists path) then
                    $"{Path.GetFileName page}: {target} is not there"
                elif fragment <> "" then
                    let there = File.ReadAllText path

                    if
                        not (
                            there.Contains $"name=\"{fragment}\""
                            || there.Contains $"id=\"{fragment}\""
                        )
                    then
                        $"{Path.GetFileName page}: {target} names no heading"
]

let build () =
    fresh staged
    let ran = runAll names
    let runs = complain ran

    for name, page in ran do
        stage name (Pages.place name) (forSite page.Parts)

    stageRules ()
    stageExamples ()
    copyPictures ()

    File.Copy(
        Path.Combine(__SOURCE_DIRECTORY__, "_template.html"),
        Path.Combine(staged, "_template.html")
    )

    fresh site
    let made = fsdocs ()

    if made then
        tidy ()
        let broken = broken ()
        List.iter (eprintfn "%s") broken
        let count = Directory.GetFiles(site, "*.html").Length
        printfn $"""{count} pages: {Path.Combine(site, "index.html")}"""
        if runs && broken.IsEmpty then 0 else 1
    else
        1

let main arguments =
    match arguments with
    | [] -> build ()
    | "--accept" :: chosen ->
        let ran = runAll chosen

        for name, page in ran do
            File.WriteAllText(Path.Combine(docs, name + ".md"), written page.Parts)

        if complain ran then 0 else 1
    | chosen -> if complain (runAll chosen) then 0 else 1

exit (main (fsi.CommandLineArgs |> List.ofArray |> List.tail))

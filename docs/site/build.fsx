// Builds the documentation: runs every block of code in docs/*.md, makes a page for each rule and each example, and has fsdocs
// turn all of it into a site that needs no network.
//
//     dotnet fsi build.fsx docs                          everything, into artifacts/docs
//     dotnet fsi docs/site/build.fsx [PAGE...]           run the code of these pages only, and build nothing
//     dotnet fsi docs/site/build.fsx --accept PAGE...    and write into the pages what was printed
#load "pages.fsx"
#load "running.fsx"
#load "rules.fsx"
#load "dressing.fsx"
#load "figures.fsx"
#load "anchors.fsx"
#load "reference.fsx"
#load "finish.fsx"

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open System.Threading
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

let private timed name (run: unit -> 'ran) (complaints: 'ran -> string list) =
    let clock = Stopwatch.StartNew()
    let ran = run ()
    let state = if (complaints ran).IsEmpty then "runs" else "FAILS"
    printfn $"{name}: {state} (%.1f{clock.Elapsed.TotalSeconds} s)"
    ran

let runPage name =
    let text = File.ReadAllText(Path.Combine(docs, name + ".md"))

    timed name (fun () -> Running.page (Path.Combine(work, name)) text) _.Complaints

let examples =
    Directory.GetFiles(Path.Combine(root, "examples"), "*.fsx")
    |> Array.sort
    |> List.ofArray

let runExample (file: string) =
    timed
        (Path.GetFileName file)
        (fun () -> Running.example (Examples.folderOf work file) file (Examples.optionsOf file))
        id

/// What runs at a time: most of each waits for the start of a process or for its disk.
let private workers = Environment.ProcessorCount + 1

/// Does all jobs, so many at a time.
let private together (jobs: (unit -> 'result) list) =
    let options = Tasks.ParallelOptions(MaxDegreeOfParallelism = workers)
    let results = Array.zeroCreate jobs.Length
    let jobs = List.toArray jobs

    Tasks.Parallel.ForEach(
        Collections.Concurrent.Partitioner.Create(
            [| 0 .. jobs.Length - 1 |],
            Collections.Concurrent.EnumerablePartitionerOptions.NoBuffering
        ),
        options,
        fun k -> results[k] <- jobs[k]()
    )
    |> ignore

    List.ofArray results

let runAll (chosen: string list) =
    fresh work

    chosen |> List.map (fun name -> fun () -> name, runPage name) |> together

/// Pages and examples, each once.
let runEverything () =
    fresh work

    let ran =
        [
            for name in names -> fun () -> Choice1Of2(name, runPage name)
            for file in examples -> fun () -> Choice2Of2(runExample file)
        ]
        |> together

    ran
    |> List.choose (function
        | Choice1Of2 page -> Some page
        | Choice2Of2 _ -> None),
    ran
    |> List.collect (function
        | Choice1Of2 _ -> []
        | Choice2Of2 complaints -> complaints)

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
    | Mistaken -> "<!-- does not compile -->\n"
    | Below(line, name) -> $"<!-- below {line} in: {name} -->\n"
    | Strange text -> $"<!-- {text} -->\n"

/// The page's own markdown, with what was printed.
let written parts =
    parts
    |> List.map (function
        | Prose text -> text
        | Hidden code -> $"<!-- hidden\n{code}\n-->"
        | Options options -> $"""<!-- arguments: {String.concat " " options} -->"""
        | Report(file, title) -> $"<!-- report: {file}: {title} -->"
        | Block(language, mark, code) -> $"{markOf mark}```{language}\n{code}```")
    |> String.concat ""

// ---- staging ------------------------------------------------------------------------------------

/// Links between pages, and from pages to examples, as they are in the site.
let linked (prose: string) =
    let prose =
        Regex.Replace(prose, @"\]\((?:\./)?([\w-]+)\.md(#[^)]*)?\)", "]($1.html$2)")

    Regex.Replace(prose, @"\]\(\.\./examples/([\w-]+)\.fsx\)", "](example-$1.html)")

/// What the box of a block is called.
let private labelOf language =
    match language with
    | "sh" -> "terminal"
    | "csharp" -> "C#"
    | "python" -> "Python"
    | "json" -> "JSON"
    | "xml" -> "XML"
    | "csv" -> "file"
    | other -> other

/// Blocks of a page as the site shows them; F# stays, since fsdocs knows its types.
let private blockForSite language mark (code: string) =
    match language, mark with
    | "fsharp", _ -> $"```fsharp\n{code}```"
    | "math", _ -> Dressing.mark (Dressing.Equation(code.Trim()))
    | _, (Output | OutputVaries) -> Dressing.mark (Dressing.Printed code)
    | "text", _ -> $"```text\n{code}```"
    | _ -> Dressing.mark (Dressing.Code(language, labelOf language, code))

let forSite name (reports: Map<int, string>) (parts: Part list) =
    parts
    |> List.indexed
    |> List.map (fun (k, part) ->
        match part with
        | Prose text -> linked (fenced text)
        | Hidden _
        | Options _ -> ""
        | Report(_, title) ->
            match reports |> Map.tryFind k with
            | Some file ->
                let link = Figures.share site $"{name}-{k}" file
                $"[{title}]({link}), as this page's commands made it."
            | None -> ""
        | Block(language, mark, code) -> blockForSite language mark code)
    |> String.concat ""

/// The pages in the order of the navigation, as they are staged: place, file and title.
let private staged' = ResizeArray<(int * int) * (string * string)>()

let stage file (category, categoryIndex, index, title) (body: string) =
    let title =
        title
        |> Option.defaultWith (fun () -> Regex.Match(body, @"(?m)^# (.+)$").Groups[1].Value)

    let front =
        $"---\ntitle: {title}\ncategory: {category}\ncategoryindex: {categoryIndex}\nindex: {index}\n---\n"

    lock staged' (fun () -> staged'.Add((categoryIndex, index), (file, title)))
    File.WriteAllText(Path.Combine(staged, file + ".md"), front + body)

let stageRules () =
    let after = List.length Pages.groups + 1

    Rules.all
    |> List.indexed
    |> List.toArray
    |> Array.Parallel.iter (fun (k, page) ->
        let body = Rules.markdown page |> parse |> forSite page.File Map.empty
        stage ("rule-" + page.File) (Pages.rules, after, k + 1, Some page.Title) body)

    printfn $"{Rules.all.Length} pages of rules"

let stageExamples () =
    let after = List.length Pages.groups + 2

    for k, file in List.indexed examples do
        let name = Path.GetFileNameWithoutExtension file
        let code = File.ReadAllText file
        let folder = Examples.folderOf work file

        // Progress is for a terminal.
        let printed =
            File.ReadAllLines(Path.Combine(folder, Examples.output))
            |> Array.filter (fun line -> not (Regex.IsMatch(line, @"^\S+: \d+ of \d+ trials\b")))
            |> String.concat "\n"
            |> _.Trim()

        let options =
            match Examples.optionsOf file with
            | [] -> ""
            | options -> $""" {String.concat " " options}"""

        let body =
            String.concat "\n" [
                $"# {name}\n\n```fsharp\n{code}```\n"
                "## What it prints\n"
                Dressing.mark (
                    Dressing.Code("sh", "terminal", $"dotnet fsi examples/{name}.fsx{options}")
                )
                if printed <> "" then
                    Dressing.mark (Dressing.Printed printed)
                Figures.ofRun site name folder
            ]

        stage $"example-{name}" (Pages.examples, after, k + 1, Some name) body

let copyPictures () =
    for file in Directory.GetFiles(docs, "*.*", SearchOption.AllDirectories) do
        let relative = Path.GetRelativePath(docs, file)

        if List.contains (Path.GetExtension file) [ ".png"; ".svg"; ".css"; ".js" ] then
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
                "--nodefaultcontent"
                "--projects"
                yield! Reference.projects root
                "--properties"
                "Configuration=Release"
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
let broken () =
    let partsOf = Anchors.reader ()

    [
        for page in Directory.GetFiles(site, "*.html") do
            let targets =
                Regex.Matches(File.ReadAllText page, "(?:href|src)=\"([^\"]*)\"")
                |> Seq.map _.Groups[1].Value
                |> Seq.distinct

            for target in targets do
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
                    elif fragment <> "" && not ((partsOf path).Contains fragment) then
                        $"{Path.GetFileName page}: {target} names no heading"
    ]

let build () =
    fresh staged
    fresh site
    let ran, complaints = runEverything ()
    let runs = complain ran && complaints.IsEmpty
    List.iter (eprintfn "%s") complaints

    for name, page in ran do
        stage name (Pages.place name) (forSite name page.Reports page.Parts)

    stageRules ()
    stageExamples ()
    copyPictures ()

    File.Copy(
        Path.Combine(__SOURCE_DIRECTORY__, "_template.html"),
        Path.Combine(staged, "_template.html")
    )

    if fsdocs () then
        tidy ()
        Reference.apply site
        Dressing.apply site
        Finish.apply site (staged' |> Seq.sortBy fst |> Seq.map snd |> List.ofSeq)
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

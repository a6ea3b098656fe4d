module Rflo.Host.Tests.DocsTests

open System
open System.Collections.Concurrent
open System.IO
open System.Reflection
open System.Text.RegularExpressions
open Expecto
open FSharp.Reflection
open Microsoft.Playwright
open Rflo.Dsl
open Rflo.Host
open Rflo.Host.Tests.Processes

let private chromium = "/usr/bin/chromium"
let private docs = Path.Combine(root, "docs")
let private site = Path.Combine(root, "artifacts", "docs")

/// Where the code of pages and the examples ran.
let work = Path.Combine(root, "artifacts", "docs-work")

let private casesOf<'union> =
    FSharpType.GetUnionCases(typeof<'union>, BindingFlags.Public ||| BindingFlags.NonPublic)
    |> Array.map _.Name
    |> List.ofArray

/// The heading of a case in the page of messages, and a block with what was printed.
let private explains (page: string) case =
    Regex.IsMatch(
        page,
        $@"(?m)^### [^\n]*\(`{case}`\)\n(?:(?!^###)[^\n]*\n)*?<!-- output[^\n]*\n```text\n[^`\n]"
    )

let private read name =
    File.ReadAllText(Path.Combine(root, name))

/// What goes wrong in pages at a width: what they say to the console, what they ask of the network, what sticks out.
let private visit (browser: IBrowser) (width: int) (files: string list) =
    let size = ViewportSize(Width = width, Height = 800)
    let page = browser.NewPageAsync(BrowserNewPageOptions(ViewportSize = size)).Result
    let wrong = ConcurrentQueue<string>()
    let name: string ref = ref ""

    let says (what: string) =
        wrong.Enqueue $"{name.Value} at {width}: {what}"

    let isOurs (url: string) =
        url.StartsWith "data:" || url.StartsWith("file://" + site)

    page.Console.Add(fun message ->
        if message.Type = "error" || message.Type = "warning" then
            says message.Text)

    page.PageError.Add says
    page.RequestFailed.Add(fun request -> says $"{request.Url} is not there")

    page.Request.Add(fun request ->
        if not (isOurs request.Url) then
            says $"asks for {request.Url}")

    for file in files do
        name.Value <- nonNull (Path.GetFileName file)
        page.GotoAsync("file://" + file).Wait()

        // Figures draw themselves, which may take longer than loading. What they draw has parts of class plot too.
        try
            page
                .WaitForFunctionAsync(
                    "() => [...document.querySelectorAll('div.plot')].every(each => each.querySelector('svg'))"
                )
                .Wait()
        with :? AggregateException ->
            says "a figure is not drawn"

        let wide =
            page.EvaluateAsync<int>("() => document.documentElement.scrollWidth").Result

        if wide > width then
            says $"it is {wide} wide"

        if page.InnerTextAsync("main").Result.Trim() = "" then
            says "it is empty"

        let list = page.Locator "nav"

        if width < 500 then
            if list.IsVisibleAsync().Result then
                says "the list of pages is open"

            page.ClickAsync("header label").Wait()

        if not (list.IsVisibleAsync().Result) then
            says "the list of pages cannot be seen"

    List.ofSeq wrong

/// Builds the site, which runs all code of its pages and all examples and fails where a link leads nowhere, unless `build.fsx docs` has just done so.
let built =
    lazy
        (if isNull (Environment.GetEnvironmentVariable "RFLO_DOCS_BUILT") then
             use child = start root "dotnet" [ "fsi"; "docs/site/build.fsx" ]
             let ended = finishWithin (TimeSpan.FromMinutes 20.0) child
             Expect.equal ended.Code 0 $"exit code ({ended.Errors}{ended.Output})"

         Directory.GetFiles(site, "*.html") |> Array.sort |> List.ofArray)

[<Tests>]
let tests =
    testList "the documentation" [
        test "explains every fault of a model and every mistake of a command line" {
            let page = File.ReadAllText(Path.Combine(docs, "messages.md"))

            let missing =
                casesOf<Fault> @ casesOf<Mistake> |> List.filter (explains page >> not)

            Expect.equal missing [] "cases without a heading and a message"
        }

        test "says the exit codes that there are" {
            let page = File.ReadAllText(Path.Combine(docs, "messages.md"))

            for code in
                [
                    ExitCode.Done
                    ExitCode.Problems
                    ExitCode.Arguments
                    ExitCode.EndedEarly
                ] do
                Expect.isTrue (Regex.IsMatch(page, $@"(?m)^\| {code} \|")) $"exit code {code}"
        }

        test "names files for contributors that are there" {
            let page = read "CONTRIBUTING.md"

            let named =
                [
                    for found in
                        Regex.Matches(
                            page,
                            @"\]\(([^)#]+)\)|`((?:src|tests|docs|examples)/[\w./-]+)`"
                        ) do
                        found.Groups[1].Value + found.Groups[2].Value
                ]
                // A page of a reader's own.
                |> List.except [ "docs/NAME.md" ]

            Numbers.isGreaterThan named.Length 40 "files"

            let missing =
                named
                |> List.filter (fun name ->

                    not (Path.Exists(Path.Combine(root, name))))

            Expect.equal missing [] "files that are not there"
        }

        test "says what only a whole run of the tests adds, as the build does" {
            let between (first: string) (last: string) (text: string) =
                let start = text.IndexOf first
                text.Substring(start, text.IndexOf(last, start) - start)

            let said =
                read "CONTRIBUTING.md"
                |> between "what only the whole run adds" "Each test program"
                |> fun text -> [
                    for found in Regex.Matches(text, @"(?m)^- (.*)$") -> found.Groups[1].Value
                ]

            let listed =
                read "build.fsx"
                |> between "let testPrograms" "let programsOf"
                |> fun text -> [
                    for found in Regex.Matches(text, "\"([^\"\n]*)\"") do
                        // Names of programs are no sentences.
                        if found.Groups[1].Value.Contains ' ' then
                            found.Groups[1].Value
                ]

            Numbers.isGreaterThan listed.Length 3 "what is listed"
            Expect.equal said listed "what a whole run adds"
        }

        test "can be cited in the version that is built" {
            let citation = read "CITATION.cff"

            let value key =
                Regex.Match(citation, $"(?m)^{key}: \"?([^\"\\n]*)\"?$").Groups[1].Value

            Expect.equal (value "cff-version") "1.2.0" "the form"
            Expect.equal (value "title") "Rflo.Dsl" "title"
            Expect.equal (value "license") "MIT" "licence"
            let props = read (Path.Combine("src", "Directory.Build.props"))
            let version = value "version"
            Expect.stringContains props $"<Version>{version}</Version>" "version"
            Expect.stringContains citation "doi: 10.7554/eLife.43299" "the paper"
            Expect.stringContains (read "README.md") "CITATION.cff" "the front page"
        }

        test "begins with an example that is also a test" {
            let code (text: string) =
                text.Split '\n'
                |> Array.filter (fun line ->
                    line.Trim() <> "" && not (line.TrimStart().StartsWith "//"))
                |> Array.map _.TrimEnd()
                |> List.ofArray

            let readme = File.ReadAllText(Path.Combine(root, "README.md"))
            let shown = Regex.Match(readme, "(?s)```fsharp\n(.*?)```").Groups[1].Value
            let example = File.ReadAllText(Path.Combine(examples, "01-periodic.fsx"))
            Expect.equal (code shown) (code example) "the README's script"
        }

        test "has a page for every rule and every example" {
            let pages = built.Value |> List.map Path.GetFileNameWithoutExtension

            for script in Directory.GetFiles(examples, "*.fsx") do
                Expect.contains pages $"example-{Path.GetFileNameWithoutExtension script}" "example"

            let texts =
                Directory.GetFiles(site, "rule-*.html")
                |> Array.map File.ReadAllText
                |> String.concat ""

            // The values and functions of the module of rules that are rules.
            let rules =
                typeof<Rule>.Assembly.GetType("Rflo.Dsl.RuleModule")
                |> nonNull
                |> _.GetProperties()
                |> Array.filter (fun property -> property.PropertyType = typeof<Rule>)
                |> Array.map _.Name

            Numbers.isGreaterThan rules.Length 20 "rules"

            let missing =
                rules
                |> Array.filter (fun rule -> not (Regex.IsMatch(texts, $@"Rule\.{rule}\b")))

            Expect.equal missing [||] "rules without a page"
        }

        test "names only files and folders that are there where it says how the code is built" {
            let page = File.ReadAllText(Path.Combine(docs, "architecture.md"))

            let isMade (path: string) =
                path.Split '/' |> Array.exists (fun part -> part = "bin" || part = "obj")

            let there =
                [ "src"; "tests"; "examples"; "docs" ]
                |> List.collect (fun top ->
                    Directory.GetFiles(Path.Combine(root, top), "*", SearchOption.AllDirectories)
                    |> List.ofArray)
                |> List.map (fun path -> Path.GetRelativePath(root, path))
                |> List.filter (isMade >> not)

            let folders =
                there |> List.collect (fun path -> path.Split '/' |> List.ofArray) |> set

            let files = there |> List.map Path.GetFileName |> set

            let named =
                Regex.Matches(page, @"`([\w./-]+)`")
                |> Seq.map _.Groups[1].Value
                |> Seq.distinct
                |> List.ofSeq

            let paths =
                named
                |> List.filter (fun name -> Regex.IsMatch(name, "^(src|tests|examples|docs)(/|$)"))
                // A page that stands for any page.
                |> List.filter ((<>) "docs/NAME.md")

            for path in paths do
                Expect.isTrue (Path.Exists(Path.Combine(root, path))) path

            let bare =
                named |> List.filter (fun name -> Regex.IsMatch(name, @"^\w+\.(fs|cs|fsx|sh)$"))

            for name in bare do
                Expect.contains files name name

            for folder in named |> List.filter (fun name -> Regex.IsMatch(name, @"^\w+/$")) do
                Expect.contains folders (folder.TrimEnd '/') folder

            Numbers.isGreaterThan (List.length paths) 40 "files and folders by their paths"

            let questions =
                (page.Split "## Ten questions")[1]
                |> fun rest -> (rest.Split "\n## ")[0]
                |> fun table -> Regex.Matches(table, @"(?m)^\| [^|]*\? \| [^|]*`src/[^|]* \|$")

            Expect.equal questions.Count 10 "questions that files answer"
        }

        // One of them builds the site beside the other tests; the rest would wait for it in their places.
        testSequenced
        <| testList "as a site" [
            test "finds words of all pages, without a network" {
                let index = File.ReadAllText(Path.Combine(site, "search-index.js"))
                let start = index.IndexOf '['

                use pages =
                    System.Text.Json.JsonDocument.Parse(index.Substring(start).TrimEnd(';', '\n'))

                let words =
                    Map.ofList [
                        for page in pages.RootElement.EnumerateArray() ->
                            nonNull (page.GetProperty("file").GetString()),
                            nonNull (page.GetProperty("words").GetString())
                    ]

                let missing =
                    built.Value
                    |> List.map (fun file -> nonNull (Path.GetFileName file))
                    |> List.filter (fun file -> not (Map.containsKey file words))

                Expect.equal missing [] "pages that cannot be found"

                for file, word in
                    [
                        "rule-rflo.html", "feedback"
                        "glossary.html", "eligibility"
                        "example-08-force.html", "force"
                        "api-rflo-dsl-optimizermodule.html", "adam"
                    ] do
                    Expect.stringContains words[file] word file
            }

            test
                "opens on a desktop and on a phone, with no error, nothing from elsewhere, nothing sticking out" {
                let reference, written =
                    built.Value
                    |> List.partition (fun file ->
                        (nonNull (Path.GetFileName file)).StartsWith "api-")

                // Pages of the reference are all made in one way.
                let some = reference |> List.indexed |> List.filter (fun (k, _) -> k % 20 = 0)
                let pages = written @ List.map snd some
                Numbers.isGreaterThan reference.Length 200 "pages of the reference"

                if not (File.Exists chromium) then
                    skiptest $"there is no {chromium} (Debian: chromium)"

                use playwright = Playwright.CreateAsync().Result

                let options =
                    BrowserTypeLaunchOptions(
                        ExecutablePath = chromium,
                        Args = [ "--no-sandbox"; "--disable-quic" ]
                    )

                let browser = playwright.Chromium.LaunchAsync(options).Result

                try
                    Numbers.isGreaterThan pages.Length 30 "pages"

                    Expect.equal
                        (List.collect (fun width -> visit browser width pages) [ 1280; 390 ])
                        []
                        "what went wrong"
                finally
                    browser.CloseAsync().Wait()
            }
        ]
    ]

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

/// Links that lead nowhere: to a file of the site that is not there, or to a part that a page does not have.
let private broken file = [
    let name = Path.GetFileName(file: string)

    for found in Regex.Matches(File.ReadAllText file, "(?:href|src)=\"([^\"]*)\"") do
        let target = found.Groups[1].Value

        if not (Regex.IsMatch(target, "^(?:data|https?):")) then
            let parts = target.Split '#'

            let path =
                if parts[0] = "" then
                    file
                else
                    Path.GetFullPath(Path.Combine(site, parts[0]))

            if not (File.Exists path) then
                $"{name}: {target} is not there"
            elif parts.Length > 1 then
                let there = File.ReadAllText path

                if
                    not (
                        there.Contains $"name=\"{parts[1]}\"" || there.Contains $"id=\"{parts[1]}\""
                    )
                then
                    $"{name}: {target} names no part"
]

/// Builds the site, which runs all code of its pages, unless `build.fsx docs` has just done so.
let private built =
    lazy
        (if isNull (Environment.GetEnvironmentVariable "RFLO_DOCS_BUILT") then
             use child = start root "dotnet" [ "fsi"; "docs/site/build.fsx" ]
             let ended = finishWithin (TimeSpan.FromMinutes 10.0) child
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

            for rule in
                [
                    "rflo"
                    "eprop"
                    "snap1"
                    "hebb"
                    "oja"
                    "bptt"
                    "rtrl"
                    "uoro"
                    "kernl"
                    "force"
                ] do
                Expect.stringContains texts $"Rule.{rule}" "rule"
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
            test "has no link that leads nowhere" {
                Expect.equal (built.Value |> List.collect broken) [] "broken links"
            }

            test
                "opens on a desktop and on a phone, with no error, nothing from elsewhere, nothing sticking out" {
                let pages = built.Value

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

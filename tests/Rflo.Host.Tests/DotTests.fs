module Rflo.Host.Tests.DotTests

open System
open System.Diagnostics
open System.IO
open System.Text
open System.Xml.Linq
open Expecto
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Pictures
open Rflo.Host.Tests.PictureCircuits

// A reader of Graphviz's language as far as the files of circuits use it. It is strict: a name that is not escaped breaks it.

type private Token =
    | Sign of string
    | Word of string
    | Quoted of string

let private tokens (text: string) =
    let clean = StringBuilder()

    // The escape stays as it is: what it means is up to the attribute.
    let rec quoted at =
        match text[at] with
        | '"' -> at + 1
        | '\n' -> failtest "a text goes over the end of its line"
        | '\\' ->
            clean.Append(text.Substring(at, 2)) |> ignore
            quoted (at + 2)
        | letter ->
            clean.Append letter |> ignore
            quoted (at + 1)

    let isOfWord letter =
        Char.IsAsciiLetterOrDigit letter || letter = '_' || letter = '.'

    let rec read at found =
        if at >= text.Length then
            List.rev found
        elif Char.IsWhiteSpace text[at] then
            read (at + 1) found
        elif text[at] = '"' then
            clean.Clear() |> ignore
            let next = quoted (at + 1)
            read next (Quoted(clean.ToString()) :: found)
        elif String.CompareOrdinal(text, at, "->", 0, 2) = 0 then
            read (at + 2) (Sign "->" :: found)
        elif "{}[]=,;".Contains text[at] then
            read (at + 1) (Sign(string text[at]) :: found)
        elif isOfWord text[at] then
            let word = text.Substring at |> Seq.takeWhile isOfWord |> Array.ofSeq |> String
            read (at + word.Length) (Word word :: found)
        else
            failtest $"'{text[at]}' has no place outside of quotes"

    read 0 []

/// A text with its escapes and entities resolved; lines of a label stand apart by a line feed.
let private resolved (text: string) =
    let clean = StringBuilder()
    let mutable at = 0

    while at < text.Length do
        if text[at] = '\\' then
            at <- at + 1
            clean.Append(if text[at] = 'n' then '\n' else text[at]) |> ignore
        else
            clean.Append text[at] |> ignore

        at <- at + 1

    Net.WebUtility.HtmlDecode(clean.ToString())

/// A name without what no file can carry.
let private clean (name: string) =
    name
        .Replace('\n', ' ')
        .Replace('\t', ' ')
        .Replace('\u0001', '\ufffd')
        .Replace('\ud800', '\ufffd')

/// No backslash goes through the tooltips of every version of Graphviz.
let private ofTooltip (line: string) = (clean line).Replace('\\', '\u29f5')

/// Names that mean something to Graphviz.
let private awkward = [
    @"a\nb"
    @"\N"
    @"ends in \"
    "\"quoted\""
    "&lt;b&gt; & co"
    "&#92;"
    "<b>bold</b>"
    "x\ny\tz"
    "{a|b} -> c; [d]"
    "a\u0001b\ud800c"
    "node"
]

let private ofName name =
    Circuit.empty |> areas [ area name 5 |> dale 0.8 ]

let private labels circuit = [
    for token in tokens (Picture.dot circuit) do
        match token with
        | Quoted text -> resolved text
        | _ -> ()
]

let private hasDot =
    lazy
        (try
            use version =
                nonNull (Process.Start(ProcessStartInfo("dot", "-V", RedirectStandardError = true)))

            version.WaitForExit()
            version.ExitCode = 0
         with :? ComponentModel.Win32Exception ->
             false)

/// What dot draws of a file; it must have nothing to say of it.
let private drawnByDot (text: string) =
    let folder = Directory.CreateTempSubdirectory "rflo-dot-"

    try
        let file = Path.Combine(folder.FullName, "circuit.dot")
        File.WriteAllText(file, text)

        let info =
            ProcessStartInfo(
                "dot",
                [ "-Tsvg"; file ],
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        use dot = nonNull (Process.Start info)
        let errors = dot.StandardError.ReadToEndAsync()
        let svg = dot.StandardOutput.ReadToEnd()
        dot.WaitForExit()
        Expect.equal (dot.ExitCode, errors.Result) (0, "") text
        XDocument.Parse svg
    finally
        folder.Delete true

let private textsOf (svg: XDocument) =
    svg.Descendants()
    |> Seq.filter (fun each -> each.Name.LocalName = "text")
    |> Seq.map (fun each -> each.Value.Replace('\u00a0', ' '))
    |> List.ofSeq

let private tooltipsOf (svg: XDocument) =
    svg.Descendants().Attributes()
    |> Seq.filter (fun each -> each.Name.LocalName = "title")
    |> Seq.map _.Value
    |> List.ofSeq

[<Tests>]
let tests =
    testList "a file for Graphviz" [
        forEvery 200 "has every node, arrow, name and declaration" (fun circuit ->
            let all = tokens (Picture.dot circuit)
            let parts = Dissection.ofCircuit circuit

            let declared =
                List.zip3
                    (Sign ";" :: Sign ";" :: List.take (all.Length - 2) all)
                    (Sign ";" :: List.take (all.Length - 1) all)
                    all
                |> List.choose (function
                    | Sign(";" | "{" | "}"), Word name, Sign "[" -> Some name
                    | _ -> None)
                |> List.filter (fun name -> not (List.contains name [ "graph"; "node"; "edge" ]))

            let arrows = all |> List.filter ((=) (Sign "->"))
            let projections = circuit.Projections.Length + circuit.Feedback.Length
            Expect.equal arrows.Length projections "arrows"
            Expect.equal (List.distinct declared) declared "each is declared once"

            Expect.equal
                declared.Length
                (parts.Nodes.Length + parts.Biases.Length)
                "nodes, and constants 1"

            let texts = labels circuit

            for node in parts.Nodes do
                Expect.exists texts (fun text -> text.Split('\n')[0] = node.Short) node.Name

            for line in Circuit.describe circuit do
                Expect.contains texts (ofTooltip line) "a tooltip")

        forEvery 50 "is the same for the same circuit" (fun circuit ->
            Expect.equal
                (Picture.dot circuit)
                (Picture.dot {
                    circuit with
                        Areas = List.map id circuit.Areas
                })
                "text")

        test "has awkward names as they are" {
            for name in awkward do
                Expect.exists
                    (labels (ofName name))
                    (fun text -> text.Split('\n')[0] = clean name)
                    name
        }

        test "is drawn by dot, with every name and tooltip as it is" {
            if not hasDot.Value then
                skiptest "there is no dot (Debian: graphviz)"

            let drawn =
                [ for name in awkward -> ofName name ]
                @ List.ofSeq (Gen.sampleWithSize 20 30 circuits)

            for circuit in drawn do
                let svg = drawnByDot (Picture.dot circuit)
                let texts, tooltips = textsOf svg, tooltipsOf svg

                for node in (Dissection.ofCircuit circuit).Nodes do
                    Expect.contains texts (clean node.Short) "a name"

                for line in Circuit.describe circuit do
                    Expect.contains tooltips (ofTooltip line) "a tooltip"
        }
    ]

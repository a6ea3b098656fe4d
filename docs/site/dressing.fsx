/// What fsdocs leaves plain. Equations are typeset as MathML, which browsers draw by themselves; Python and commands are colored; what was printed looks
/// other than what is typed. Each such part is a mark in the markdown and is put into the finished page.
module Dressing

open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Net
open System.Text.Json
open System.Text.RegularExpressions

type Piece =
    /// TeX.
    | Equation of tex: string
    /// Text in a language, and what its box is called.
    | Code of language: string * label: string * text: string
    /// What the block before it printed.
    | Printed of text: string
    | Html of html: string

let private pieces = List<Piece>()

/// The mark of a piece, as a block of markdown.
let mark (piece: Piece) =
    lock pieces (fun () ->
        pieces.Add piece
        $"\n<div>@@piece-{pieces.Count - 1}@@</div>\n")

/// What a program makes of a list of texts, or none where it is not on this machine.
let private through (needed: string list) (file: string) (arguments: string list) input =
    if List.forall File.Exists needed then
        let info =
            ProcessStartInfo(
                file,
                arguments,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true
            )

        use child = Process.Start info
        let output = child.StandardOutput.ReadToEndAsync()
        let errors = child.StandardError.ReadToEndAsync()
        child.StandardInput.Write(JsonSerializer.Serialize input)
        child.StandardInput.Close()
        child.WaitForExit()

        if child.ExitCode <> 0 then
            failwith $"{file}: {errors.Result}"

        Some(JsonSerializer.Deserialize<string[]> output.Result)
    else
        None

let private katex = "/usr/share/javascript/katex/katex.js"
let private node = "/usr/bin/node"
let private python = "/usr/bin/python3"

/// A wrong equation fails the build.
let private typeset (tex: string[]) =
    through
        [ node; katex ]
        node
        [
            "-e"
            $"""const katex = require("{katex}");
const list = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(list.map(tex => katex.renderToString(tex, {{ output: "mathml", displayMode: true, throwOnError: true }}))));"""
        ]
        tex

let private hasPygments =
    lazy
        (File.Exists python
         && (use child =
                 Process.Start(
                     ProcessStartInfo(
                         python,
                         [ "-c"; "import pygments" ],
                         RedirectStandardError = true
                     )
                 )

             child.WaitForExit()
             child.ExitCode = 0))

let private colored (code: string[][]) =
    if hasPygments.Value then
        through
            [ python ]
            python
            [
                "-c"
                """import json, sys
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
form = HtmlFormatter(nowrap=True, classprefix="py-")
print(json.dumps([highlight(text, get_lexer_by_name(language), form) for language, text in json.load(sys.stdin)]))"""
            ]
            code
    else
        None

let private escape (text: string) = WebUtility.HtmlEncode text

let private box kind (label: string) inside =
    $"""<figure class="block {kind}"><figcaption>{escape label}</figcaption><pre><code>{inside}</code></pre></figure>"""

/// All pieces as html, in the order of their marks.
let private rendered () =
    let all = pieces.ToArray()

    let equations =
        all
        |> Array.choose (function
            | Equation tex -> Some tex
            | _ -> None)

    let code =
        all
        |> Array.choose (function
            | Code(language, _, text) -> Some [| language; text |]
            | _ -> None)

    let htmlOfEquations = Queue(defaultArg (typeset equations) [||])
    let htmlOfCode = Queue(defaultArg (colored code) [||])

    if equations.Length > htmlOfEquations.Count then
        printfn "equations stay as TeX: there is no KaTeX (Debian: katex)"

    if code.Length > htmlOfCode.Count then
        printfn "code stays without colors: there is no Pygments (Debian: python3-pygments)"

    all
    |> Array.map (fun piece ->
        match piece with
        | Equation tex ->
            match htmlOfEquations.TryDequeue() with
            | true, html -> $"""<div class="equation">{html}</div>"""
            | _ -> box "tex" "equation" (escape tex)
        | Code(_, label, text) ->
            match htmlOfCode.TryDequeue() with
            | true, html -> box "typed" label (html.TrimEnd())
            | _ -> box "typed" label (escape (text.TrimEnd()))
        | Printed text -> box "printed" "prints" (escape (text.TrimEnd()))
        | Html html -> html)

/// Puts the pieces into the pages of a folder. A mark that is left over is a mistake.
let apply (folder: string) =
    let pieces = rendered ()

    for file in Directory.GetFiles(folder, "*.html") do
        let text = File.ReadAllText file

        let dressed =
            Regex.Replace(
                text,
                @"(?:<p>)?<div>@@piece-(\d+)@@</div>(?:</p>)?",
                fun found -> pieces[int found.Groups[1].Value]
            )

        if dressed.Contains "@@piece-" then
            failwith $"{file}: a piece could not be put in"

        if dressed <> text then
            File.WriteAllText(file, dressed)

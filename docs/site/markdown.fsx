/// Markdown as its parts: prose and blocks of code, with what the comment before a block says of it.
module Markdown

open System
open System.Text.RegularExpressions

/// What a page's author says of a block, in a comment on the line before.
type Mark =
    | Unmarked
    /// `<!-- not run: why -->`: an illustration.
    | NotRun of reason: string
    /// `<!-- output -->`: what the block before it printed, word for word.
    | Output
    /// `<!-- output varies -->`: the same, with numbers that no two runs share; replaced by what was printed.
    | OutputVaries
    /// `<!-- run -->`, `<!-- run, exit code 2 -->`: commands of a shell, and what they must end with.
    | Run of exitCode: int
    /// `<!-- file: model.fsx -->`: what stands in that file from here on.
    | File of name: string
    /// `<!-- below open Rflo.Host in: model.fsx -->`: what stands in that file below that line from here on.
    | Below of line: string * name: string
    /// `<!-- does not compile -->`: F# whose messages of the compiler stand in the output behind it.
    | Mistaken
    /// Anything else: a mistake of the author's.
    | Strange of text: string

type Part =
    | Prose of string
    /// F# that readers do not see: `<!-- hidden ... -->`.
    | Hidden of code: string
    /// Options of the page's script: `<!-- arguments: --trials 5 -->`.
    | Options of string list
    /// `<!-- report: runs/p1/report.html: The report -->`: a file that the page's commands made, which the site links to.
    | Report of file: string * title: string
    | Block of language: string * mark: Mark * code: string

let private readMark (comment: string) =
    let rest (prefix: string) = comment.Substring(prefix.Length).Trim()

    match comment with
    | "output" -> Output
    | "output varies" -> OutputVaries
    | "run" -> Run 0
    | "does not compile" -> Mistaken
    | _ when comment.StartsWith "run, exit code " -> Run(int (rest "run, exit code "))
    | _ when comment.StartsWith "not run:" -> NotRun(rest "not run:")
    | _ when comment.StartsWith "file:" -> File(rest "file:")
    | _ when comment.StartsWith "below " && comment.Contains " in: " ->
        let parts = (rest "below ").Split " in: "
        Below(parts[0], parts[1])
    | _ -> Strange comment

let private tokens =
    Regex(
        @"^<!-- hidden\r?\n(?<hidden>.*?)\r?\n-->[ ]*$"
        + @"|^<!-- arguments: (?<options>.*?) -->[ ]*$"
        + @"|^<!-- report: (?<report>.*?): (?<title>.*?) -->[ ]*$"
        + @"|(?:^<!-- (?<mark>[^\n]*?) -->[ ]*\r?\n)?^```(?<language>[\w-]*)[ ]*\r?\n(?<code>.*?)^```[ ]*$",
        RegexOptions.Multiline ||| RegexOptions.Singleline
    )

/// A page's parts, in order.
let parse (text: string) = [
    let mutable place = 0

    for found in tokens.Matches text do
        if found.Index > place then
            Prose(text.Substring(place, found.Index - place))

        if found.Groups["hidden"].Success then
            Hidden found.Groups["hidden"].Value
        elif found.Groups["options"].Success then
            Options(List.ofArray (found.Groups["options"].Value.Split ' '))
        elif found.Groups["report"].Success then
            Report(found.Groups["report"].Value, found.Groups["title"].Value)
        else
            let mark =
                if found.Groups["mark"].Success then
                    readMark found.Groups["mark"].Value
                else
                    Unmarked

            Block(found.Groups["language"].Value, mark, found.Groups["code"].Value)

        place <- found.Index + found.Length

    if place < text.Length then
        Prose(text.Substring place)
]

/// Prose whose blocks by indentation are fenced, so that nobody takes equations for F#.
let fenced (prose: string) =
    let isCode (line: string) = line.StartsWith "    "
    let isBlank (line: string) = String.IsNullOrWhiteSpace line
    let lines = prose.Split '\n'
    let mutable inside = false

    String.concat "\n" [
        for k, line in Array.indexed lines do
            let before = if k = 0 then "" else lines[k - 1]

            if inside && not (isCode line) then
                if not (isBlank line) then
                    inside <- false
                    "```"
            elif not inside && isCode line && isBlank before then
                inside <- true
                "```text"

            if inside && isCode line then line.Substring 4 else line

        if inside then
            "```"
    ]

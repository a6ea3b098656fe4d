/// Runs what stands in a page: its F# as one script, its commands in a shell, both in a folder of the page's own.
module Running

open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions

#load "markdown.fsx"
#load "Examples.fs"

open Markdown

/// What running a page came to.
type Ran = {
    /// The parts, with what was really printed in the place of what the page says.
    Parts: Part list
    /// What is wrong, each in one line or more.
    Complaints: string list
    /// Files that the site shows, by the number of their part.
    Reports: Map<int, string>
}

let private root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))
let private host = Path.Combine(root, "src", "Rflo.Host", "host.fsx")

let private command =
    Path.Combine(root, "src", "Rflo.Cli", "bin", "Release", "net10.0", "Rflo.Cli.dll")

/// Loading by a relative path is right in a clone; a page's script lies elsewhere.
let private rooted (code: string) =
    Regex.Replace(code, "#load \"[./]*src/Rflo.Host/host.fsx\"", $"#load @\"{host}\"")

let private longest = TimeSpan.FromMinutes 5.0

/// The tools of the page to which a folder belongs.
let rec private toolsOf (folder: string) =
    let tools = Path.Combine(folder, ".tools")

    match Path.GetDirectoryName folder with
    | null -> tools
    | above -> if Directory.Exists tools then tools else toolsOf above

let private python = "/usr/bin/python3"

let private start (folder: string) (file: string) (arguments: string list) =
    let info =
        ProcessStartInfo(
            file,
            arguments,
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        )

    info.Environment["NO_COLOR"] <- "1"
    info.Environment["DOTNET_NOLOGO"] <- "1"
    info.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] <- "1"
    info.Environment["MSBUILDDISABLENODEREUSE"] <- "1"
    // A page's commands find `rflo` as a reader's do.
    info.Environment["PATH"] <- toolsOf folder + ":" + Environment.GetEnvironmentVariable "PATH"
    use child = Process.Start info
    let output = child.StandardOutput.ReadToEndAsync()
    let errors = child.StandardError.ReadToEndAsync()

    if not (child.WaitForExit longest) then
        child.Kill true

    // Where this machine keeps things is nobody's business.
    let tidy (text: string) =
        text.Replace(folder, "~/models").Replace(root, "~/rflo")

    child.ExitCode, tidy output.Result, tidy errors.Result

let private makeTools folder =
    let tools = Path.Combine(folder, ".tools")
    Directory.CreateDirectory tools |> ignore
    let rflo = Path.Combine(tools, "rflo")
    File.WriteAllText(rflo, $"#!/bin/sh\nexec dotnet '{command}' \"$@\"\n")

    let mode =
        UnixFileMode.UserRead ||| UnixFileMode.UserWrite ||| UnixFileMode.UserExecute

    File.SetUnixFileMode(rflo, mode)

/// A line that no page prints, with the number of the block that has just ended.
let private marker = "\u0002"

let private prelude = $"#load @\"{host}\"\nopen Rflo.Dsl\nopen Rflo.Host\n"

/// The page's F# as one script, which says where each block ends.
let private script parts =
    let loads =
        parts
        |> List.exists (function
            | Block("fsharp", Unmarked, code) -> code.Contains "host.fsx"
            | _ -> false)

    String.concat "\n" [
        if not loads then
            prelude

        "System.Console.SetError System.Console.Out"

        for k, part in List.indexed parts do
            match part with
            | Hidden code -> code
            | Block("fsharp", Unmarked, code) ->
                rooted code
                $"System.Console.WriteLine \"{marker}{k}\""
            | _ -> ()
    ]

let private hasScript parts =
    parts
    |> List.exists (function
        | Block("fsharp", Unmarked, _) -> true
        | _ -> false)

/// What each block printed, by its number.
let private printed (output: string) =
    let mutable start = 0

    Map.ofList [
        for found in Regex.Matches(output, marker + @"(\d+)\r?\n") do
            int found.Groups[1].Value, output.Substring(start, found.Index - start)
            start <- found.Index + found.Length
    ]

let private runScript folder parts =
    let options =
        parts
        |> List.collect (function
            | Options options -> options
            | _ -> [])

    if hasScript parts then
        File.WriteAllText(Path.Combine(folder, "page.fsx"), script parts)
        let code, output, errors = start folder "dotnet" ([ "fsi"; "page.fsx" ] @ options)

        let complaints =
            if code = 0 then
                []
            else
                [ $"its F# ended with exit code {code}:\n{errors}{output}" ]

        printed output, complaints
    else
        Map.empty, []

/// What the compiler says of each block that does not compile, by its number; lines count from the first of the block.
let private mistakes folder parts =
    let opening = prelude.Split('\n').Length

    // The number of lines before a place, in a message that names it.
    let moved (found: Match) =
        $"model.fsx({int found.Groups[1].Value - opening},"

    let check (k, code) =
        let place = Path.Combine(folder, $"block-{k}")
        Directory.CreateDirectory place |> ignore
        File.WriteAllText(Path.Combine(place, "model.fsx"), prelude + "\n" + code)

        let _, output, errors =
            start place "dotnet" [ "fsi"; "--nologo"; "--typecheck-only"; "model.fsx" ]

        k, Regex.Replace((output + errors).Trim(), @"\S*model\.fsx\((\d+),", moved)

    parts
    |> List.indexed
    |> List.choose (fun (k, part) ->
        match part with
        | Block("fsharp", Mistaken, code) -> Some(k, code)
        | _ -> None)
    |> List.toArray
    |> Array.Parallel.map check
    |> Map.ofArray

/// The folder that a page's commands have come to: each block goes on where the one before it ended.
let private here folder =
    let file = Path.Combine(folder, ".tools", "here")

    if File.Exists file then
        File.ReadAllText(file).Trim()
    else
        folder

let private hasModule name =
    lazy
        (File.Exists python
         && (let code, _, _ = start "/" python [ "-c"; $"import {name}" ] in code = 0))

let private modules = [ "numpy", hasModule "numpy"; "scipy", hasModule "scipy" ]

/// The first module that a program needs and this machine lacks.
let private lacking (code: string) =
    modules
    |> List.tryPick (fun (name, isHere) ->
        if code.Contains name && not isHere.Value then
            Some name
        else
            None)

let private runPython folder k code =
    match lacking code with
    | None ->
        let ended, output, errors = start (here folder) python [ "-c"; code ]

        output,
        [
            if ended <> 0 then
                $"block {k} ended with exit code {ended}:\n{code}\n{errors}"
        ]
    | Some name ->
        printfn $"not run: block {k}, since {python} has no {name} (Debian: python3-{name})"
        "", []

let private runShell folder k code expected =
    let file = Path.Combine(folder, ".tools", "here")
    let moved = $"{code}\npwd > '{file}'"
    let ended, output, errors = start (here folder) "/bin/bash" [ "-euc"; moved ]

    let complaints =
        if ended = expected then
            []
        else
            [
                $"block {k} ended with exit code {ended} and not {expected}:\n{code}\n{errors}{output}"
            ]

    output + errors, complaints

let private same (a: string) (b: string) =
    let tidy (text: string) =
        text.Split '\n' |> Array.map _.TrimEnd() |> String.concat "\n" |> _.Trim()

    tidy a = tidy b

/// Runs a page in an empty folder.
let page (folder: string) (text: string) =
    let parts = parse text
    Directory.CreateDirectory folder |> ignore
    makeTools folder
    let fromScript, scriptComplaints = runScript folder parts
    let fromCompiler = mistakes folder parts
    let complaints = ResizeArray<string>(scriptComplaints)
    let mutable last = ""
    let mutable reports = Map.empty
    // What a block without its tool would have printed is not known.
    let mutable isKnown = true

    let parts = [
        for k, part in List.indexed parts do
            match part with
            | Block("fsharp", Unmarked, _) ->
                last <- fromScript |> Map.tryFind k |> Option.defaultValue ""
                isKnown <- scriptComplaints.IsEmpty
                part
            | Block("fsharp", NotRun _, _) -> part
            | Block("fsharp", Mistaken, _) ->
                last <- fromCompiler |> Map.tryFind k |> Option.defaultValue ""
                isKnown <- true

                if last = "" then
                    complaints.Add $"block {k} compiles"

                part
            | Block(_, File name, code) ->
                let file = Path.Combine(here folder, name)
                Directory.CreateDirectory(Path.GetDirectoryName file) |> ignore
                File.WriteAllText(file, rooted code)
                part
            | Block(_, Below(line, name), code) ->
                let file = Path.Combine(here folder, name)
                let head = File.ReadAllText file |> _.Split(line)

                if head.Length < 2 then
                    complaints.Add $"block {k}: {name} has no line {line}"
                else
                    File.WriteAllText(file, $"{head[0]}{line}\n\n{code}")

                part
            | Report(file, _) ->
                let path = Path.Combine(here folder, file)

                if File.Exists path then
                    reports <- reports |> Map.add k path
                else
                    complaints.Add $"part {k}: {file} is not there"

                part
            | Block("sh", Mark.Run expected, code) ->
                let output, more = runShell folder k code expected
                complaints.AddRange more
                last <- output
                isKnown <- true
                part
            | Block("python", Mark.Run 0, code) ->
                let output, more = runPython folder k code
                complaints.AddRange more
                last <- output
                isKnown <- (lacking code).IsNone
                part
            | Block("text", (Output | OutputVaries), _) when not isKnown -> part
            | Block("text", Output, said) ->
                if not (same said last) then
                    complaints.Add $"block {k} says\n{said}but this was printed:\n{last}"

                Block("text", Output, last.Trim() + "\n")
            | Block("text", OutputVaries, said) ->
                if last.Trim() = "" then
                    complaints.Add $"block {k} says\n{said}but nothing was printed"

                Block("text", OutputVaries, last.Trim() + "\n")
            | Block(language,
                    (Strange _ | NotRun "" | Mark.Run _ | Output | OutputVaries as mark),
                    _) ->
                complaints.Add $"block {k}, in {language}: this cannot be said of it: {mark}"
                part
            | Block("", _, _) ->
                complaints.Add $"block {k} does not say what language it is in"
                part
            | _ -> part
    ]

    {
        Parts = parts
        Complaints = List.ofSeq complaints
        Reports = reports
    }

/// Runs an example in an empty folder, as its page shows it.
let example (folder: string) (file: string) (options: string list) =
    Directory.CreateDirectory folder |> ignore
    let code, output, errors = start folder "dotnet" ("fsi" :: file :: options)
    File.WriteAllText(Path.Combine(folder, Examples.output), output)

    [
        if code <> 0 then
            $"{Path.GetFileName file} ended with exit code {code}:\n{errors}{output}"
    ]

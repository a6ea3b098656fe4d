namespace Rflo.Host

open System
open System.IO
open System.Text.RegularExpressions

/// All files that a script is compiled from.
[<NoComparison>]
type internal ScriptSources = {
    /// The script and what it loads, the host among it; full paths.
    Files: string list
    /// The assemblies that they refer to, where these are files; full paths.
    References: string list
}

/// Finds what a script is compiled from, so that a compiled script can be recognized as that of other sources.
[<RequireQualifiedAccess>]
module internal ScriptSources =

    /// Directives that only an interactive session carries out.
    let private interactive =
        Regex(@"(?m)^\s*#(time|quit|help|cd|silentCd|dbgbreak|clear|i)\b", RegexOptions.Compiled)

    let private isPackage (reference: string) =
        Regex.IsMatch(reference, @"^\s*\w+\s*:\s*[^\\/]")

    /// A file of that path in the first of the folders that has one.
    let private inPlaces (places: string list) (path: string) =
        places
        |> List.map (fun place -> Path.GetFullPath(Path.Combine(place, path)))
        |> List.tryFind File.Exists

    /// What a script and all that it loads are compiled from. None where that cannot be known from the files alone: a package is
    /// named, a loaded file is not there, or a directive needs an interactive session.
    let tryFind (script: string) : ScriptSources option =
        let rec go (files: string list) references left =
            match left with
            | [] ->
                Some {
                    Files = List.rev files
                    References = List.rev references |> List.distinct
                }
            | file :: rest when List.contains file files -> go files references rest
            | (file: string) :: rest ->
                let text = File.ReadAllText file
                let here = nonNull (Path.GetDirectoryName file)

                let places =
                    here
                    :: [
                        for added in ScriptFiles.paths "I" text -> Path.Combine(here, added)
                    ]

                let loaded = ScriptFiles.paths "load" text |> List.map (inPlaces places)
                let named = ScriptFiles.paths "r" text

                if
                    interactive.IsMatch text
                    || List.exists isPackage named
                    || List.exists Option.isNone loaded
                then
                    None
                else
                    // A reference without a file is one to the framework.
                    let found = named |> List.choose (inPlaces places) |> List.rev
                    go (file :: files) (found @ references) (List.choose id loaded @ rest)

        try
            go [] [] [ Path.GetFullPath script ]
        with
        | :? IOException
        | :? UnauthorizedAccessException -> None

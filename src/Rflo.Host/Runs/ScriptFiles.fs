namespace Rflo.Host

open System
open System.IO
open System.Text.RegularExpressions

/// The files that a script loads, directly or through other files; a run folder keeps them, so that it can be run again.
[<RequireQualifiedAccess>]
module internal ScriptFiles =

    let private names =
        Regex(
            "\"\"\"(?<a>.*?)\"\"\"|@\"(?<b>[^\"]*)\"|\"(?<c>(?:[^\"\\\\]|\\\\.)*)\"",
            RegexOptions.Compiled
        )

    /// The paths after a directive, in any kind of string.
    let paths (directive: string) (text: string) = [
        for line in text.Split '\n' do
            if Regex.IsMatch(line, $@"^\s*#{directive}\b") then
                for found in names.Matches line do
                    if found.Groups["c"].Success then
                        Regex.Replace(found.Groups["c"].Value, @"\\(.)", "$1")
                    else
                        found.Groups["a"].Value + found.Groups["b"].Value
    ]

    /// The existing files that a file loads: beside it, or in a folder that it adds to the search.
    let private loads (file: string) (text: string) =
        let here = nonNull (Path.GetDirectoryName file)
        let places = here :: [ for added in paths "I" text -> Path.Combine(here, added) ]

        [
            for path in paths "load" text do
                match
                    places
                    |> List.map (fun place -> Path.GetFullPath(Path.Combine(place, path)))
                    |> List.tryFind File.Exists
                with
                | Some found -> found
                | None -> ()
        ]

    /// Whether a file is that which loads the host; it is not copied, since the manifest has the version of the host.
    let private isHost (text: string) =
        paths "r" text |> List.contains "Rflo.Host.dll"

    /// A path relative to the script's folder without `..`: a parent folder is called `up`.
    let private safe (folder: string) (file: string) =
        let relative = Path.GetRelativePath(folder, file)

        let parts =
            relative.Split([| '/'; '\\'; ':' |], StringSplitOptions.RemoveEmptyEntries)
            |> Array.map (fun part -> if part = ".." then "up" else part)

        String.concat
            "/"
            (if Path.IsPathRooted relative then
                 Array.append [| "root" |] parts
             else
                 parts)

    /// Distinct names for files from different paths.
    let private distinct (files: (string * string) list) =
        (([], Set.empty), files)
        ||> List.fold (fun (named, taken) (name, path) ->
            let free =
                Seq.initInfinite (fun k ->
                    if k = 0 then
                        name
                    else
                        $"{Path.ChangeExtension(name, null)}-{k + 1}{Path.GetExtension name}")
                |> Seq.find (fun name -> not (Set.contains name taken))

            (free, path) :: named, Set.add free taken)
        |> fst
        |> List.rev

    let private read (script: string) =
        let script = Path.GetFullPath script
        let folder = nonNull (Path.GetDirectoryName script)

        let rec go seen found left =
            match left with
            | [] -> List.rev found
            | file :: rest when Set.contains file seen -> go seen found rest
            | file :: rest ->
                let text = File.ReadAllText file

                if isHost text then
                    go (Set.add file seen) found rest
                else
                    let found =
                        if file = script then
                            found
                        else
                            (safe folder file, file) :: found

                    go (Set.add file seen) found (loads file text @ rest)

        try
            go Set.empty [] [ script ] |> distinct
        with
        // A file that cannot be read is not copied; the run continues.
        | :? IOException
        | :? UnauthorizedAccessException -> []

    /// The files that a script loads, without itself and the host, each with a safe path below the script's folder, and its place.
    let loadedBy (script: string) = read script

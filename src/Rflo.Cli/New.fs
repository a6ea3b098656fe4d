namespace Rflo.Cli

open System
open System.IO
open System.Text.RegularExpressions
open Argu
open Rflo.Host

/// The options of `rflo new`.
type internal NewOption =
    | [<MainCommand>] Name of name: string
    | Template of name: string

    interface IArgParserTemplate with
        member this.Usage =
            match this with
            | Name _ -> "the folder to make, which names the model: letters, digits, - and _."
            | Template _ ->
                "what to begin with: "
                + String.concat ", " Templates.names
                + $"; without it, {Templates.names.Head}."

/// `rflo new`: a folder with a script that trains and a project that tests it.
[<RequireQualifiedAccess>]
module internal New =

    let private isName (name: string) =
        name.Length <= 60 && Regex.IsMatch(name, @"^[A-Za-z][A-Za-z0-9_-]*\z")

    let private namesIn options =
        options
        |> List.choose (function
            | Name name -> Some name
            | Template _ -> None)

    /// Words that look like options, which Argu takes for names.
    let private strays options =
        namesIn options |> List.filter _.StartsWith('-')

    let private mistakes options = [
        for stray in strays options do
            UnknownOption(stray, Arguments.names<NewOption>())

        match namesIn options with
        | _ when not (strays options).IsEmpty -> ()
        | [] -> Refused "new needs a name for the folder, such as rflo new reach"
        | [ name ] when isName name -> ()
        | [ name ] ->
            BadValue(
                "the name",
                name,
                "at most 60 letters, digits, - and _, a letter first; it names a folder here"
            )
        | first :: more ->
            let rest = String.concat ", " more
            Refused $"new makes one folder, {first}; what is {rest}?"

        for option in options do
            match option with
            | Template template when not (List.contains template Templates.names) ->
                UnknownName("--template", template, "template", Templates.names)
            | _ -> ()
    ]

    /// Writes all files into a temporary folder beside the final one, and renames it.
    let private write (folder: string) files =
        let unfinished =
            Path.Combine(
                Path.GetDirectoryName folder |> nonNull,
                $".{Path.GetFileName folder}.{Environment.ProcessId}"
            )

        try
            for (path: string), (text: string) in files do
                let file = Path.Combine(unfinished, path)
                Directory.CreateDirectory(Path.GetDirectoryName file |> nonNull) |> ignore
                File.WriteAllText(file, text)

            Directory.Move(unfinished, folder)
        finally
            if Directory.Exists unfinished then
                Directory.Delete(unfinished, true)

    let private make name template =
        let folder = Path.GetFullPath name

        if Path.Exists folder then
            eprintfn $"rflo: {name} is there already; choose another name, or delete it"
            ExitCode.Arguments
        else
            try
                write folder (Templates.files folder name template (Templates.origin ()))
                printfn $"{name}: model.fsx and its tests. Next:\n"
                printfn $"  cd {name}"
                printfn "  dotnet fsi model.fsx"
                printfn "  dotnet run --project tests"
                ExitCode.Done
            with
            | :? IOException
            | :? UnauthorizedAccessException as e ->
                eprintfn $"rflo: {name} cannot be written: {e.Message}"
                ExitCode.EndedEarly

    /// The command; its exit code.
    let run (arguments: string list) =
        match Arguments.parseWith<NewOption> "rflo new" (Array.ofList arguments) with
        | Error(Choice1Of2 help) ->
            printfn $"{help}"
            ExitCode.Done
        | Error(Choice2Of2 mistakes) -> Mistake.refuse "rflo" mistakes
        | Ok options ->
            match mistakes options with
            | [] ->
                let template =
                    options
                    |> List.choose (function
                        | Template template -> Some template
                        | Name _ -> None)
                    |> List.tryLast
                    |> Option.defaultValue Templates.names.Head

                make (namesIn options).Head template
            | mistakes -> Mistake.refuse "rflo" mistakes

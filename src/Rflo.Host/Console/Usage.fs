namespace Rflo.Host

/// Commands whose arguments are so few that they are read by hand.
[<RequireQualifiedAccess>]
module internal Usage =

    /// Whether somebody asks for help.
    let isAskedFor arguments =
        arguments
        |> List.exists (fun word -> List.contains word [ "--help"; "-h"; "help" ])

    /// Answers arguments that a command cannot use: with its help, if that is asked for, and with what it takes if not.
    /// The exit code.
    let answer (command: string) (takes: string) (does: string) (arguments: string list) =
        let usage = $"rflo {command} {takes}".TrimEnd()

        if isAskedFor arguments then
            printfn $"USAGE: {usage}\n\n{does}\n\n{ExitCode.help}"
            ExitCode.Done
        else
            let given =
                match arguments with
                | [] -> "nothing was given"
                | words -> $"""given: {String.concat " " words}"""

            eprintfn $"rflo: it must be: {usage}; {given} (--help tells more)"
            ExitCode.Arguments

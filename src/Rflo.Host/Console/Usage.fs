namespace Rflo.Host

/// Usage of commands with few arguments, which are read without the option parser.
[<RequireQualifiedAccess>]
module internal Usage =

    /// Whether the arguments request help.
    let isAskedFor arguments =
        arguments
        |> List.exists (fun word -> List.contains word [ "--help"; "-h"; "help" ])

    /// Prints the help of a command if it is requested, else its usage as a mistake of the command line. Returns
    /// the exit code.
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

            eprintfn $"rflo: it must be: {usage}; {given} (--help prints the details)"
            ExitCode.Arguments

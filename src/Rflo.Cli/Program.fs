module internal Rflo.Cli.Program

open Rflo.Host

let private help () =
    printfn "rflo COMMAND\n"

    let width = Commands.all |> List.map _.Usage.Length |> List.max

    for command in Commands.all do
        printfn $"  {command.Usage.PadRight width}  {command.Summary}"

    printfn $"\nEach command takes --help.\n\n{ExitCode.help}"

let rec private run arguments =
    match arguments with
    | [] ->
        help ()
        ExitCode.Arguments
    | [ "--help" ]
    | [ "-h" ]
    | [ "help" ] ->
        help ()
        ExitCode.Done
    | [ "--version" ] -> run [ "version" ]
    | name :: rest ->
        match Commands.all |> List.tryFind (fun command -> command.Name = name) with
        | Some command -> command.Run rest
        | None ->
            let known = Commands.all |> List.map _.Name

            let hint =
                match Rflo.Dsl.Problem.nearest name known with
                | Some near -> $"; did you mean {near}?"
                | None -> ""

            let all = String.concat ", " known
            eprintfn $"rflo: there is no command {name} (known: {all}){hint}"
            ExitCode.Arguments

/// The `rflo` command.
[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    // The script has a host of its own, which guards the output.
    | ScriptLoader.Command :: words -> ScriptLoader.run words
    | arguments ->
        StandardOutput.guard ()
        StandardOutput.finish (run arguments)

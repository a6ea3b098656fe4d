namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl

/// How `rflo run SCRIPT` and the like detect that a script passes nothing to the host: the command makes a file, and the host
/// deletes it. (Where the file cannot be made, nothing is detected.)
[<RequireQualifiedAccess>]
module internal HandOver =

    /// The environment variable with the file and the command.
    [<Literal>]
    let private Waiting = "RFLO_WAITS_AT"

    [<Literal>]
    let private Command = "RFLO_COMMAND"

    /// A variable of the environment that is not empty.
    let variable name =
        Environment.GetEnvironmentVariable name
        |> Option.ofObj
        |> Option.filter ((<>) "")

    /// The environment variables for a script, and the file, if it could be made.
    let environment (command: string) =
        try
            let file = Path.Combine(Path.GetTempPath(), $"rflo-waits-{Guid.NewGuid():N}")
            File.WriteAllBytes(file, [||])
            [ Command, command; Waiting, file ], Some file
        with
        | :? IOException
        | :? UnauthorizedAccessException -> [ Command, command; Waiting, "" ], None

    /// Whether the file still exists, so that the script passed nothing to the host; deletes it.
    let isMissing (file: string option) =
        match file with
        | Some file when File.Exists file ->
            File.Delete file
            true
        | _ -> false

    /// Records that the script passes something to the host.
    let mark () =
        Unused.used ()

        match variable Waiting with
        | Some file ->
            try
                File.Delete file
            with
            | :? IOException
            | :? UnauthorizedAccessException -> ()
        | None -> ()

    /// The problem of a script without a sweep under `rflo sweep`.
    let notASweep () =
        if variable Command = Some "sweep" then
            [
                Refused
                    "the script has no sweep; make one of it, `|> Sweep.ofExperiment |> Sweep.over \"seed\" [ 1..5 ] seed |> Host.sweep`, or type `rflo run`"
            ]
        else
            []

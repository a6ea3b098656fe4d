namespace Rflo.Host

open System
open System.IO
open Rflo.Dsl

/// How `rflo run SCRIPT` and its like learn whether the script handed anything to the host: the command puts a file there, and the
/// host takes it away. (A file that cannot be made is not waited for.)
[<RequireQualifiedAccess>]
module internal HandOver =

    /// The file, and the command that waits for it.
    [<Literal>]
    let private Waiting = "RFLO_WAITS_AT"

    [<Literal>]
    let private Command = "RFLO_COMMAND"

    let private variable name =
        Environment.GetEnvironmentVariable name
        |> Option.ofObj
        |> Option.filter ((<>) "")

    /// What a command gives its script to know, and the file, if it could be made.
    let environment (command: string) =
        try
            let file = Path.Combine(Path.GetTempPath(), $"rflo-waits-{Guid.NewGuid():N}")
            File.WriteAllBytes(file, [||])
            [ Command, command; Waiting, file ], Some file
        with
        | :? IOException
        | :? UnauthorizedAccessException -> [ Command, command; Waiting, "" ], None

    /// Whether a script left the file, and so handed nothing over; it is gone afterwards.
    let isMissing (file: string option) =
        match file with
        | Some file when File.Exists file ->
            File.Delete file
            true
        | _ -> false

    /// The script has handed something to the host.
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

    /// What is wrong with a script that runs something else where `rflo sweep` was typed.
    let notASweep () =
        if variable Command = Some "sweep" then
            [
                Refused
                    "the script has no sweep; make one of it, `|> Sweep.ofExperiment |> Sweep.over \"seed\" [ 1..5 ] seed |> Host.sweep`, or type `rflo run`"
            ]
        else
            []

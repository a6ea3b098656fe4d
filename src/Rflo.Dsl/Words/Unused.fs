namespace Rflo.Dsl

open System
open System.ComponentModel
open System.IO

/// Detects a script that declares an experiment and does not use it: without a last line such as `|> Host.run` it would print nothing
/// and end with exit code 0. Such a script ends with a message and exit code 1; interactive sessions and programs are not affected.
[<RequireQualifiedAccess; EditorBrowsable(EditorBrowsableState.Never)>]
module Unused =

    /// Whether a word of a command line names a script, as `dotnet fsi` takes it.
    let isScript (word: string) =
        not (word.StartsWith '-')
        && [ ".fsx"; ".fsscript" ]
           |> List.exists (fun ending -> word.EndsWith(ending, StringComparison.OrdinalIgnoreCase))

    let mutable private isUsed = false

    /// The script that this process runs by `dotnet fsi` or by the command `rflo`; none in an interactive session, a notebook or a program.
    let private script =
        lazy
            (match Environment.GetCommandLineArgs() |> List.ofArray with
             | program :: words when Path.GetFileName program = "fsi.dll" ->
                 List.tryFind isScript words
             | program :: "script" :: words when Path.GetFileName program = "Rflo.Cli.dll" ->
                 List.tryFind isScript words
             | _ -> None)

    let private tell (script: string) (experiment: string) =
        // A script that failed has printed its error.
        if not isUsed && Environment.ExitCode = 0 then
            eprintfn
                $"{script}: the experiment {experiment} was declared, and nothing was done with it; end the script with `|> Host.run` (of a list: `|> Host.compare \"NAME\"`; of a sweep: `|> Host.sweep`), or train it with Run.train"

            Environment.ExitCode <- 1

    let mutable private isWatched = false

    /// An experiment was declared.
    let declared (experiment: string) =
        if not isWatched then
            isWatched <- true

            match script.Value with
            | Some script ->
                AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> tell script experiment)
            | None -> ()

    /// An experiment was checked, described, estimated or drawn.
    let used () = isUsed <- true

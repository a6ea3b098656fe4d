namespace Rflo.Host

open System.IO
open Rflo.Runs

/// The files that make up a script, which a run folder keeps as they are when the run begins.
[<RequireQualifiedAccess>]
module internal Sources =

    /// The script and what it loads, under the names that they have in a run folder; nothing where there is no script.
    let ofScript (script: string option) = [
        match script with
        | Some path ->
            SourceFile(path, nonNull (Path.GetFileName path))

            for name, loaded in ScriptFiles.loadedBy path do
                SourceFile(loaded, $"loaded/{name}")
        | None -> ()
    ]

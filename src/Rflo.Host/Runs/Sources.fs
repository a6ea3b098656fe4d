namespace Rflo.Host

open System.IO
open Rflo.Runs

/// The files of a script, which a run folder keeps as they are when the run begins.
[<RequireQualifiedAccess>]
module internal Sources =

    /// The script and the files that it loads, under their names in a run folder; empty without a script.
    let ofScript (script: string option) = [
        match script with
        | Some path ->
            SourceFile(path, nonNull (Path.GetFileName path))

            for name, loaded in ScriptFiles.loadedBy path do
                SourceFile(loaded, $"loaded/{name}")
        | None -> ()
    ]

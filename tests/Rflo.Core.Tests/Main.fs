module Rflo.Core.Tests.Main

open Expecto

[<EntryPoint>]
let main arguments =
    match Widths.listsOfThisProcess () with
    | Some lists -> Widths.run lists
    | None -> runTestsInAssemblyWithCLIArgs [] arguments

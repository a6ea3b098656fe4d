module Rflo.Host.Tests.Main

open Expecto

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "train" :: kind :: rest -> Rflo.Host.Tests.LongRuns.run kind (Array.ofList rest)
    | _ -> runTestsInAssemblyWithCLIArgs [] arguments

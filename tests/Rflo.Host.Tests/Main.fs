module Rflo.Host.Tests.Main

open Expecto

[<EntryPoint>]
let main arguments =
    match List.ofArray arguments with
    | "train" :: kind :: rest -> Rflo.Host.Tests.LongRuns.run kind (Array.ofList rest)
    | _ ->
        // Most of them wait for a process that they started.
        let workers = System.Environment.ProcessorCount * 2
        runTestsInAssemblyWithCLIArgs [ CLIArguments.Parallel_Workers workers ] arguments

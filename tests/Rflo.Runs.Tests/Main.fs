module Rflo.Runs.Tests.Main

open Expecto
open Rflo.Runs.Tests

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| "write-half"; place |] ->
        KillTests.writeHalf place
        0
    | [| "write-unplaced"; place |] ->
        KillTests.writeUnplaced place
        0
    | [| "contend"; place |] ->
        TakeUpTests.contend place
        0
    | _ -> runTestsInAssemblyWithCLIArgs [] arguments

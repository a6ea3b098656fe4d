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
    | [| "look"; place |] ->
        RefusalOfLooksTests.look place
        0
    | [| "abandoned"; place |] ->
        OwnerTests.abandoned place
        0
    | [| "nothing" |] -> 0
    | _ -> runTestsInAssemblyWithCLIArgs [] arguments

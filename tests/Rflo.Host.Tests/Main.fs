module Rflo.Host.Tests.Main

open Expecto

[<Tests>]
let placeholder =
    testList "Rflo.Host" [
        test "the test program runs" { Expect.isTrue true "true is true" }
    ]

[<EntryPoint>]
let main arguments =
    runTestsInAssemblyWithCLIArgs [] arguments

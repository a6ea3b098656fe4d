module Rflo.Core.Tests.Main

open Expecto

[<Tests>]
let placeholder =
    testList "Rflo.Core" [
        test "the test program runs" { Expect.isTrue true "true is true" }
    ]

[<EntryPoint>]
let main arguments =
    runTestsInAssemblyWithCLIArgs [] arguments

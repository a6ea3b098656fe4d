module Rflo.Testing.Tests.LawTests
open Expecto
open Rflo.Dsl
open Rflo.Testing

[<Tests>]
let tests =
    testList "laws" [
        for rule in Rule.all do
            testList rule.Name [
                for name, law in Laws.ofRule rule do
                    testCase name law
            ]
        testCase "rflo not grad" (fun () -> Laws.gradientMatches Rule.rflo)
        for r in [Rule.bptt; Rule.bpttRandom; Rule.tbptt; Rule.rtrl; Rule.uoro; Rule.kfRtrl; Rule.kernl] do
            testCase $"{r.Name} not local" (fun () -> Laws.localOnly r)
        for r in Rule.all do
            testCase $"fw {r.Name}" (fun () -> Laws.gradientMatchesWithoutRecurrence r)
    ]

/// The catalogue of planted mistakes still fits the sources: `dotnet fsi build.fsx mutate` plants them.
module Rflo.Testing.Tests.CatalogueTests

open System
open System.IO
open Expecto
open Rflo.Mutations

let private root = Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", ".."))

let private mutants = lazy (Catalogue.load root)

[<Tests>]
let tests =
    testList "the catalogue of mistakes" [
        test "fits the sources: each text stands there once, each test list exists" {
            if not (isNull (Environment.GetEnvironmentVariable Catalogue.variable)) then
                skiptest "the sources of this copy hold the mistakes already"

            Expect.equal (Catalogue.complaints root mutants.Value) [] "what is to be mended"
            Numbers.isGreaterThanOrEqual mutants.Value.Length 150 "mistakes"
        }

        test "can be planted: places that overlap lie in one another" {
            if not (isNull (Environment.GetEnvironmentVariable Catalogue.variable)) then
                skiptest "the sources of this copy hold the mistakes already"

            for file, mutants in mutants.Value |> List.groupBy _.File do
                let text = File.ReadAllText(Path.Combine(root, file))
                let planted = Catalogue.plant file text mutants

                for mutant in mutants do
                    Expect.stringContains planted (Catalogue.switch mutant) mutant.Name
        }
    ]

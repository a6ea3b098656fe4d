module Rflo.Dsl.Tests.PlantedFaultTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Testing.Circuits
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Planting

/// A valid experiment, and which mistakes to plant in it: numbers of kinds, and numbers that choose the way.
type Spoiled = Spoiled of Valid * choices: (int * int) list

type SpoiledArbitraries =
    static member Spoiled() =
        let number = Gen.choose (0, 1_000_000)

        let spoiled =
            gen {
                let! experiment = experimentGen
                let! count = Gen.choose (1, 5)
                let! choices = Gen.listOfLength count (Gen.zip number number)
                return Spoiled(Valid experiment, choices)
            }

        let shrink (Spoiled(Valid experiment, choices)) =
            seq {
                for k in 0 .. choices.Length - 1 do
                    if choices.Length > 1 then
                        Spoiled(Valid experiment, List.removeAt k choices)

                for smaller in shrink experiment do
                    Spoiled(Valid smaller, choices)
            }

        Arb.fromGenShrink (spoiled, shrink)

let private spoiledConfig = {
    config 1000 with
        arbitrary = [ typeof<SpoiledArbitraries> ]
}

let private lines problems =
    problems |> List.map Problem.text |> String.concat "\n"

let private expectExactly experiment kinds choices =
    let spoiled, planted, expected = plantAll kinds choices experiment

    match Check.experiment spoiled with
    | Ok _ -> Expect.isEmpty expected $"planted: %A{planted}"
    | Error found ->
        // The words first: they show best what differs.
        Expect.equal (lines found) (lines expected) $"planted: %A{planted}"
        Expect.equal found expected $"planted: %A{planted}"

let private someExperiments =
    lazy (experimentGen |> Gen.sampleWithSeed (Rnd 2019UL) 10 500)

[<Tests>]
let tests =
    testList "planted faults" [
        testPropertyWithConfig
            spoiledConfig
            "exactly those are reported, in the order of declaration"
            (fun (Spoiled(Valid experiment, choices)) ->
                expectExactly experiment PlantedKinds.all choices)

        for kind in PlantedKinds.all do
            test $"{kind.Name} is reported, and nothing else" {
                let fitting =
                    someExperiments.Value
                    |> Array.filter (fun e -> not (List.isEmpty (kind.Ways e)))
                    |> Array.truncate 10

                Expect.isNonEmpty fitting "some experiment has room for it"

                for experiment in fitting do
                    for way in 0 .. (kind.Ways experiment).Length - 1 do
                        expectExactly experiment [| kind |] [ 0, way ]
            }
    ]

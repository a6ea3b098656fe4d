/// Numbers are checked in the precision of the run.
module Rflo.Dsl.Tests.PrecisionTests

open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl

let private a = area "a" 4
let private y = readout "y" 1

let private network inner =
    Circuit.empty
    |> areas [ a ]
    |> inputs [ input "x" 1 ]
    |> readouts [ y ]
    |> projections [
        input "x" 1 --> a
        inner
        a --> y |> learningRate 0.5 |> bounds -0.1 0.1
    ]
    |> feedback [ errorOf y --> a ]

let private plan inner =
    experiment
        "single"
        (network inner)
        (Task.ofArrays (Array2D.create 8 1 1.0) (Array2D.create 8 1 2.0))
    |> trials 20
    |> precision Precision.single

let private problems experiment =
    match Check.experiment experiment with
    | Ok _ -> []
    | Error problems -> List.map Problem.text problems

let private beyond =
    "and at most 3.4028235E+38 in size, since the run is in single precision"

[<Tests>]
let tests =
    testList "precision" [
        test "what a run in single precision leaves within its bounds can be loaded" {
            for low, high in
                Gen.zip (Gen.choose (1, 1000)) (Gen.choose (1, 1000))
                |> Gen.sampleWithSeed (Rnd 14UL) 5 20 do
                let low, high = float low / -7000.0, float high / 7000.0
                let inner = a --> a |> learningRate 5.0 |> bounds low high

                match Run.train (plan inner) with
                | Error problems -> failtest $"%A{List.map Problem.text problems}"
                | Ok trained ->
                    let again = {
                        plan inner with
                            Circuit =
                                network inner
                                |> Circuit.mapProjection
                                    "a->a"
                                    (weights (ofMatrix (trained.Final["a->a"].ToArray())))
                                |> Circuit.mapProjection
                                    "a->y"
                                    (weights (ofMatrix (trained.Final["a->y"].ToArray())))
                    }

                    Expect.isEmpty (problems again) $"bounds {low} and {high}"

                    // Also in double precision, where a bound that was rounded to a single number lies beyond itself.
                    let double = {
                        again with
                            Precision = Precision.Double
                    }

                    Expect.isEmpty (problems double) $"bounds {low} and {high} in double precision"

                    match Run.performWith trained.Final double double.Task 1 with
                    | Ok trials -> Expect.isTrue (System.Double.IsFinite trials.Head.Loss) "it runs"
                    | Error problems -> failtest $"%A{List.map Problem.text problems}"

                    let further = {
                        double with
                            Circuit =
                                double.Circuit
                                |> Circuit.mapProjection
                                    "a->a"
                                    (weights (constant (high * 1.0000002)))
                    }

                    Expect.isNonEmpty (problems further) "beyond a bound by more than its rounding"
        }

        test
            "numbers that single precision does not have are refused, and double precision has them" {
            let huge = Array2D.create 4 4 1e200

            for inner, fault in
                [
                    a --> a |> weights (ofMatrix huge),
                    $"projection a->a: a weight is 1E+200; it must be finite {beyond}"
                    a --> a |> weights (constant -1e39),
                    $"projection a->a: the weight is -1E+39; it must be finite {beyond}"
                    a --> a |> weights (gaussian 1e100),
                    $"projection a->a: the gain is 1E+100; it must be finite and at least 0 {beyond}"
                    a --> a |> learningRate 1e60,
                    $"projection a->a: the learning rate is 1E+60; it must be finite and at least 0 {beyond}"
                    a --> a |> learningRate 0.1 |> decay 1e60,
                    $"projection a->a: decay is 1E+60; it must be finite and at least 0 {beyond}"
                ] do
                Expect.equal (problems (plan inner)) [ fault ] "single"
                Expect.isEmpty (problems (plan inner |> precision Precision.double)) "double"

            let loud = plan (a --> a)

            Expect.equal
                (problems {
                    loud with
                        Circuit =
                            loud.Circuit |> Circuit.mapArea "a" (noise 1e80 >> initial (reset 1e50))
                })
                [
                    $"area a: noise is 1E+80; it must be finite and at least 0 {beyond}"
                    $"area a: the initial rate is 1E+50; it must be finite {beyond}"
                ]
                "areas"
        }
    ]

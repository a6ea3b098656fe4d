/// Named streams: each part of an experiment has numbers of its own.
module Rflo.Core.Tests.RandomTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking

let private numbers (stream: RandomStream) =
    Array.init 20 (fun _ -> stream.Gaussian())

/// Keys that are easily confused: names that share letters, seeds and trials that share bits.
let private keys = [
    for seed in [ 0L; 1L; 256L; -1L; 1L <<< 40 ] do
        for name in [ ""; "noise a"; "noise b"; "noise ab"; "noise ba"; "task" ] do
            $"{seed} {name}", (fun () -> RandomStream(seed, name))

            for trial in [ 0L; 1L; 2L; -1L; 1L <<< 33 ] do
                let ofTrial () = RandomStream.OfTrial(seed, name, trial)

                $"{seed} {name}, trial {trial}", ofTrial
                $"part of {seed} {name}, trial {trial}", (fun () -> ofTrial().Part "phases")
                $"other part of {seed} {name}, trial {trial}", (fun () -> ofTrial().Part "steps")
]

[<Tests>]
let tests =
    testList "random streams" [
        test "the same key gives the same numbers" {
            for key, stream in keys do
                Expect.isTrue (sameBits (numbers (stream ())) (numbers (stream ()))) key
        }

        test "another seed, name or trial gives others" {
            let first = keys |> List.map (fun (key, stream) -> (numbers (stream ()))[0], key)

            let shared =
                first |> List.groupBy fst |> List.filter (fun (_, group) -> group.Length > 1)

            Expect.isEmpty shared "no two keys begin with the same number"
        }

        test "normal draws have mean 0 and variance 1, and none depends on the one before" {
            let stream = RandomStream(3L, "moments")
            let draws = Array.init 100000 (fun _ -> stream.Gaussian())
            let mean = Array.average draws
            let variance = draws |> Array.averageBy (fun x -> x * x)
            let lagged = draws |> Array.pairwise |> Array.averageBy (fun (a, b) -> a * b)
            // Four standard errors: 1 / sqrt n for the mean and the lag, sqrt (2 / n) for the variance.
            Expect.isLessThan (abs mean) 0.013 "mean"
            Expect.isLessThan (abs (variance - 1.0)) 0.018 "variance"
            Expect.isLessThan (abs lagged) 0.013 "product with the next"
        }

        test "a permutation has every number once" {
            for count in [ 0; 1; 2; 50 ] do
                let order = RandomStream(1L, "order").Permutation count
                Expect.equal (Array.sort order) [| 0 .. count - 1 |] $"{count}"
        }

        test "a part neither moves the whole nor depends on what was drawn from it" {
            let whole = RandomStream.OfTrial(5L, "task", 3L)
            let part = numbers (whole.Part "phases")
            let after = numbers whole
            let alone = RandomStream.OfTrial(5L, "task", 3L)
            Expect.isTrue (sameBits (numbers alone) after) "the whole"
            Expect.isTrue (sameBits (numbers (alone.Part "phases")) part) "the part"
        }
    ]

module Rflo.Host.Tests.ThinningTests

open System
open Expecto
open Rflo.Host

[<Tests>]
let tests =
    testList "thinning" [
        testProperty "shows every number of a short series as it is" (fun (numbers: float[]) ->
            let short = numbers |> Array.truncate 600 |> Array.filter Double.IsFinite
            let bins = Thinning.bins Double.IsFinite short
            Expect.equal bins.Median short "medians"
            Expect.isFalse bins.IsThinned "thinned")

        test "keeps a long series below 2,000 points, its ends and its extremes" {
            let count = 100_000
            let series = Array.init count (fun k -> 1.0 / float (k + 1))
            series[70_000] <- 42.0
            let bins = Thinning.bins Double.IsFinite series
            Numbers.isLessThan (3 * bins.Trials.Length) 2_000 "points"
            Expect.equal bins.Trials[0] 1.0 "first trial"
            Expect.equal bins.Lowest[bins.Lowest.Length - 1] series[count - 1] "last trial"
            Expect.equal (Array.max bins.Highest) 42.0 "the spike"
            Expect.isTrue bins.IsThinned "thinned"
        }

        test "leaves out what cannot be shown" {
            let bins =
                Thinning.bins (fun value -> value > 0.0) [| nan; 1.0; infinity; 0.0; -1.0 |]

            Expect.equal bins.Median [| 1.0; infinity |] "shown"
        }

        test "makes nothing of nothing" {
            Expect.isEmpty (Thinning.bins Double.IsFinite [||]).Trials "trials"
        }

        testProperty
            "of time keeps the order, both extremes of everything, and few points"
            (fun (numbers: float[]) (times: FsCheck.PositiveInt) ->
                // Long series of any shape: gaps, spikes and steps of the numbers drawn.
                let numbers = if numbers.Length = 0 then [| nan |] else numbers
                let count = 1 + (times.Get * 977) % 20_000
                let series = Array.init count (fun k -> numbers[(k * k / 7) % numbers.Length])
                let places = Thinning.places series
                Numbers.isLessThanOrEqual places.Length 2_000 "points"
                Expect.equal places (Array.sort (Array.distinct places)) "order"

                if count <= 2_000 then
                    Expect.equal places [| 0 .. count - 1 |] "all of a short one"

                let shown = places |> Array.map (Array.get series)
                let numbersOf = Array.filter (Double.IsNaN >> not)
                let all, kept = numbersOf series, numbersOf shown

                if all.Length > 0 then
                    Expect.equal
                        (Array.min kept, Array.max kept)
                        (Array.min all, Array.max all)
                        "extremes"

                // Nowhere is more than a stretch left out.
                for first, next in Array.pairwise places do
                    Numbers.isLessThanOrEqual (next - first) (2 * (1 + count / 1000)) "gaps")
    ]

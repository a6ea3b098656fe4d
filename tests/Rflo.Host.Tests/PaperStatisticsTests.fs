/// The reproduction's statistics against known answers.
module Rflo.Host.Tests.PaperStatisticsTests

open Expecto
open MathNet.Numerics.Distributions
open MathNet.Numerics.Random
open Rflo.Host
open Rflo.Reproductions.Murray2019

let private close = Expect.floatClose { absolute = 1e-9; relative = 1e-9 }

[<Tests>]
let tests =
    testList "the reproduction's statistics" [
        test "give the chances of a test of signs" {
            // Sums of binomial coefficients over 2^n.
            close (Statistics.signTest 9 9) (1.0 / 512.0) "9 of 9"
            close (Statistics.signTest 8 9) (10.0 / 512.0) "8 of 9"
            close (Statistics.signTest 7 9) (46.0 / 512.0) "7 of 9"
            close (Statistics.signTest 0 9) 1.0 "0 of 9"
            close (Statistics.signTest 0 0) 1.0 "none"
        }

        test "give the exact interval of a share" {
            // R: binom.test(8, 9)$conf.int and binom.test(9, 9)$conf.int.
            let eight = Statistics.share 8 9
            Expect.floatClose Accuracy.medium eight.Low 0.5175034 "low, 8 of 9"
            Expect.floatClose Accuracy.medium eight.High 0.9971909 "high, 8 of 9"
            let nine = Statistics.share 9 9
            Expect.floatClose Accuracy.medium nine.Low 0.6637329 "low, 9 of 9"
            close nine.High 1.0 "high, 9 of 9"
        }

        test "correct for many tests as Holm does" {
            // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
            let corrected = Statistics.holm [ 0.01; 0.04; 0.03; 0.005 ]

            for (own, expected) in List.zip corrected [ 0.03; 0.06; 0.06; 0.02 ] do
                close own expected "p"

            Expect.isEmpty (Statistics.holm []) "none"
        }

        test "hold the true ratio of medians in about 95 of 100 intervals" {
            // 27 pairs of log-normal losses whose medians differ by a factor of 4.
            let random = MersenneTwister(5, false)

            let draw median =
                median * exp (Normal.Sample(random, 0.0, 1.0))

            let held =
                Seq.init 100 (fun _ ->
                    let pairs = List.init 27 (fun _ -> draw 4.0, draw 1.0)
                    let ratio = Statistics.ratioOfMedians pairs
                    ratio.Low <= 4.0 && 4.0 <= ratio.High)
                |> Seq.filter id
                |> Seq.length

            Numbers.isGreaterThanOrEqual held 88 "intervals that hold it"
            Numbers.isLessThanOrEqual held 100 "intervals that hold it"
        }

        test "say how many runs would decide" {
            // The interval of 9 runs reaches a factor 4 up, and a factor 2 would do.
            let ratio = {
                Low = 1.25
                Estimate = 5.0
                High = 20.0
            }

            Expect.equal (Statistics.runsNeeded log 10.0 9 ratio) (Some 36) "four times as many"

            Expect.equal (Statistics.runsNeeded log 5.0 9 ratio) None "no number"
            Expect.equal (Statistics.pairsNeeded 4 9) None "no more wins than losses"
            let needed = Statistics.pairsNeeded 7 9
            Expect.isTrue (needed > Some 9 && needed < Some 40) $"%A{needed} pairs"
        }

        test "leave a claim undecided whose threshold lies within the interval" {
            let decide low high =
                (Claims.byInterval
                    true
                    log
                    10.0
                    9
                    {
                        Low = low
                        Estimate = sqrt (low * high)
                        High = high
                    }
                    "")
                    .Verdict

            Expect.equal (decide 1.0 9.0) Holds "below"
            Expect.equal (decide 11.0 90.0) Fails "above"
            Expect.isTrue (decide 2.0 40.0).IsUndecided "across"
        }
    ]

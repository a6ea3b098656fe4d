namespace Rflo.Reproductions.Murray2019

open System
open MathNet.Numerics.Distributions
open MathNet.Numerics.Random
open MathNet.Numerics.Statistics

/// An estimate with its 95 % interval.
type Interval = {
    Low: float
    Estimate: float
    High: float
}

/// The statistics of the reproduction: intervals, and tests of signs. Distributions, medians and quantiles are MathNet's.
[<RequireQualifiedAccess>]
module Statistics =

    /// Resamples of a bootstrap; the ends of an interval then move by about 1 % from one seed to another.
    let private resamples = 10_000

    /// The same numbers give the same interval, whatever was computed before.
    let private generator () = MersenneTwister(20190524, false)

    let private between (estimate: float) (values: float[]) = {
        Low = values.Quantile 0.025
        Estimate = estimate
        High = values.Quantile 0.975
    }

    let private resampled (random: MersenneTwister) (values: float[]) =
        Array.init values.Length (fun _ -> values[random.Next values.Length])

    /// The median with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13).
    let median (values: float list) =
        let values = Array.ofList values
        let random = generator ()

        Array.init resamples (fun _ -> (resampled random values).Median())
        |> between (values.Median())

    /// The ratio of the medians of pairs, first over second, with its percentile bootstrap interval. Pairs are drawn, not
    /// numbers: both runs of a pair have the same seed.
    let ratioOfMedians (pairs: (float * float) list) =
        let ratio (pairs: (float * float)[]) =
            (pairs |> Array.map fst).Median() / (pairs |> Array.map snd).Median()

        let pairs = Array.ofList pairs
        let random = generator ()

        Array.init resamples (fun _ ->
            ratio (Array.init pairs.Length (fun _ -> pairs[random.Next pairs.Length])))
        |> between (ratio pairs)

    /// A share, `wins` of `count`, with the exact interval of Clopper and Pearson (1934).
    let share wins count = {
        Low =
            if wins = 0 then
                0.0
            else
                Beta.InvCDF(float wins, float (count - wins + 1), 0.025)
        Estimate = float wins / float count
        High =
            if wins = count then
                1.0
            else
                Beta.InvCDF(float (wins + 1), float (count - wins), 0.975)
    }

    /// The chance that at least `wins` of `count` fair coins show heads: a one-sided test of signs for paired runs.
    let signTest wins count =
        if count = 0 || wins <= 0 then
            1.0
        else
            1.0 - Binomial.CDF(0.5, count, float (wins - 1))

    /// Holm's step-down correction (1979): p values that keep the chance of any false positive among all tests below their
    /// level. In the order in which they were given.
    let holm (chances: float list) =
        let count = chances.Length

        let corrected =
            chances
            |> List.indexed
            |> List.sortBy snd
            |> List.mapi (fun rank (k, chance) -> k, min 1.0 (float (count - rank) * chance))
            |> List.scan (fun (_, before) (k, chance) -> k, max before chance) (-1, 0.0)
            |> List.tail
            |> Map.ofList

        List.init count (fun k -> corrected[k])

    /// How many pairs a test of signs at 5 % would need for four chances in five to find a share of wins as large as the observed
    /// one; none where that share is a half or less.
    let pairsNeeded wins count =
        let share = float wins / float (max 1 count)

        if share <= 0.5 then
            None
        else
            Seq.initInfinite ((+) (count + 1))
            |> Seq.takeWhile (fun pairs -> pairs <= 10_000)
            |> Seq.tryFind (fun pairs ->
                // The fewest wins that the test accepts, and the chance of at least so many.
                let least =
                    Seq.init (pairs + 1) id
                    |> Seq.skip (pairs / 2)
                    |> Seq.tryFind (fun k -> signTest k pairs < 0.05)

                match least with
                | Some least ->
                    1.0 - Binomial.CDF(min share 0.999, pairs, float (least - 1)) >= 0.8
                | None -> false)

    /// How many runs would shrink an interval until it does not hold the threshold any more, if the estimate stayed: the width of
    /// an interval falls as one over the root of their number.
    let runsNeeded scale threshold count (interval: Interval) =
        let distance = abs (scale interval.Estimate - scale threshold)

        let reach =
            if interval.Estimate < threshold then
                scale interval.High - scale interval.Estimate
            else
                scale interval.Estimate - scale interval.Low

        if distance > 0.0 && Double.IsFinite reach then
            let runs = ceil (float count * (reach / distance) ** 2.0)

            if runs <= 10_000.0 then
                Some(max (count + 1) (int runs))
            else
                None
        else
            None

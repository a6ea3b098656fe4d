namespace Rflo.Dsl

open System
open MathNet.Numerics.Distributions
open MathNet.Numerics.Statistics

/// A number that is estimated from trials, with its 95 % interval.
[<RequireQualifiedAccess>]
type Estimate = {
    /// NaN where no trial contributes to it.
    Value: float
    /// NaN where the trials are too few for an interval.
    Low: float
    High: float
    /// Trials that it was estimated from.
    Trials: int
} with

    override this.ToString() =
        let number (value: float) =
            if Double.IsNaN value then
                "none"
            else
                value.ToString("g3", Globalization.CultureInfo.InvariantCulture)

        if Double.IsNaN this.Low || Double.IsNaN this.High then
            number this.Value
        else
            $"{number this.Value} ({number this.Low} to {number this.High})"

/// Estimates with their 95 % intervals.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Estimate =

    /// Of no trial.
    let none: Estimate = {
        Value = nan
        Low = nan
        High = nan
        Trials = 0
    }

    /// 0.975 quantile of the normal distribution.
    let private z = Normal.InvCDF(0.0, 1.0, 0.975)

    /// `Estimate.proportion 90 100` is 0.9 with the interval of Wilson (1927), which stays within 0 and 1 and is one for 0 of n too.
    let proportion (successes: int) (trials: int) : Estimate =
        if trials = 0 then
            none
        else
            let n = float trials
            let p = float successes / n
            let z2 = z * z
            let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n)

            let half = z / (1.0 + z2 / n) * sqrt (p * (1.0 - p) / n + z2 / (4.0 * n * n))

            {
                Value = p
                Low = if successes = 0 then 0.0 else centre - half
                High = if successes = trials then 1.0 else centre + half
                Trials = trials
            }

    /// `Estimate.mean values` is the mean of those that are no NaN, with the interval of Student's t; of one value there is no interval.
    let mean (values: float seq) : Estimate =
        let values = values |> Seq.filter (Double.IsNaN >> not) |> Array.ofSeq
        let n = values.Length

        if n = 0 then
            none
        else
            let mean = Array.average values

            let half =
                if n = 1 then
                    nan
                else
                    StudentT.InvCDF(0.0, 1.0, float (n - 1), 0.975)
                    * sqrt (ArrayStatistics.Variance values / float n)

            {
                Value = mean
                Low = mean - half
                High = mean + half
                Trials = n
            }

    /// The mean of the values that are not NaN: by `proportion` where all of them are 0 or 1, else by `mean`.
    let ofScores (scores: float seq) : Estimate =
        let scores = scores |> Seq.filter (Double.IsNaN >> not) |> Array.ofSeq

        if scores |> Array.forall (fun score -> score = 0.0 || score = 1.0) then
            proportion
                (scores |> Array.filter (fun score -> score = 1.0) |> Array.length)
                scores.Length
        else
            mean scores

    /// `Estimate.pairedDifference control changed` is the mean of changed - control over the pairs in which neither is NaN, such as the scores of the same
    /// trials without and with a perturbation. Where all are 0 or 1, the interval is that of Newcombe (1998, method 10) for paired shares, else that of
    /// Student's t of the differences.
    let pairedDifference (control: float seq) (changed: float seq) : Estimate =
        let control, changed = Array.ofSeq control, Array.ofSeq changed

        if control.Length <> changed.Length then
            invalidArg
                (nameof changed)
                $"there are {control.Length} numbers of the control and {changed.Length} changed ones; a pair has one of each"

        let pairs =
            Array.zip control changed
            |> Array.filter (fun (a, b) -> not (Double.IsNaN a || Double.IsNaN b))

        let isShare value = value = 0.0 || value = 1.0

        if pairs.Length = 0 then
            none
        elif pairs |> Array.exists (fun (a, b) -> not (isShare a && isShare b)) then
            mean (pairs |> Array.map (fun (a, b) -> b - a))
        else
            let n = pairs.Length

            let count a b =
                pairs |> Array.filter ((=) (a, b)) |> Array.length

            let both, lost, won, neither =
                count 1.0 1.0, count 1.0 0.0, count 0.0 1.0, count 0.0 0.0

            let before, after = proportion (both + lost) n, proportion (both + won) n

            // The correlation of the two, with its correction for continuity.
            let margins =
                float (both + lost)
                * float (won + neither)
                * float (both + won)
                * float (lost + neither)

            let agreement = float both * float neither - float lost * float won

            let corrected =
                if agreement > 0.0 then
                    max 0.0 (agreement - float n / 2.0)
                else
                    agreement

            let correlation = if margins > 0.0 then corrected / sqrt margins else 0.0

            let together a b =
                sqrt (max 0.0 (a * a - 2.0 * correlation * a * b + b * b))

            let value = after.Value - before.Value

            {
                Value = value
                Low = value - together (after.Value - after.Low) (before.High - before.Value)
                High = value + together (after.High - after.Value) (before.Value - before.Low)
                Trials = n
            }

    /// An estimate with the quantiles of its resampled values; NaN where most of these are not finite.
    let resampled trials value (again: float[]) : Estimate =
        let found = again |> Array.filter Double.IsFinite |> Array.sort

        let at share =
            if 2 * found.Length <= again.Length || not (Double.IsFinite value) then
                nan
            else
                SortedArrayStatistics.QuantileCustom(found, share, QuantileDefinition.R7)

        {
            Value = value
            Low = at 0.025
            High = at 0.975
            Trials = trials
        }

namespace Rflo.Dsl

open System
open MathNet.Numerics.LinearAlgebra
open MathNet.Numerics.Optimization
open Rflo.Core

/// How choices depend on the evidence: P(choice 1 | x) = LapseLow + (1 - LapseLow - LapseHigh) / (1 + exp(-Slope (x - Bias))).
[<RequireQualifiedAccess>]
type Psychometric = {
    /// The evidence at which the curve without its lapses is at one half; NaN where it is flat.
    Bias: Estimate
    /// Of the logistic curve, in 1 / evidence; below 0 where choice 1 becomes rarer with the evidence.
    Slope: Estimate
    /// P(choice 1) in the limit of strong evidence for choice 0.
    LapseLow: Estimate
    /// P(choice 0) in the limit of strong evidence for choice 1.
    LapseHigh: Estimate
    /// Each value of the evidence, with the share of choices 1 (Wilson).
    Points: (float * Estimate) list
    /// The log likelihood of all trials, in nats.
    LogLikelihood: float
    /// -Slope * Bias, which is defined for a flat curve too.
    Intercept: float
} with

    /// The fitted P(choice 1 | x).
    member this.At(x: float) =
        let low, high = this.LapseLow.Value, this.LapseHigh.Value
        let u = this.Intercept + this.Slope.Value * x
        low + (1.0 - low - high) / (1.0 + exp -u)

/// How a psychometric curve is fitted.
[<RequireQualifiedAccess>]
type PsychometricFit = {
    /// Each lapse is between 0 and this; at 0 there are none.
    MostLapse: float
    /// How often trials are drawn again, with replacement, for the intervals.
    Resamples: int
    Seed: int64
}

/// Fits of psychometric curves by maximum likelihood.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module PsychometricFit =

    /// Lapses of at most a quarter; 400 resamples, seed 1.
    let standard: PsychometricFit = {
        MostLapse = 0.25
        Resamples = 400
        Seed = 1L
    }

    /// Trials of one evidence x (in units of its deviation): how many, and how many chose 1.
    [<Struct>]
    type private Level = { X: float; Count: float; Ones: float }

    /// Weight of a quadratic penalty on intercept and slope, in units of the evidence's deviation: a normal prior of deviation
    /// 30. Where the evidence separates the choices, the likelihood increases with the slope without limit, and the penalty
    /// bounds the slope. Its effect on a slope that the data determine is negligible.
    let private weakest = 1.0 / (2.0 * 30.0 * 30.0)

    let private logistic u = 1.0 / (1.0 + exp -u)

    /// (intercept, slope, lapse low, lapse high) from the unconstrained parameters of the search.
    let private free most (p: Vector<float>) =
        let lapse k =
            if most = 0.0 then 0.0 else most * logistic p[k]

        struct (p[0], p[1], lapse 2, lapse 3)

    let private logLikelihood most (p: Vector<float>) (levels: Level[]) =
        let struct (a, b, low, high) = free most p

        levels
        |> Array.sumBy (fun level ->
            let chance = low + (1.0 - low - high) * logistic (a + b * level.X)
            let chance = min (1.0 - 1e-12) (max 1e-12 chance)
            level.Ones * log chance + (level.Count - level.Ones) * log (1.0 - chance))

    let private negative most (levels: Level[]) (p: Vector<float>) =
        let held = weakest * (p[0] * p[0] + p[1] * p[1])

        // For large parameters the lapses are at the ends of their range, so a weak penalty bounds the parameters.
        let lapses =
            if most > 0.0 then
                1e-4 * (p[2] * p[2] + p[3] * p[3])
            else
                0.0

        held + lapses - logLikelihood most p levels

    let private search most levels (start: float list) =
        let dimensions = if most = 0.0 then 2 else 4

        let objective =
            ObjectiveFunction.Value(fun (p: Vector<float>) -> negative most levels p)

        let begun = Vector<float>.Build.DenseOfEnumerable(Seq.truncate dimensions start)
        let steps = Vector<float>.Build.Dense(dimensions, 0.7)

        try
            (NelderMeadSimplex(1e-7, 4000).FindMinimum(objective, begun, steps)).MinimizingPoint
        with :? MathNet.Numerics.Optimization.MaximumIterationsException ->
            begun

    /// The best of searches from a rising, a flat and a falling curve.
    let private fit most levels starts =
        starts |> List.map (search most levels) |> List.minBy (negative most levels)

    let private levelsOf (xs: float[]) (ones: bool[]) (order: int seq) =
        let found = Collections.Generic.SortedDictionary<float, struct (int * int)>()

        for k in order do
            let struct (count, chosen) =
                match found.TryGetValue xs[k] with
                | true, before -> before
                | false, _ -> struct (0, 0)

            found[xs[k]] <- struct (count + 1, (if ones[k] then chosen + 1 else chosen))

        [|
            for KeyValue(x, struct (count, chosen)) in found ->
                {
                    X = x
                    Count = float count
                    Ones = float chosen
                }
        |]

    /// `PsychometricFit.ofChoices PsychometricFit.standard data` fits pairs of (evidence, whether 1 was chosen).
    let ofChoices (how: PsychometricFit) (choices: (float * bool) seq) : Psychometric =
        if not (how.MostLapse >= 0.0 && how.MostLapse < 0.5) then
            invalidArg
                (nameof how)
                $"MostLapse is {string how.MostLapse}; it must be at least 0 and less than 0.5"

        if how.Resamples < 0 then
            invalidArg (nameof how) $"Resamples is {string how.Resamples}; it must be at least 0"

        let choices = choices |> Seq.filter (fst >> Double.IsFinite) |> Array.ofSeq

        let n = choices.Length
        let ones = Array.map snd choices
        let xs = Array.map fst choices

        if n = 0 then
            {
                Bias = Estimate.none
                Slope = Estimate.none
                LapseLow = Estimate.none
                LapseHigh = Estimate.none
                Points = []
                LogLikelihood = 0.0
                Intercept = nan
            }
        else
            let centre = Array.average xs

            let deviation =
                let variance = xs |> Array.averageBy (fun x -> (x - centre) * (x - centre))
                if variance > 0.0 then sqrt variance else 1.0

            let scaled = xs |> Array.map (fun x -> (x - centre) / deviation)
            let levels = levelsOf scaled ones (seq { 0 .. n - 1 })
            let most = how.MostLapse

            let best =
                fit most levels [
                    for slope in [ 2.0; 0.0; -2.0 ] -> [ 0.0; slope; -2.0; -2.0 ]
                ]

            /// In units of the evidence: intercept, slope, bias and lapses.
            let inUnits p =
                let struct (a, b, low, high) = free most p
                let slope = b / deviation
                let intercept = a - slope * centre
                let bias = if b = 0.0 then nan else -intercept / slope
                struct (intercept, slope, bias, low, high)

            let again = [|
                let stream = RandomStream(how.Seed, "psychometric resamples")

                for _ in 1 .. how.Resamples do
                    let drawn = Array.init n (fun _ -> stream.Between(0, n))
                    fit most (levelsOf scaled ones drawn) [ List.ofSeq best ] |> inUnits
            |]

            let struct (intercept, slope, bias, low, high) = inUnits best

            let estimate value (part: struct (float * float * float * float * float) -> float) =
                Estimate.resampled n value (Array.map part again)

            {
                Bias = estimate bias (fun struct (_, _, bias, _, _) -> bias)
                Slope = estimate slope (fun struct (_, slope, _, _, _) -> slope)
                LapseLow = estimate low (fun struct (_, _, _, low, _) -> low)
                LapseHigh = estimate high (fun struct (_, _, _, _, high) -> high)
                Points = [
                    for level in levelsOf xs ones (seq { 0 .. n - 1 }) ->
                        level.X, Estimate.proportion (int level.Ones) (int level.Count)
                ]
                LogLikelihood = logLikelihood most best levels
                Intercept = intercept
            }

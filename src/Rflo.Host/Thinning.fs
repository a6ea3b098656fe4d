namespace Rflo.Host

open System

/// A long series as a figure can show it: bins of equal width in the logarithm of the trial.
type Thinned = {
    /// The middle of each bin, counted from trial 1.
    Trials: float[]
    Lowest: float[]
    Median: float[]
    Highest: float[]
    /// Whether a bin ever stands for more than one trial.
    IsThinned: bool
}

/// Makes long series short, and says so.
[<RequireQualifiedAccess>]
module Thinning =

    /// Most bins of a curve: each is a point of a median line and of the band around it.
    let private most = 600

    let private median (sorted: float[]) =
        let half = sorted.Length / 2

        if sorted.Length % 2 = 1 then
            sorted[half]
        else
            (sorted[half - 1] + sorted[half]) / 2.0

    /// First trials of the bins, from 0; the last entry is the end.
    let private edges count =
        if count <= most then
            [| 0..count |]
        else
            Array.init (most + 1) (fun k -> int (Math.Pow(float count, float k / float most)))
            |> Array.append [| 0; count |]
            |> Array.distinct
            |> Array.sort

    /// The bins of a series, of the numbers that a figure can show; bins without any are left out.
    let bins (isShown: float -> bool) (values: float[]) =
        let edges = edges values.Length

        let found =
            edges
            |> Array.pairwise
            |> Array.choose (fun (first, next) ->
                let numbers = values[first .. next - 1] |> Array.filter isShown |> Array.sort

                if numbers.Length = 0 then
                    None
                else
                    Some(sqrt (float (first + 1) * float next), numbers))

        {
            Trials = found |> Array.map fst
            Lowest = found |> Array.map (snd >> Array.head)
            Median = found |> Array.map (snd >> median)
            Highest = found |> Array.map (snd >> Array.last)
            IsThinned = values.Length > most
        }

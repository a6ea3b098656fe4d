namespace Rflo.Host

open System

/// A long series thinned for a figure: bins of equal width in the logarithm of the trial.
type internal Thinned = {
    /// The middle of each bin, counted from trial 1.
    Trials: float[]
    Lowest: float[]
    Median: float[]
    Highest: float[]
    /// Whether any bin holds more than one trial.
    IsThinned: bool
}

/// Thins long series, with a caption for it.
[<RequireQualifiedAccess>]
module internal Thinning =

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

    /// Most stretches of a line over time, each of which is drawn through its smallest and its largest number: more than a screen
    /// has columns.
    let private mostStretches = 1000

    /// The places of a series through which a line over time is drawn: all of a short one; of a long one, in each of 1000 equal
    /// stretches, that of the smallest number and that of the largest, so that peaks stay visible.
    let places (values: float[]) =
        let extremes k =
            let first = int (int64 values.Length * int64 k / int64 mostStretches)
            let next = int (int64 values.Length * int64 (k + 1) / int64 mostStretches)
            let mutable lowest, highest = first, first

            for place in first + 1 .. next - 1 do
                // NaN is a gap of the line, unless the stretch has finite numbers.
                if not (values[lowest] <= values[place]) && not (Double.IsNaN values[place]) then
                    lowest <- place

                if not (values[highest] >= values[place]) && not (Double.IsNaN values[place]) then
                    highest <- place

            if lowest = highest then [| lowest |]
            elif lowest < highest then [| lowest; highest |]
            else [| highest; lowest |]

        if values.Length <= 2 * mostStretches then
            [| 0 .. values.Length - 1 |]
        else
            Array.init mostStretches extremes |> Array.concat

    /// A line over time as a figure draws it.
    let line (times: float[]) (values: float[]) =
        let places = places values
        places |> Array.map (Array.get times), places |> Array.map (Array.get values)

    /// The part of a caption about thinning, for a line with so many steps; empty where all of them are drawn.
    let caption steps =
        if steps <= 2 * mostStretches then
            ""
        else
            $" Thinned: of {steps} steps the smallest and the largest value in each of {mostStretches} equal stretches."

    /// The smallest and the largest finite number of some series; none where there is none.
    let range (series: float[] seq) =
        let mutable low, high = infinity, -infinity

        for values in series do
            for value in values do
                if Double.IsFinite value then
                    low <- min low value
                    high <- max high value

        if low <= high then Some(low, high) else None

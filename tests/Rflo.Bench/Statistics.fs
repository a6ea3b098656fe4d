/// Medians and spreads of what a clock says.
module Rflo.Bench.Statistics

/// The middle value; of an even number, the upper of the two in the middle.
let median (values: float[]) =
    let sorted = Array.sort values
    sorted[sorted.Length / 2]

/// Smallest, middle and largest value.
type Spread = {
    Least: float
    Median: float
    Most: float
}

let spread (values: float[]) = {
    Least = Array.min values
    Median = median values
    Most = Array.max values
}

/// Exponent p of the line y = c x^p that fits best, by least squares of logarithms.
let exponent (points: (float * float) list) =
    let xs = points |> List.map (fst >> log)
    let ys = points |> List.map (snd >> log)
    let x, y = List.average xs, List.average ys

    List.sum (List.map2 (fun a b -> (a - x) * (b - y)) xs ys)
    / List.sumBy (fun a -> (a - x) * (a - x)) xs

namespace Rflo.Host

/// What a step takes, of a run that was long enough to say.
[<RequireQualifiedAccess>]
module internal Speed =

    /// Seconds, or trials, of the first half of a run, by which its machine code has been optimized.
    let private warmSeconds, private warmTrials = 0.5, 1000

    /// What it is, in words.
    let meaning = "median over the second half of the trials"

    let private median (values: float[]) =
        MathNet.Numerics.Statistics.Statistics.Median values

    /// Microseconds a step, from the wall time and the steps of every trial: the median over the second half of the trials. None
    /// where the first half was too short for the machine code to be optimized: that would be a number about the compiler.
    let microseconds (seconds: float[]) (steps: int[]) =
        let half = seconds.Length / 2
        let first = Array.sum (Array.truncate half seconds)

        if half = 0 || (first < warmSeconds && half < warmTrials) then
            None
        else
            Array.map2 (fun time steps -> 1e6 * time / float steps) seconds[half..] steps[half..]
            |> median
            |> Some

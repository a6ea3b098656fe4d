namespace Rflo.Host

/// Time of a step, for runs that are long enough.
[<RequireQualifiedAccess>]
module internal Speed =

    /// Seconds, or trials, of the first half of a run that suffice for the runtime to optimize its machine code.
    let private warmSeconds, private warmTrials = 0.5, 1000

    /// Its definition in words.
    let meaning = "median over the second half of the trials"

    let private median (values: float[]) =
        MathNet.Numerics.Statistics.Statistics.Median values

    /// Microseconds a step, from the wall time and the steps of every trial: the median over the second half of the trials. None
    /// where the first half was too short for the runtime to optimize the machine code.
    let microseconds (seconds: float[]) (steps: int[]) =
        let half = seconds.Length / 2
        let first = Array.sum (Array.truncate half seconds)

        if half = 0 || (first < warmSeconds && half < warmTrials) then
            None
        else
            Array.map2 (fun time steps -> 1e6 * time / float steps) seconds[half..] steps[half..]
            |> median
            |> Some

namespace Rflo.Host

open MathNet.Numerics.Statistics

/// Quartiles by MathNet, in the default definition of numpy, R and spreadsheets (7 of Hyndman and Fan 1996), for reports of sweeps and
/// for the reproduction of figures.
[<RequireQualifiedAccess>]
module internal Quartiles =

    /// First quartile, median and third quartile; NaN where there is no number.
    let ofValues (values: float[]) =
        let at share =
            Statistics.QuantileCustom(values, share, QuantileDefinition.R7)

        at 0.25, at 0.5, at 0.75

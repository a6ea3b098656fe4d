namespace Rflo.Cli

open Rflo.Dsl
open Rflo.Host

/// The experiment that the demo and the benchmark run: a network learns a periodic output (Murray 2019, Fig 2, with
/// the parameters of its author's notebook).
[<RequireQualifiedAccess>]
module internal Periodic =

    /// Units from which on learning rates fall as 1 / units: the sum of squares of the rates, and with it the largest step that
    /// lowers the loss, grows with the units.
    let private unitsOfFullRate = 200

    /// The experiment for so many units and steps.
    let experiment units (steps: int) =
        let rate = 0.03 * min 1.0 (float unitsOfFullRate / float units)
        let cortex = area "cortex" units |> tau 10.0<ms>
        let y = readout "y" 1

        let network =
            Circuit.empty
            |> areas [ cortex ]
            |> readouts [ y ]
            |> projections [
                cortex --> cortex |> weights (gaussian 1.5) |> learningRate rate
                cortex --> y |> weights (uniformScaled 0.1) |> learningRate rate
            ]
            |> feedback [ errorOf y --> cortex ]

        Task.periodic (float steps * 1.0<ms>) [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]
        |> experiment "periodic" network

// A learning rule of your own, from the parts of RFLO.
//
//     dotnet fsi examples/06-your-own-rule.fsx
//
// RFLO's trace has the unit's time constant. Here it has a longer one, and its presynaptic factor is a rate minus its
// own mean. No C# is needed: the rule runs in the same kernel as the built-in ones, online or at the end of a trial.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let mine =
    Rule.local "slow-and-centred" {
        Trace = TraceTau 30.0<ms>
        Post = Rule.the Slope |> Rule.map "clipped" (fun slope -> min slope 0.08)
        Pre = Rule.the Presynaptic |> Rule.minusMean (OverTime 50.0<ms>)
        Modulator = Rule.the FeedbackError
        Oja = false
    }

let cortex = area "cortex" 50 |> tau 10.0<ms>
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let target =
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

[
    Rule.rflo
    mine
    { mine with Name = "mine-online" } |> Rule.update online
]
|> List.map (fun r -> experiment "own-rule" network target |> rule r |> trials 1000)
|> Host.compare "own-rule"

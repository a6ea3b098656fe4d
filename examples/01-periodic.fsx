// A recurrent network learns to produce a periodic output, by a rule that uses only signals that are local to a synapse.
//
//     dotnet fsi examples/01-periodic.fsx
//     dotnet fsi examples/01-periodic.fsx --trials 10000 --seed 3 --rule bptt --out runs/p1
//     dotnet fsi examples/01-periodic.fsx -- --help
//
// The task and the learning rule, random feedback local online learning (RFLO), are those of
// Murray JM (2019), Local online learning in recurrent networks with random feedback, eLife 8:e43299,
// doi 10.7554/eLife.43299.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

// Fifty rate units with a time constant of ten steps, h(t) = (1 - 1/tau) h(t-1) + 1/tau tanh(W h(t-1)), and one linear output,
// y(t) = W_out h(t).
let cortex, y = area "cortex" 50 |> tau 10.0<ms>, readout "y" 1

let network =
    circuit [
        // A gain of 1.5 puts the untrained network just beyond the edge of chaos.
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    // Every unit receives the error through fixed random weights.
    |> feedback [ errorOf y --> cortex ]

// A period of 100 ms, made of harmonics 1, 2 and 4 with these amplitudes.
let target =
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

// The rule is RFLO by default; `|> rule Rule.bptt` sets another.
experiment "periodic" network target |> trials 2000 |> Host.run

// A network of spiking units learns a periodic output by local traces and random feedback.
//
//     dotnet fsi examples/14-spiking.fsx
//     dotnet fsi examples/14-spiking.fsx --trials 5000 --seed 2
//
// Leaky integrate-and-fire units have a membrane potential v and send 1 where it reaches a threshold; their slope is a surrogate. With
// them RFLO's trace is the eligibility trace of e-prop with random feedback (Bellec et al. 2020, doi 10.1038/s41467-020-17236-y).
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let spiking =
    area "spiking" 100
    |> units (UnitModel.lif 0.5)
    |> tau 20.0<ms>
    |> initial (reset 0.0)

// Spikes last a step; units and the readout receive them through synapses that are slower.
let synapses =
    area "synapses" 100
    |> transfer Transfer.identity
    |> tau 20.0<ms>
    |> initial (reset 0.0)

let y = readout "y" 1

let network =
    circuit [
        // Biases around the threshold: some units fire by themselves, others need their neighbors.
        bias --> spiking |> weights (uniform 0.4 1.2) |> learningRate 0.3
        spiking --> synapses |> weights (oneToOne 1.0)
        synapses --> spiking |> weights (gaussian 10.0) |> learningRate 0.3
        synapses --> y |> weights (gaussian 0.1) |> learningRate 0.01
    ]
    |> feedback [ errorOf y --> spiking ]

let target =
    Task.periodic 200.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

experiment "spiking" network target |> rule Rule.rflo |> trials 2000 |> Host.run

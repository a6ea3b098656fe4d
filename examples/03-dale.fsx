// The periodic output under Dale's law: half of the units are excitatory, the other half inhibitory.
//
//     dotnet fsi examples/03-dale.fsx
//     dotnet fsi examples/03-dale.fsx --trials 10000 --seed 3
//
// The experiment is that of Murray (2019), Fig 2 - supplement 1, doi 10.7554/eLife.43299, with a period of 20 tau.
// Three networks learn by RFLO: one without the law, one with it, and one with four excitatory units for each inhibitory
// one, whose inhibitory weights are larger at the start, so that a unit's expected inputs sum to zero.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let y = readout "y" 1

// A network of 30 units; the two arguments change its area and its recurrent projection.
let network law start =
    let cortex = area "cortex" 30 |> tau 10.0<ms> |> law

    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> start |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let target =
    Task.periodic 200.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

[
    experiment "without" (network id id) target
    experiment "dale" (network (dale 0.5) id) target
    experiment "dale-80-balanced" (network (dale 0.8) balanced) target
]
|> List.map (trials 3000)
|> Host.compare "dale"

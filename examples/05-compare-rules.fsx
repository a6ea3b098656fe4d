// One task, one network, many rules: the loss and the cost of each approximation.
//
//     dotnet fsi examples/05-compare-rules.fsx
//     dotnet fsi examples/05-compare-rules.fsx --trials 5000 --out runs/rules
//
// The page has a table, the loss v. trial and v. time, and the angle between each rule's updates and the exact gradient.
// Every network starts from the same weights, since every random draw is keyed by the seed and the name of its part.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

// A little noise in the currents, which node perturbation learns from.
let cortex = area "cortex" 30 |> tau 10.0<ms> |> noise 0.05
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let target =
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

// The stochastic rules need small steps: their gradient is right on average and large in between.
let slow = Circuit.mapProjection "cortex->cortex" (learningRate 0.001) network

let plan = [
    Rule.rflo, network
    Rule.localSymmetric, network
    Rule.snap1, network
    Rule.kernl, network
    Rule.nodePerturbation, network
    Rule.miconi, network
    Rule.uoro, slow
    Rule.kfRtrl, slow
    Rule.reverseKfRtrl, slow
    Rule.tbptt, network
    Rule.bpttRandom, network
    Rule.rtrl, network
    Rule.bptt, network
]

[
    for r, circuit in plan ->
        experiment "rules" circuit target
        |> rule r
        |> trials 500
        // In every tenth trial the rule's increments are compared with the exact gradient; the run does not depend on it.
        |> probe 10 [ Probe.angle Rule.bptt; Probe.spectralRadius cortex ]
]
|> Host.compare "rules"

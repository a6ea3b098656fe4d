// Learning rates and rules, over several initial weights.
// A sweep runs every combination, as many at once as there are cores, each into a run folder of its own.
//
//     dotnet fsi examples/11-sweep.fsx
//     dotnet fsi examples/11-sweep.fsx --trials 2000 --jobs 4 --out runs/rates
//     rflo status runs/sweep
//     rflo collect runs/sweep --csv
//     rflo report runs/sweep
//
// Stopped by Ctrl-C or killed, the same command continues. Points that are finished are not run again.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let cortex = area "cortex" 20 |> tau 10.0<ms>
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]

let target =
    Task.periodic 50.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

// An axis changes an experiment by a function of a value and an experiment.
let rate value (e: Experiment) = {
    e with
        Circuit = e.Circuit |> Circuit.mapProjection "cortex->cortex" (learningRate value)
}

// A measure is a number of every point, computed from what its run left: here decades of loss that training took away.
let decades (trained: Trained) =
    log10 (trained.Losses[0] / FinalLoss.ofRun trained)

// Points with the same seed begin with the same weights, whatever their rule: the design is paired.
experiment "sweep" network target
|> trials 200
|> Sweep.ofExperiment
|> Sweep.over "seed" [ 1..3 ] seed
|> Sweep.overNamed "rule" [ for r in [ Rule.rflo; Rule.bptt ] -> r.Name, rule r ]
|> Sweep.over "rate" [ 0.01; 0.03; 0.1; 0.3 ] rate
|> Sweep.measure "decades" decades
|> Host.sweep

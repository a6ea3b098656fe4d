// FORCE: a chaotic network with its output fed back learns online to produce a periodic pattern.
//
//     dotnet fsi examples/08-force.fsx
//     dotnet fsi examples/08-force.fsx --seed 3 --out runs/force
//
// After Sussillo and Abbott (2009), doi 10.1016/j.neuron.2009.07.018. With a gain of 1.5 the network is chaotic. Its output
// returns to every unit, and recursive least squares change the readout in every step, so that from the first steps on the
// fed-back output is nearly right and suppresses the chaos. Nothing else learns.
// The losses of training are small since the weights follow the error; what counts is the figure "y after training": ten
// periods with learning off, begun where training ended. Expect an output that never leaves the target by more than 0.03,
// a loss of 3e-5; an output of 0 has a loss of 0.18.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

// The state carries over from trial to trial: training is one long run.
let cortex = area "cortex" 300 |> tau 10.0<ms> |> initial (carriedOver 0.1)
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> density 0.1
        y --> cortex |> weights (uniform -1.0 1.0)
        // The rate marks it as plastic and sets no step size.
        cortex --> y |> weights (constant 0.0) |> learningRate 1.0
    ]

// Ten periods of 240 ms a trial.
let target =
    Task.ofArrays
        (Array2D.zeroCreate 2400 0)
        (Array2D.init 2400 1 (fun t _ ->
            let phase = 2.0 * System.Math.PI * float (t + 1) / 240.0
            0.75 * (sin phase + 0.5 * sin (2.0 * phase) + 0.25 * sin (4.0 * phase))))
    |> Task.named "pattern"

experiment "force" network target |> rule Rule.force |> trials 10 |> Host.run

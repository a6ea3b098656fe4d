// A learning rule of your own: RFLO whose synapses compete, so that the increments of a unit's synapses sum to zero.
//
//     dotnet fsi examples/15-rule-from-a-function.fsx
//     dotnet fsi examples/15-rule-from-a-function.fsx --trials 3000 --seed 2
//
// The rule is a function that is called once for each area and returns the function that is called after every step. It reads A, c and the learning
// signal of the area (docs/rules.md), keeps a trace e(t) = A e(t-1) + c pre(t) for every synapse as RFLO does (Murray 2019, Eqs 5 and 6), and
// subtracts from the increments of each unit's synapses their mean: heterosynaptic competition.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Core
open Rflo.Dsl
open Rflo.Host

let competing (site: AreaSite) =
    let traces = [
        for projection in site.Projections -> Array.zeroCreate<float> projection.Count
    ]

    fun (now: LearningStep) ->
        if now.Step = 1 then
            for trace in traces do
                System.Array.Clear trace

        for k, trace in List.indexed traces do
            let pre = now.Pre k
            let ask = now.Increments k
            let left = now.A()
            let slope = now.C()
            let signal = now.Signal

            for i in 0 .. site.Units - 1 do
                let row = i * pre.Length
                let mutable mean = 0.0

                for j in 0 .. pre.Length - 1 do
                    trace[row + j] <- left[i] * trace[row + j] + slope[i] * pre[j]
                    mean <- mean + trace[row + j] / float pre.Length

                for j in 0 .. pre.Length - 1 do
                    ask[row + j] <- signal[i] * (trace[row + j] - mean)

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

[ Rule.rflo; Rule.define "competing synapses" competing ]
|> List.map (fun each -> experiment "periodic" network target |> rule each |> trials 2000)
|> Host.compare "competition"

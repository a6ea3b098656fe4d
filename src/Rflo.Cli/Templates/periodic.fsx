// RFLO_NAME: one area learns to produce a periodic output (Murray 2019, doi 10.7554/eLife.43299).
//
//     dotnet fsi model.fsx                          train; results go to runs/RFLO_NAME-1
//     dotnet fsi model.fsx --rule bptt --seed 3     the same by another rule, from other random numbers
//     dotnet fsi model.fsx -- --help                every option
//     dotnet run --project tests                    check this model: gradients, random numbers, signs
#load "RFLO_HOST"

open Rflo.Dsl
open Rflo.Host

// 50 rate units: h(t) = (1 - 1/tau) h(t-1) + 1/tau tanh(W h(t-1)). Times carry their unit, <ms>.
let cortex = area "cortex" 50 |> tau 10.0<ms>

// One linear output, y(t) = W_out h(t).
let y = readout "y" 1

// `x |> f` is f(x): each line passes its result to the next one.
let network =
    circuit [
        // Normal weights of standard deviation 1.5 / sqrt 50, which learn at rate 0.03.
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    // Every unit receives the error through fixed random weights; `|> through symmetric` uses the readout's own.
    |> feedback [ errorOf y --> cortex ]

// A period of 100 ms, of harmonics 1, 2 and 4 with these amplitudes.
let target =
    Task.periodic 100.0<ms> [ harmonic 1 1.0; harmonic 2 0.5; harmonic 4 0.25 ]

experiment "RFLO_NAME" network target
|> rule Rule.rflo
|> trials 2000
|> seed 1
|> Host.run

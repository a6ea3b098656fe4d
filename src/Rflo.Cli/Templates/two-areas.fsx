// RFLO_NAME: two areas learn together. Premotor cortex receives a cue and drives motor cortex, whose readout is the velocity of a hand.
//
//     dotnet fsi model.fsx                          train; results go to runs/RFLO_NAME-1
//     dotnet fsi model.fsx --rule bptt --seed 3     the same by another rule, from other random numbers
//     dotnet fsi model.fsx -- --help                every option
//     dotnet run --project tests                    check this model: gradients, random numbers, signs
#load "RFLO_HOST"

open Rflo.Dsl
open Rflo.Host

// Rate units: h(t) = (1 - 1/tau) h(t-1) + 1/tau tanh(u(t)). Times carry their unit, <ms>. Premotor cortex is slow, motor cortex fast.
let premotor = area "premotor" 60 |> tau 20.0<ms>
let motor = area "motor" 60 |> tau 10.0<ms>
let cue = input "cue" 2
let hand = readout "hand" 1

// `x |> f` is f(x): each line passes its result to the next one. An arrow is a projection, from --> to.
let network =
    circuit [
        cue --> premotor |> weights (uniform -1.0 1.0) |> learningRate 0.03
        premotor --> premotor |> weights (gaussian 1.3) |> noSelf |> learningRate 0.03
        // A fifth of the connections between the areas exist; delay 5 ms.
        premotor --> motor
        |> weights (gaussian 1.0)
        |> density 0.2
        |> delay 5.0<ms>
        |> learningRate 0.03
        motor --> motor |> weights (gaussian 1.3) |> noSelf |> learningRate 0.03
        bias --> motor |> learningRate 0.03
        motor --> hand |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    // Both areas receive the error of the hand through fixed random weights.
    |> feedback [ errorOf hand --> motor; errorOf hand --> premotor ]

// The input of each trial of 150 ms is one of two cues for 20 ms; the target is one slow wave for cue 0, two fast ones for cue 1. For
// each step t = 1 .. 150: inputs and targets. `stream` holds the random numbers of the trial.
let reach =
    Task.ofTrials 150.0<ms> (fun _ stream ->
        let shown = stream.Between(0, 2)

        let wave t =
            sin (2.0 * System.Math.PI * float ((shown + 1) * t) / 150.0)

        let pulse t channel =
            if channel = shown && t <= 20 then 1.0 else 0.0

        Trial.ofSteps 150 (fun t -> [ pulse t 0; pulse t 1 ], [ wave t ]))
    |> Task.named "reach"

experiment "RFLO_NAME" network reach
|> rule Rule.rflo
|> trials 3000
|> seed 1
|> Host.run

// Two areas learn together: premotor cortex receives a cue and drives motor cortex, whose readout is the velocity of a hand.
//
//     dotnet fsi examples/02-two-areas.fsx
//
// Premotor cortex has no projection to a readout, so it cannot receive the error through readout weights. Here both areas
// receive the error of the hand through random weights (Murray 2019, doi 10.7554/eLife.43299, for one area).
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

// Premotor cortex is slow, motor cortex fast.
let premotor = area "premotor" 60 |> tau 20.0<ms>
let motor = area "motor" 60 |> tau 10.0<ms>
let cue = input "cue" 2
let hand = readout "hand" 1

let network =
    circuit [
        cue --> premotor |> weights (uniform -1.0 1.0) |> learningRate 0.03
        premotor --> premotor |> weights (gaussian 1.3) |> noSelf |> learningRate 0.03
        // A fifth of the connections between the areas exist, with a delay of 5 ms.
        premotor --> motor
        |> weights (gaussian 1.0)
        |> density 0.2
        |> delay 5.0<ms>
        |> learningRate 0.03
        motor --> motor |> weights (gaussian 1.3) |> noSelf |> learningRate 0.03
        bias --> motor |> learningRate 0.03
        motor --> hand |> weights (uniformScaled 0.1) |> learningRate 0.03
    ]
    |> feedback [ errorOf hand --> motor; errorOf hand --> premotor ]

// The input of each trial is one of two cues for 20 ms, drawn at random; the target is one slow wave for cue 0, two fast ones for cue 1.
let reach =
    Task.ofTrials 150.0<ms> (fun _ stream ->
        let shown = stream.Between(0, 2)

        let wave t =
            sin (2.0 * System.Math.PI * float ((shown + 1) * t) / 150.0)

        let pulse t channel =
            if channel = shown && t <= 20 then 1.0 else 0.0

        Trial.ofSteps 150 (fun t -> [ pulse t 0; pulse t 1 ], [ wave t ]))
    |> Task.named "reach"

experiment "two-areas" network reach |> trials 3000 |> Host.run

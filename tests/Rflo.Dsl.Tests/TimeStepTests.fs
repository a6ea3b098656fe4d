/// What does not depend on dt: how rates vary by noise, how often a noisy choice is made, what a rule learns from noise.
module Rflo.Dsl.Tests.TimeStepTests

open Expecto
open MathNet.Numerics.Distributions
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Draws


let private timeSteps = [ 0.1<ms>; 0.2<ms>; 0.5<ms>; 1.0<ms>; 2.0<ms> ]
let private duration = 300.0<ms>
let private sigma = 0.4
let private units = 500

/// Nothing is shown.
let private silence =
    Task.phased 1 1 [ phase "all" (fixedFor duration) ] ignore (fun () (_: Instant) -> {
        Input = [| 0.0 |]
        Target = [| 0.0 |]
        Mask = [||]
        Events = []
    })

/// The trace of a unit's noise alone.
let private perturbed =
    Rule.local "perturbed" {
        Trace = NoTrace
        Post = Rule.the Perturbation
        Pre = Rule.the Presynaptic
        Modulator = Rule.the Unmodulated
        Oja = false
    }

let private sessionOf dtOf cortex into =
    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ input "x" 1 ]
    |> readouts [ readout "y" 1 ]
    |> projections [
        input "x" 1 --> cortex |> weights (constant 0.0)
        bias --> cortex |> into
        cortex --> readout "y" 1 |> weights (constant 0.0) |> learningRate 0.03
    ]
    |> fun network -> experiment "time-step" network silence |> seed 5 |> dt dtOf
    |> compiled
    |> Run.session

let private deviation (numbers: float[]) =
    sqrt (numbers |> Array.averageBy (fun x -> x * x))

/// Within four and a half standard errors of the deviation of so many independent normal draws.
let private expectDeviation what (expected: float) (independent: float) found =
    Numbers.isLessThan
        (abs (found - expected))
        (4.5 * expected / sqrt (2.0 * independent))
        $"{what}: {found}, expected {expected}"

let private linear time =
    area "cortex" units
    |> transfer Transfer.identity
    |> initial (reset 0.0)
    |> tau time
    |> noise sigma

[<Tests>]
let tests =
    testList "time step" [
        for step in timeSteps do
            test $"rates vary by the formula of docs/model.md with steps of {step} ms" {
                for time in [ 5.0<ms>; 10.0<ms>; 30.0<ms> ] do
                    let session = sessionOf step (linear time) (weights (constant 0.0))
                    let rates = session.Test(0).Rates[0]

                    // After three time constants the variance is within a quarter of a percent of its limit. Rates of one unit are
                    // as good as independent after one time constant.
                    let from = int (3.0 * time / step) * units
                    let independent = float units * ((duration - 3.0 * time) / time)

                    deviation rates[from..]
                    |> expectDeviation
                        $"tau {time} ms"
                        (sigma / sqrt (float (2.0 * time - step)))
                        independent
            }

            test $"what a rule learns from noise varies alike with steps of {step} ms" {
                let session =
                    sessionOf
                        step
                        (linear 10.0<ms>)
                        (weights (constant 0.0) >> learnBy perturbed 1.0)

                session.Run 1 |> ignore

                deviation (session.Weights(ProjectionId 1))
                |> expectDeviation "weights" (1.0 / sqrt (float duration)) (float units)
            }

        for step in [ 0.25<ms>; 1.0<ms>; 2.0<ms> ] do
            test $"a noisy choice is as often right with steps of {step} ms" {
                let striatum = winnerTakeAll "striatum" 2 |> noise sigma

                let session =
                    sessionOf
                        step
                        striatum
                        (weights (ofMatrix (array2D [ [ 0.5 ]; [ 0.0 ] ])) >> gate (every 10.0<ms>))

                let stride = 2 * int (10.0<ms> / step)

                let first = [
                    for trial in 0..39 do
                        let rates = session.Test(trial).Rates[0]

                        // The choice of row k holds until the next.
                        for row in stride - 2 .. stride .. rates.Length - 1 -> rates[row]
                ]

                let right = first |> List.filter ((=) 1.0) |> List.length
                let chance = Normal.CDF(0.0, sigma * sqrt 2.0, 0.5)
                Views.expectShare "right choices" chance right first.Length
            }
    ]

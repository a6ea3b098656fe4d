// An echo-state network: a random recurrent network that never learns, and a readout that is fitted to its rates.
//
//     dotnet fsi examples/07-echo-state.fsx
//     dotnet fsi examples/07-echo-state.fsx --seed 3 --out runs/narma
//
// The task is NARMA-10 (Atiya and Parlos 2000): from noise x in [0, 0.5], predict
// y(t+1) = 0.3 y(t) + 0.05 y(t) (y(t) + ... + y(t-9)) + 1.5 x(t-9) x(t) + 0.1, which takes memory of ten steps and products.
// The baseline has perfect memory and no products: a delay line of the last 20 inputs. Expect it to end at a loss of
// 0.0006, and the network, best with a spectral radius just below 1 (Jaeger 2001), at an eighth of that. With 0.3 its memory is
// too short; with 1.2 its activity does not decay.
// Every trial is new, so the loss of a trial is measured on a sequence that is not in its training data.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let steps, washout = 600, 100
let signal = input "signal" 1
let y = readout "y" 1

let narma =
    Task.ofTrials 600.0<ms> (fun _ stream ->
        let x = Array.init steps (fun _ -> stream.Uniform(0.0, 0.5))
        let y = Array.zeroCreate (steps + 1)
        let past (series: float[]) t = if t < 0 then 0.0 else series[t]

        for t in 0 .. steps - 1 do
            let recent = Seq.sum (seq { for k in 0..9 -> past y (t - k) })

            y[t + 1] <- 0.3 * y[t] + 0.05 * y[t] * recent + 1.5 * past x (t - 9) * x[t] + 0.1

        Trial.ofSteps steps (fun t -> [ x[t - 1] ], [ y[t] ])
        // The targets of the first steps depend on inputs before the trial.
        |> Trial.mask (Array2D.init steps 1 (fun t _ -> if t < washout then 0.0 else 1.0)))
    |> Task.named "NARMA-10"

// x -> W -> echo -> W_out -> y. Only the readout learns; the rate marks it as plastic and sets no step size.
let echo radius =
    let reservoir = area "reservoir" 200 |> tau 1.0<ms> |> initial (carriedOver 0.0)

    circuit [
        signal --> reservoir |> weights (uniform -0.3 0.3)
        bias --> reservoir |> weights (constant 0.2)
        reservoir --> reservoir |> weights (spectralRadius radius) |> density 0.1
        reservoir --> y |> weights (constant 0.0) |> learningRate 1.0
        bias --> y |> learningRate 1.0
    ]

// The inputs of the last 20 steps, side by side.
let delayLine =
    let line = relay "line" 20

    circuit [
        signal --> line
        |> weights (ofMatrix (Array2D.init 20 1 (fun i _ -> if i = 0 then 1.0 else 0.0)))
        line --> line
        |> weights (ofMatrix (Array2D.init 20 20 (fun i j -> if i = j + 1 then 1.0 else 0.0)))
        line --> y |> weights (constant 0.0) |> learningRate 1.0
        bias --> y |> learningRate 1.0
    ]

let leastSquares =
    Rule.ridge
    |> Rule.readoutsBy (RidgeRegression(alpha = 1e-6, washout = 100.0<ms>, everyTrials = 1))

[
    experiment "delay-line" delayLine narma
    for radius in [ 0.3; 0.6; 0.9; 1.2 ] do
        experiment $"echo-{radius}" (echo radius) narma
]
|> List.map (rule leastSquares >> trials 20)
|> Host.compare "echo-state"

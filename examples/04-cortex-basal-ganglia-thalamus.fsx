// The loop of cortex, basal ganglia and thalamus (Murray 2019, Fig 4, doi 10.7554/eLife.43299).
//
//     dotnet fsi examples/04-cortex-basal-ganglia-thalamus.fsx
//
// Cortex learns to move a cursor, with input from thalamus. At the end of every syllable, 200 ms, a gate
// opens: striatum receives cortex, one of its four units wins, and thalamus sends the winner to cortex as the next input.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

// Names: cortex (100 units), striatum and thalamus (4 units each).
let loop = Modules.loop 100 4 (every 200.0<ms>)

let velocity = readout "velocity" 2
let cortex = loop |> Circuit.area "cortex"

let network =
    loop
    |> projections [
        cortex --> velocity |> weights (uniformScaled 0.1) |> learningRate 0.01
    ]
    |> feedback [ errorOf velocity --> cortex ]

// Two syllables of 200 ms: to the right and back, with a smooth velocity each.
let target =
    let speed t =
        sin (System.Math.PI * float (t % 200 + 1) / 200.0) ** 2.0

    Task.ofArrays
        (Array2D.zeroCreate 400 0)
        (Array2D.init 400 2 (fun t k ->
            if k = 0 then
                (if t < 200 then speed t else -(speed t))
            else
                0.0))
    |> Task.named "right and back"

experiment "loop" network target |> trials 500 |> Host.run

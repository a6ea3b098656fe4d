// A sequence of movements, learned in two stages (Murray 2019, Fig 4, doi 10.7554/eLife.43299).
//
//     dotnet fsi examples/10-syllables.fsx
//     dotnet fsi examples/10-syllables.fsx --trials 10000 --seed 3
//
// First motor cortex learns four syllables by RFLO: under a tonic input of its own, each moves a cursor one length to the
// right, up, left or down. Then cortex is frozen, and its synapses onto striatum learn the order by reward: at the end of a
// syllable a gate opens, striatum receives cortex, one unit wins, and thalamus sends it to cortex as the next input. After that the
// loop draws a square by itself: only the first syllable has an input.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let moves = {
    Syllables.standard with
        Bounds = Some(0.0, 1.0)
}

let cortex = Modules.syllables 60 4 0.01

let syllables =
    experiment "syllables" cortex (Task.syllables moves)
    |> trials 3000
    |> Host.train

// Right, up, left, down; a step's increment carries 1 / T, so the rate is large.
let square =
    moves |> Syllables.inOrder [ 0; 1; 2; 3 ] |> Syllables.chosenBy "striatum"

let loop =
    cortex
    |> Circuit.withWeights syllables.Final
    |> Modules.sequenced Rule.rewardHebbBaseline 3.0 0.1

let names = [ "right"; "up"; "left"; "down" ]

experiment "square" loop (Task.syllables square)
|> rule Rule.rewardHebbBaseline
|> trials 1000
|> Host.runThen (fun trained ->
    match Run.perform trained (Task.syllables square) 3 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        for activity in shown do
            let path = Measure.path square 1.0<ms> square.Start activity.Outputs["velocity"]

            let corners =
                [ for k in 0..4 -> path[200 * k] ]
                |> List.map (fun (x, y) -> $"(%.2f{x}, %.2f{y})")
                |> String.concat " "

            let chosen =
                Measure.choices square 1.0<ms> activity.Rates["striatum"]
                |> List.map (fun k -> names[k])
                |> String.concat ", "

            printfn $"right, {chosen}: {corners}")

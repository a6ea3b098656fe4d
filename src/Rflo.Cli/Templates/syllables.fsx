// RFLO_NAME: a sequence of movements, learned in two stages (Murray 2019, Fig 4, doi 10.7554/eLife.43299).
//
//     dotnet fsi model.fsx                          train both stages; results go to runs/RFLO_NAME-1
//     dotnet fsi model.fsx --trials 10000 --seed 3  longer, from other random numbers
//     dotnet fsi model.fsx -- --help                every option
//     dotnet run --project tests                    check this model: gradients, random numbers, signs
#load "RFLO_HOST"

open Rflo.Dsl
open Rflo.Host

// Stage 1: under a tonic input of its own, each of four syllables moves a cursor one length to the right, up, left or down.
let moves = {
    Syllables.standard with
        Bounds = Some(0.0, 1.0)
}

// 60 units of motor cortex, 4 syllables, learning rate 0.01.
let cortex = Modules.syllables 60 4 0.01

// Stage 2: cortex is frozen, and its synapses onto striatum learn the order by reward: right, up, left, down.
let square =
    moves |> Syllables.inOrder [ 0; 1; 2; 3 ] |> Syllables.chosenBy "striatum"

let names = [ "right"; "up"; "left"; "down" ]

let tellChoices (trained: Trained) =
    match Run.perform trained (Task.syllables square) 3 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        for activity in shown do
            let chosen =
                Measure.choices square 1.0<ms> activity.Rates["striatum"]
                |> List.map (fun k -> names[k])
                |> String.concat ", "

            printfn $"right, {chosen}"

experiment "RFLO_NAME-syllables" cortex (Task.syllables moves)
|> trials 3000
|> seed 1
|> Host.trainThen (fun syllables ->
    let loop =
        cortex
        |> Circuit.withWeights syllables.Final
        |> Modules.sequenced Rule.rewardHebbBaseline 3.0 0.1

    experiment "RFLO_NAME" loop (Task.syllables square)
    |> rule Rule.rewardHebbBaseline
    |> trials 1000
    |> Host.runThen tellChoices)

// RFLO_NAME: interval matching, ready-set-go (Murray 2019, Fig 3, doi 10.7554/eLife.43299): two pulses a random delay apart;
// the target is a third after the same delay.
//
//     dotnet fsi model.fsx                          train; results go to runs/RFLO_NAME-1
//     dotnet fsi model.fsx --rule bptt
//     dotnet fsi model.fsx -- --help                every option
//     dotnet run --project tests                    check this model: gradients, random numbers, signs
#load "RFLO_HOST"

open Rflo.Dsl
open Rflo.Host

// 100 rate units: h(t) = (1 - 1/tau) h(t-1) + 1/tau tanh(u(t)). Times carry their unit, <ms>.
let cortex = area "cortex" 100 |> tau 10.0<ms>
let cue = input "cue" 2
let y = readout "y" 1

// `x |> f` is f(x): each line passes its result to the next one.
let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.003
        cue --> cortex |> weights (uniform -1.0 1.0) |> learningRate 0.003
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.003
    ]
    |> feedback [ errorOf y --> cortex ]

// Delays of 50 to 150 ms, and a channel for each pulse; `Width = 20.0<ms>` changes another field of the record.
let task = {
    ReadySetGo.standard with
        OwnChannels = true
}

// After training, each of these is tested once.
let tests = {
    task with
        Delays = inTurn [ for k in 0..10 -> 50.0<ms> + float k * 10.0<ms> ]
}

experiment "RFLO_NAME" network (Task.readySetGo task)
|> rule Rule.rflo
|> update (everyTrialsSum 10)
|> trials 5000
|> seed 1
|> Host.runThen (fun trained ->
    match Run.perform trained (Task.readySetGo tests) 11 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        for activity in shown do
            let target, produced = Measure.interval tests 1.0<ms> activity
            printfn $"target {float target} ms, produced {float produced} ms")

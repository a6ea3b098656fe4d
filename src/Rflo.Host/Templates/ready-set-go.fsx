// RFLO_NAME: interval matching, ready-set-go (Murray 2019, Fig 3, doi 10.7554/eLife.43299): two pulses a random delay apart,
// and the output must make a third after the same delay.
//
//     dotnet fsi model.fsx                          train; results go to runs/RFLO_NAME-1
//     dotnet fsi model.fsx --rule rflo --learning-rate 0.001 --trials 5000
//     dotnet fsi model.fsx -- --help                every option
//     dotnet run --project tests                    check this model: gradients, random numbers, signs
#load "RFLO_HOST"

open Rflo.Dsl
open Rflo.Host

// 100 rate units: h(t) = (1 - 1/tau) h(t-1) + 1/tau tanh(u(t)). Times carry their unit, <ms>.
let cortex = area "cortex" 100 |> tau 10.0<ms>
let cue = input "cue" 1
let y = readout "y" 1

// `x |> f` is f(x): each line hands what it has made to the next one.
let network =
    circuit
    |> areas [ cortex ]
    |> inputs [ cue ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learning 0.003
        cue --> cortex |> weights (uniform -1.0 1.0) |> learning 0.003
        cortex --> y |> weights (uniformScaled 1.0) |> learning 0.003
    ]
    |> feedback [ errorOf y --> cortex ]

// Delays of 50 to 150 ms; `{ ReadySetGo.standard with Width = 20.0<ms> }` changes one field of the record.
let task = ReadySetGo.standard

// After training, each of these is asked for once.
let tests = {
    task with
        Delays = InTurn [ 50.0<ms>; 75.0<ms>; 100.0<ms>; 125.0<ms>; 150.0<ms> ]
}

let model =
    experiment "RFLO_NAME" network (Task.readySetGo task)
    |> rule {
        Rule.bptt with
            Update = EveryTrials(10, Sum)
    }
    |> trials 1500
    |> seed 1

// The tests compile this file too, and train nothing but what they test.
#if INTERACTIVE
model
|> Host.runThen (fun trained ->
    match Run.perform trained (Task.readySetGo tests) 5 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        for activity in shown do
            let asked, produced = Measure.interval tests 1.0<ms> activity
            printfn $"asked for {float asked} ms, produced {float produced} ms")
#endif

// Interval matching, ready-set-go (Murray 2019, Fig 3, doi 10.7554/eLife.43299): two pulses a random delay apart, and the
// output must make a third after the same delay.
//
//     dotnet fsi examples/09-ready-set-go.fsx
//     dotnet fsi examples/09-ready-set-go.fsx --rule rflo --learning-rate 0.001 --trials 5000
//
// A network of 100 units learns by BPTT, with updates summed over 10 trials as in the paper (5000 of them there). The report
// shows the output against the target; the table under it, delays asked for and produced in tests with learning off.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let cortex = area "cortex" 100 |> tau 10.0<ms>
let cue = input "cue" 1
let y = readout "y" 1

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

// Delays of 50 to 150 ms. The paper gives the pulses' width and the longest delay; for all it leaves open, each a field of
// the record, ReadySetGo.standard has a choice.
let task = ReadySetGo.standard

let tests = {
    task with
        Delays = InTurn [ 50.0<ms>; 75.0<ms>; 100.0<ms>; 125.0<ms>; 150.0<ms> ]
}

experiment "ready-set-go" network (Task.readySetGo task)
|> rule {
    Rule.bptt with
        Update = EveryTrials(10, Sum)
}
|> trials 1500
|> Host.runThen (fun trained ->
    match Run.perform trained (Task.readySetGo tests) 5 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        for activity in shown do
            let asked, produced = Measure.interval tests 1.0<ms> activity
            printfn $"asked for {float asked} ms, produced {float produced} ms")

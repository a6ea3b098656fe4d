// Interval matching, ready-set-go (Murray 2019, Fig 3, doi 10.7554/eLife.43299): two pulses a random delay apart; the
// target is a third after the same delay.
//
//     dotnet fsi examples/09-ready-set-go.fsx
//     dotnet fsi examples/09-ready-set-go.fsx --rule bptt
//
// A network of 100 units learns by RFLO, with updates summed over 10 trials and 5000 trials, as in the paper. The paper leaves
// open how many channels the pulses have; with one for each, a first readout a tenth as large and a rate of 0.003 this network
// learns (docs/reproduction.md has the number that do). The report shows the output against the target. The table under it, and
// runs/intervals.html as a figure, show target and produced delays in tests with learning off.
#load "../src/Rflo.Host/host.fsx"

open System.IO
open Rflo.Dsl
open Rflo.Host

let cortex = area "cortex" 100 |> tau 10.0<ms>
let cue = input "cue" 2
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.003
        cue --> cortex |> weights (uniform -1.0 1.0) |> learningRate 0.003
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.003
    ]
    |> feedback [ errorOf y --> cortex ]

// Delays of 50 to 150 ms. The paper gives the pulses' width and the longest delay; for all it leaves open, each a field of
// the record, ReadySetGo.standard has a choice.
let task = {
    ReadySetGo.standard with
        OwnChannels = true
}

let tests = {
    task with
        Delays = inTurn [ for k in 0..10 -> 50.0<ms> + float k * 10.0<ms> ]
}

experiment "ready-set-go" network (Task.readySetGo task)
|> rule Rule.rflo
|> update (everyTrialsSum 10)
|> trials 5000
|> Host.runThen (fun trained ->
    match Run.perform trained (Task.readySetGo tests) 11 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok shown ->
        let delays = shown |> List.map (Measure.interval tests 1.0<ms>)

        for target, produced in delays do
            printfn $"target {float target} ms, produced {float produced} ms"

        Directory.CreateDirectory "runs" |> ignore
        delays |> Charts.intervals |> Charts.save "runs/intervals.html"
        printfn "runs/intervals.html")

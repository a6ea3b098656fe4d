// A task of your own from two functions over named phases, learned by a curriculum: the input is a number, and the target after a
// delay, at the go cue, is that number. The delays become longer when the loss at the short ones is small.
//
//     dotnet fsi examples/13-your-own-task.fsx
//     dotnet fsi examples/13-your-own-task.fsx --trials 500 --seed 2
//
// The table under the run shows, for fixed delays, the input number and the output of the circuit.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

/// A number in [-1, 1) over a delay: it is the input of channel 0 in "cue", and channel 1 is 1 in "go".
let remember delay =
    // First function: draws the numbers of a trial, here one.
    let draw (stream: RandomStream) = stream.Uniform(-1.0, 1.0)

    // Second function: inputs and targets of a step. `now` has the phase, the time in it and in the trial, onsets, durations.
    let at (value: float) (now: Instant) =
        let cue = if now.During "cue" then value else 0.0
        let go = if now.During "go" then 1.0 else 0.0
        // The first 20 ms of "go" have the mask 0, as time for a response.
        let isEarly = now.During "go" && now.Since <= 20.0<ms>

        Step.ofArrays [| cue; go |] [| go * value |]
        |> Step.mask (if isEarly then 0.0 else 1.0)

    Task.phased
        2
        1
        [
            phase "cue" (fixedFor 30.0<ms>)
            phase "delay" delay
            phase "go" (fixedFor 50.0<ms>)
        ]
        draw
        at

let task =
    Task.curriculum
        [
            remember (fixedFor 10.0<ms>) |> Task.named "short", lossBelow 0.003 50
            remember (between 10.0<ms> 40.0<ms>) |> Task.named "middle", lossBelow 0.003 50
        ]
        (remember (between 20.0<ms> 80.0<ms>) |> Task.named "long")

let cortex = area "cortex" 60 |> tau 10.0<ms>
let shown = input "shown" 2
let y = readout "y" 1

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.2) |> learningRate 0.1
        shown --> cortex |> weights (gaussian 1.0) |> learningRate 0.1
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.1
    ]
    |> feedback [ errorOf y --> cortex ]

experiment "your-own-task" network task
|> rule Rule.bptt
|> trials 3000
|> Host.runThen (fun trained ->
    let stages = Measure.stages task trained

    for stage, count in Array.countBy id stages do
        printfn $"stage {stage}: {count} trials"

    for delay in [ 20.0<ms>; 50.0<ms>; 80.0<ms> ] do
        match Run.perform trained (remember (fixedFor delay)) 4 with
        | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
        | Ok activities ->
            for activity in activities do
                let last = activity.Targets.RowCount - 1
                let made = activity.Outputs["y"][last, 0]

                printfn
                    $"delay {float delay} ms: shown %5.2f{activity.Targets[last, 0]}, made %5.2f{made}")

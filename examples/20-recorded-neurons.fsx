// A recorded session: what two areas know of a reach before it begins, and a circuit that is fitted to the spikes of one.
//
//     dotnet fsi examples/20-recorded-neurons.fsx
//     dotnet fsi examples/20-recorded-neurons.fsx --trials 200 --out runs/reaching
//
// reaching.nwb is a file of Neurodata Without Borders: 24 delayed reaches to the left or to the right, five units in dorsal premotor cortex (PMd) and five
// in primary motor cortex (M1); simulated, so that it is small. The circuit receives the rates of PMd and a go cue, and learns the spike counts of M1 by the
// Poisson loss in two of three trials; every third of each direction is held out, and the fit is tested on it. Expect the direction to be decoded from PMd
// before the cue and from M1 after it, and condition means of the fit like those of M1: a kernel alignment of 0.7 in the held-out trials, and of 0.95 in the
// trials that it was fitted to, whose noise it has learned too. Between the held-out and the fitted trials of M1 itself it is 0.87: noise leaves no more to any fit.
#load "../src/Rflo.Host/host.fsx"

open System.IO
open Rflo.Analysis
open Rflo.Dsl
open Rflo.Host

let step = 20.0<ms>

let window =
    Nwb.read (Path.Combine(__SOURCE_DIRECTORY__, "reaching.nwb"))
    |> Nwb.align "go_cue_time" -400.0<ms> 500.0<ms>

let direction = window |> Nwb.labels "direction"
let pmd = window |> Nwb.rates step 40.0<ms> "PMd"
let m1 = window |> Nwb.rates step 40.0<ms> "M1"
let counts = window |> Nwb.counts step "M1"

let pmd', go = input "PMd" pmd.Units, input "go" 1
let cortex = area "cortex" 40 |> tau 60.0<ms>
let y = readout "M1" m1.Units |> output Output.exponential

let network =
    circuit [
        pmd' --> cortex |> weights (gaussian 1.0) |> learningRate 0.003
        go --> cortex |> weights (gaussian 1.0) |> learningRate 0.003
        cortex --> cortex |> weights (gaussian 1.0) |> learningRate 0.003
        cortex --> y |> weights (uniformScaled 0.1) |> learningRate 0.003
    ]

/// Tens of spikes a second are inputs of about 1; the cue comes with step 20, after 400 ms.
let shown trial =
    Array2D.init pmd.Steps 6 (fun t i ->
        if i < 5 then 0.1 * pmd[trial, t, i]
        elif t >= 20 then 1.0
        else 0.0)

/// Every third trial of each direction is for the test.
let train, test = Population.split 3 direction

let taskOf (rows: int list) =
    counts
    |> Population.ofTrials rows
    |> Task.ofActivity step (fun k -> shown rows[k]) []

for name, rates in [ "PMd", pmd; "M1", m1 ] do
    let right = (rates |> Population.decode direction).Accuracy
    let before, after = Array.average right[10..19], Array.average right[27..32]
    printfn $"{name}: direction decoded before the cue %.2f{before}, after it %.2f{after}"

let ok result =
    match result with
    | Ok found -> found
    | Error problems -> failwith (problems |> List.map Problem.text |> String.concat "\n")

experiment "reaching" network (taskOf train)
|> dt step
|> rule Rule.bptt
|> optimizer Optimizer.adam
|> trials 3600
|> Host.runThen (fun trained ->
    let meansOf (rows: int list) (rates: TrialSet) =
        rates.ConditionMeans [| for row in rows -> direction[row] |]

    let recorded rows =
        m1 |> Population.ofTrials rows |> meansOf rows

    for name, rows in [ "held-out", test; "fitted", train ] do
        let trials = ok (Run.perform trained (taskOf rows) rows.Length)
        let fit = TrialSet.Of [| for trial in trials -> trial.Outputs["M1"] |]
        let alignment = Population.alignment (recorded rows) (meansOf rows fit)
        let loss = trials |> List.averageBy _.Loss

        printfn
            $"{rows.Length} {name} trials: kernel alignment of the condition means of M1 and of the fit %.2f{alignment}, Poisson loss %.3f{loss}"

    let ceiling = Population.alignment (recorded test) (recorded train)

    printfn
        $"kernel alignment of the condition means of M1 in the held-out and in the fitted trials: %.2f{ceiling}")

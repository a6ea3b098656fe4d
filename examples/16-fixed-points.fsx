// The dynamics of a trained circuit between its inputs: a flip-flop of two bits, learned by BPTT, and its fixed points. Each memory is a stable
// fixed point; the circuit goes from one to another past saddles between them (Sussillo and Barak 2013).
//
//     dotnet fsi examples/16-fixed-points.fsx
//     dotnet fsi examples/16-fixed-points.fsx --trials 500 --seed 2
//
// The table under the run has a line for each fixed point: the output there, how many directions leave it, and its slowest time
// constant. runs/fixed-points.html shows trials and fixed points along the first two principal components.
#load "../src/Rflo.Host/host.fsx"

open System.IO
open Plotly.NET
open Rflo.Analysis
open Rflo.Dsl
open Rflo.Host

let task =
    Task.flipFlop {
        FlipFlop.standard with
            Bits = 2
            Amplitude = 2.0
    }

let cortex = area "cortex" 40 |> tau 10.0<ms>
let pulses = input "pulses" 2
let y = readout "y" 2

let network =
    circuit [
        cortex --> cortex |> weights (gaussian 1.2) |> learningRate 0.003
        pulses --> cortex |> weights (gaussian 1.0) |> learningRate 0.003
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.003
    ]

let shown (map: CircuitMap) (point: FixedPoint) =
    let outputs = map |> Dynamics.outputs "y" point.State
    let kind = if point.IsFixed then "fixed" else "slow"

    let slowest = point.Modes[0].TimeConstant
    let time = if slowest > 0.0 then $"%.0f{slowest} ms" else "grows"

    printfn
        $"%-6s{kind} y = %6.2f{outputs[0]} %6.2f{outputs[1]}   %d{point.UnstableDirections} directions leave   slowest: %s{time}"

/// Trials and fixed points in a plane.
let picture (components: PrincipalComponents) (trials: TrialSet) (points: FixedPoint list) =
    let plane = trials |> Population.project 2 components

    let paths = [
        for trial in 0 .. plane.Trials - 1 ->
            Chart.Line(
                [
                    for t in 0 .. plane.Steps - 1 -> plane[trial, t, 0], plane[trial, t, 1]
                ],
                ShowLegend = false,
                LineColor = Color.fromString "rgba(120,120,120,0.35)"
            )
    ]

    let place (point: FixedPoint) =
        let along k =
            (MathNet.Numerics.LinearAlgebra.Vector<float>.Build.Dense point.State
             - components.Mean)
                .DotProduct(components.Components.Column k)

        along 0, along 1

    let marks name color kept =
        Chart.Point(points |> List.filter kept |> List.map place, Name = name, MarkerColor = color)
        |> Chart.withMarkerStyle (Size = 11)

    Chart.combine [
        yield! paths
        marks "stable" (Color.fromString "#1b7837") _.IsStable
        marks "one direction leaves" (Color.fromString "#e08214") (fun point ->
            point.UnstableDirections = 1)
        marks "more leave" (Color.fromString "#b2182b") (fun point -> point.UnstableDirections > 1)
    ]
    |> Chart.withXAxisStyle "first component"
    |> Chart.withYAxisStyle "second component"
    |> Chart.withSize (720, 560)

experiment "fixed-points" network task
|> rule Rule.bptt
|> optimizer Optimizer.adam
|> batch 10
|> trials 4000
|> Host.runThen (fun trained ->
    match Run.perform trained task 20 with
    | Error problems -> problems |> List.iter (Problem.text >> printfn "%s")
    | Ok trials ->
        let map = Dynamics.ofTrained trained
        let starts = map |> Dynamics.states trials |> Dynamics.every 40
        let points = map |> Dynamics.fixedPoints starts |> List.filter _.IsFixed
        points |> List.iter (shown map)

        let rates = Population.rates "cortex" trials

        Directory.CreateDirectory "runs" |> ignore

        picture (Population.pca rates) rates points
        |> Charts.save "runs/fixed-points.html"

        printfn "runs/fixed-points.html")

// A decision that two areas hold over a delay, and the effect of silencing one of them.
//
//     dotnet fsi examples/17-silencing.fsx
//     dotnet fsi examples/17-silencing.fsx --trials 500 --seed 2
//
// A stimulus is evidence for one of two choices; the decision is 200 ms after its end. After training, the same
// test trials run without a perturbation, and once more with each.
// runs/silencing.html has the activity of one trial: control on the left, silenced on the right.
#load "../src/Rflo.Host/host.fsx"

open System.IO
open Plotly.NET
open Rflo.Dsl
open Rflo.Host

let left = area "left" 30 |> tau 40.0<ms>
let right = area "right" 30 |> tau 40.0<ms>
let evidence = input "evidence" 3
let choice = readout "choice" 2

let across source target =
    source --> target |> weights (gaussian 0.6) |> density 0.5 |> learningRate 0.003

let within area =
    area --> area |> weights (gaussian 1.2) |> learningRate 0.003

let network =
    circuit [
        evidence --> left |> weights (uniform -1.0 1.0) |> learningRate 0.003
        evidence --> right |> weights (uniform -1.0 1.0) |> learningRate 0.003
        within left
        within right
        across left right
        across right left
        left --> choice |> weights (uniformScaled 0.1) |> learningRate 0.003
        right --> choice |> weights (uniformScaled 0.1) |> learningRate 0.003
    ]

let task =
    Task.perceptualDecision {
        PerceptualDecision.standard with
            Delay = fixedFor 200.0<ms>
    }

let decision =
    experiment "silencing" network task
    |> rule Rule.bptt
    |> optimizer Optimizer.adam
    |> batch 10
    |> trials 3000

/// The share of trials in which the choice is right.
let rightIn (activities: Activity list) =
    activities
    |> List.choose Measure.decision
    |> List.averageBy (fun (asked, chosen) -> if asked = chosen then 1.0 else 0.0)

let perturbations = [
    "the left area silenced in the delay", silence left |> during "delay"
    "the right area silenced in the delay", silence right |> during "delay"
    "the left area silenced for 50 ms, when the delay begins",
    silence left |> afterOnset "delay" 0.0<ms> 50.0<ms>
    "no connections from the left area to the right", scaleProjection "left->right" 0.0
]

/// Each trial twice: without and with the perturbation.
let contrast (trained: Trained) perturbation count =
    let how = {
        Evaluation.standard with
            Perturbations = [ perturbation ]
    }

    Run.contrast how trained.Final trained.Experiment task count |> Problem.orFail

decision
|> Host.runThen (fun trained ->
    for name, perturbation in perturbations do
        let trials = contrast trained perturbation 300
        let control = trials |> List.map _.Control |> rightIn
        let perturbed = trials |> List.map _.Perturbed |> rightIn
        printfn $"%.2f{control} right, %.2f{perturbed} with {name}"

    Directory.CreateDirectory "runs" |> ignore
    let trial = contrast trained (snd perturbations.Head) 1 |> List.head

    // All rates have one scale of colors.
    let rates area (activity: Activity) =
        Charts.activityOf decision area activity
        |> GenericChart.mapTrace (fun trace ->
            trace :?> Trace2D
            |> Trace2DStyle.Heatmap(ShowScale = false, ZMin = -1.0, ZMax = 1.0)
            :> Trace)

    // Control on the left, perturbed on the right.
    [
        for chart in [ Charts.outputOf decision; rates "left"; rates "right" ] do
            chart trial.Control
            chart trial.Perturbed
    ]
    |> Chart.Grid(3, 2)
    |> Chart.withTitle
        $"Control, and {fst perturbations.Head}: outputs, rates of left, rates of right"
    |> Chart.withLayoutStyle (ShowLegend = false)
    |> Chart.withSize (1200, 950)
    |> Charts.save "runs/silencing.html"

    printfn "runs/silencing.html")

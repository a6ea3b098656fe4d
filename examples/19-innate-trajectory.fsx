// A chaotic network learns its own innate trajectory, and returns to it when it is kicked.
//
//     dotnet fsi examples/19-innate-trajectory.fsx
//     dotnet fsi examples/19-innate-trajectory.fsx --trials 5 --out runs/innate
//
// After Laje and Buonomano (2013), doi 10.1038/nn.3405. The area "innate" has random weights of gain 1.5 and is frozen: its activity from its initial states is
// the trajectory. "cortex" begins with the same weights and states, has noise, and learns by full-FORCE (DePasquale et al. 2018): recursive least squares make
// its currents those of "innate". Expect a distance of 0.5 at the end of a trial that was kicked before training, and less than 0.05 afterwards, where rates have
// a root mean square of 0.5.
#load "../src/Rflo.Host/host.fsx"

open Rflo.Dsl
open Rflo.Host

let units = 200
let steps = 400
let random = System.Random 2

let gauss () =
    sqrt (-2.0 * log (1.0 - random.NextDouble()))
    * cos (2.0 * System.Math.PI * random.NextDouble())

let first =
    Array2D.init units units (fun _ _ -> 1.5 / sqrt (float units) * gauss ())

let start = Array.init units (fun _ -> 0.5 * gauss ())

let innate = area "innate" units |> currentForm |> initial (resetTo start)

let cortex =
    area "cortex" units |> currentForm |> initial (resetTo start) |> noise 0.1

let y = readout "y" 1

let network =
    circuit [
        innate --> innate |> weights (ofMatrix first)
        // The rate marks it as plastic and sets no step size.
        cortex --> cortex
        |> weights (ofMatrix first)
        |> learnBy (Rule.fullForce "innate") 1.0
        // A readout of the trajectory: any output, by FORCE.
        cortex --> y |> weights (constant 0.0) |> learningRate 1.0
    ]

let pulse =
    Task.ofArrays
        (Array2D.zeroCreate steps 0)
        (Array2D.init steps 1 (fun t _ -> exp (-((float t - 300.0) ** 2.0) / 800.0)))
    |> Task.named "pulse"

/// How far rates of cortex are from the trajectory over the last 50 ms.
let away (activity: Activity) =
    let found, wanted = activity.Rates["cortex"], activity.Rates["innate"]

    sqrt (
        Seq.average [
            for t in steps - 50 .. steps - 1 do
                for i in 0 .. units - 1 -> (found[t, i] - wanted[t, i]) ** 2.0
        ]
    )

experiment "innate-trajectory" network pulse
|> rule Rule.force
|> trials 10
|> Host.runThen (fun trained ->
    let how = {
        Evaluation.standard with
            Noise = false
            Perturbations = [
                kick cortex (Kick.add 0.3) |> betweenTimes 100.0<ms> 101.0<ms>
            ]
    }

    for name, weights in
        [
            "before training", trained.Initial
            "after training", trained.Final
        ] do
        match Run.contrast how weights trained.Experiment pulse 1 with
        | Ok [ trial ] ->
            printfn
                $"%.2f{away trial.Control} from the trajectory, %.2f{away trial.Perturbed} after a kick, {name}"
        | Ok _ -> ()
        | Error problems -> printfn "%s" (problems |> List.map Problem.text |> String.concat "\n"))

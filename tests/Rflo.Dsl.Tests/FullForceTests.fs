/// Weights that learn by full-FORCE, as models say it.
module Rflo.Dsl.Tests.FullForceTests

open System
open Expecto
open Rflo.Dsl

let private ok =
    function
    | Ok value -> value
    | Error problems -> failtestf "%A" (problems |> List.map Problem.text)

let private units = 200
let private steps = 400

/// A chaotic area (g = 1.5), and one that begins with its weights and its initial states, and learns to follow it.
let private model change =
    let random = Random 2

    let gauss () =
        sqrt (-2.0 * log (1.0 - random.NextDouble()))
        * cos (2.0 * Math.PI * random.NextDouble())

    let first =
        Array2D.init units units (fun _ _ -> 1.5 / sqrt (float units) * gauss ())

    let start = Array.init units (fun _ -> 0.5 * gauss ())
    let innate = area "innate" units |> currentForm |> initial (resetTo start)

    let cortex =
        area "cortex" units |> currentForm |> initial (resetTo start) |> noise 0.1

    let y = readout "y" 1

    circuit [
        innate --> innate |> weights (ofMatrix first)
        cortex --> cortex
        |> weights (ofMatrix first)
        |> learnBy (Rule.fullForce "innate") 1.0
        cortex --> y |> weights (uniformScaled 1.0)
    ]
    |> change
    |> fun network ->
        experiment
            "innate"
            network
            (Task.ofArrays (Array2D.zeroCreate steps 0) (Array2D.zeroCreate steps 1))
    |> trials 10

/// How far rates of cortex are from those of the innate trajectory over the last 50 steps.
let private away (activity: Activity) =
    let found, wanted = activity.Rates["cortex"], activity.Rates["innate"]

    sqrt (
        Seq.average [
            for t in steps - 50 .. steps - 1 do
                for i in 0 .. units - 1 -> (found[t, i] - wanted[t, i]) ** 2.0
        ]
    )

[<Tests>]
let tests =
    testList "full-FORCE" [
        test "a chaotic area learns its own innate trajectory, and returns to it from a kick" {
            let trained = ok (Run.train (model id))

            let kicked weights =
                let how = {
                    Evaluation.standard with
                        Noise = false
                        Perturbations = [
                            kick (Circuit.area "cortex" trained.Experiment.Circuit) (Kick.add 0.3)
                            |> betweenTimes 100.0<ms> 101.0<ms>
                        ]
                }

                match
                    ok (Run.contrast how weights trained.Experiment trained.Experiment.Task 1)
                with
                | [ trial ] -> away trial.Control, away trial.Perturbed
                | other -> failtest $"%d{other.Length} trials"

            let control, before = kicked trained.Initial
            Expect.equal control 0.0 "with the same weights it is the same trajectory"
            Numbers.isGreaterThan before 0.3 "chaotic: a kick leads elsewhere"

            let control, after = kicked trained.Final
            Numbers.isLessThan control 0.05 "it still follows the trajectory"
            Numbers.isLessThan after 0.1 "and returns to it"
        }

        test "a circuit whose parts are renamed follows the teacher by its new name" {
            let renamed = model (Circuit.prefix "left")
            let plain = ok (Run.train (model id |> trials 1))
            let trained = ok (Run.train (renamed |> trials 1))

            Expect.isTrue
                (trained.Final.Keys |> Seq.exists (fun name -> name = "left.cortex->left.cortex"))
                $"%A{List.ofSeq trained.Final.Keys}"

            Expect.notEqual
                trained.Final["left.cortex->left.cortex"]
                trained.Initial["left.cortex->left.cortex"]
                "it learns"

            Expect.isNonEmpty plain.Final "so does the other"
        }

        test "a probe cannot compare it, and a lesion leaves nothing to follow" {
            let refused (experiment: Experiment) =
                match Check.experiment experiment with
                | Ok _ -> []
                | Error problems -> problems |> List.map Problem.text

            Expect.exists
                (refused (model id |> probe 1 [ Probe.angleOf (Rule.fullForce "innate") Rule.bptt ]))
                (fun text -> text.Contains "least squares change weights and have no increments")
                "compared"

            Expect.exists
                (let cortex = Circuit.area "cortex" (model id).Circuit
                 refused (model id |> perturb [ lesion cortex[[ 3 ]] ]))
                (fun text -> text.Contains "whose units are lesioned and have no current")
                "lesioned"
        }
    ]

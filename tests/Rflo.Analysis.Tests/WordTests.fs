/// The words of the language: that they ask of the circuit that was trained, by the names of its parts.
module Rflo.Analysis.Tests.WordTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Analysis
open Rflo.Analysis.Tests.Small
open Rflo.Dsl

let private pfc = area "pfc" 6 |> tau 20.0<ms> |> noise 0.1
let private m1 = area "m1" 4 |> tau 10.0<ms> |> currentForm
let private x = input "x" 2
let private go = input "go" 1
let private y = readout "y" 2

let private network =
    Circuit.empty
    |> areas [ pfc; m1 ]
    |> inputs [ x; go ]
    |> readouts [ y ]
    |> projections [
        x --> pfc |> weights (gaussian 1.0)
        go --> m1 |> weights (gaussian 1.0)
        pfc --> pfc |> weights (gaussian 1.2) |> learningRate 0.05
        pfc --> m1 |> weights (gaussian 1.0) |> delay 6.0<ms>
        m1 --> pfc |> weights (gaussian 0.5)
        m1 --> y |> weights (gaussian 1.0) |> learningRate 0.05
        y --> pfc |> weights (gaussian 0.3)
    ]
    |> feedback [ errorOf y --> pfc ]

/// Cosines of several frequencies: the same in every trial.
let private task =
    Task.ofArrays
        (Array2D.init 30 3 (fun t k -> cos (float (t * (k + 1)) / 7.0)))
        (Array2D.init 30 2 (fun t k -> sin (float (t + 5 * k) / 5.0)))

let private declared =
    experiment "words" network task |> rule Rule.bptt |> dt 2.0<ms> |> trials 20

let private orFail result =
    match result with
    | Ok value -> value
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "; ")

let private trained = lazy (declared |> Run.train |> orFail)

let private silently count =
    Run.evaluate
        {
            Evaluation.standard with
                Noise = false
        }
        trained.Value.Final
        declared
        task
        count
    |> orFail

let private map = lazy (Dynamics.ofTrained trained.Value)

[<Tests>]
let tests =
    testList "words of analysis" [
        test "a map of a trained circuit iterates what its trials show without noise" {
            let trial = silently 1
            let states = map.Value |> Dynamics.states trial

            for area in [ "pfc"; "m1" ] do
                let rates = trial.Head.Rates[area]

                for t in 1..30 do
                    let found = map.Value |> Dynamics.rates area states[t]
                    Numbers.isLessThan (distance found (rates.Row(t - 1).ToArray())) 1e-10 area

            let found = map.Value |> Dynamics.outputs "y" states[30]
            let shown = trial.Head.Outputs["y"].Row(29).ToArray()
            Numbers.isLessThan (distance found shown) 1e-10 "y"
            Expect.equal (Dynamics.every 10 states).Length 4 "states 0, 10, 20 and 30"
        }

        test "inputs are set by name" {
            let at = map.Value |> Dynamics.at [ "go", [| 3.0 |] ]
            Expect.equal at.Inputs [| 0.0; 0.0; 3.0 |] "the third channel"
            let both = at |> Dynamics.at [ "x", [| 1.0; 2.0 |] ]
            Expect.equal both.Inputs [| 1.0; 2.0; 3.0 |] "others stay"
            isRefused [ "no input z"; "x, go" ] (fun () -> at |> Dynamics.at [ "z", [| 1.0 |] ])

            isRefused [ "input x has 2 channels"; "1 numbers" ] (fun () ->
                at |> Dynamics.at [ "x", [| 1.0 |] ])
        }

        test "fixed points, Jacobians and exponents are those of the map, in its time" {
            let map = map.Value |> Dynamics.at [ "x", [| 0.3; -0.2 |] ]
            let starts = map |> Dynamics.states (silently 1) |> Dynamics.every 10
            let points = map |> Dynamics.fixedPoints starts
            let direct = FixedPoints.Find(map, starts)

            Expect.equal
                (points |> List.map _.State)
                [ for point in direct -> point.State ]
                "points"

            Expect.isNonEmpty points "there are some"
            let point = points.Head
            let largest = map |> Dynamics.modes 1 point.State |> List.head
            isNear 1e-9 (modulus point.Modes[0]) (modulus largest) "modes"
            isNear 1e-6 (-2.0 / log (modulus largest)) largest.TimeConstant "steps of 2 ms"
            let jacobian = map |> Dynamics.jacobian point.State
            Expect.equal jacobian.RowCount map.Size "all of it"
            let part = map |> Dynamics.jacobianOnto "pfc" "m1" point.State
            Expect.equal (part.RowCount, part.ColumnCount) (6, 4) "onto pfc"
            let spectrum = map |> Dynamics.lyapunov 2 100
            let whole = LyapunovSpectrum.Of(map, map.InitialState(), 2, 100, 25)
            Expect.equal spectrum.PerStep whole.PerStep "exponents"
            Expect.equal spectrum.PerSecond[0] (500.0 * spectrum.PerStep[0]) "500 steps a second"
        }

        test "directions of an area lie where its states do" {
            let map = map.Value
            let values = [| 1.0; -2.0; 3.0; -4.0 |]
            let direction = map |> Dynamics.direction "m1" values
            Expect.equal (Array.sub direction 6 4) values "behind pfc"
            isNear 1e-12 30.0 (Array.sumBy (fun x -> x * x) direction) "nothing else"
            let origin = map.InitialState()
            let other = map |> Dynamics.direction "pfc" [ 1.0; 0.0; 0.0; 0.0; 0.0; 0.0 ]
            let field = map |> Dynamics.flow origin other direction [| 0.0; 1.0 |] [| 0.0 |]
            Expect.equal field.Speed.Length 2 "two states"

            isRefused [ "area m1 has 4 states"; "1 numbers" ] (fun () ->
                map |> Dynamics.direction "m1" [ 1.0 ])
        }

        test
            "a probe of the dynamics sees the weights after each trial, and changes no number of the run" {
            let radius (map: CircuitMap) =
                let mode = map |> Dynamics.modes 1 (map.InitialState()) |> List.head
                mode.Value.Magnitude

            let watched =
                declared
                |> probe 1 [
                    Dynamics.probe "radius" declared (fun map _ -> radius map)
                    Dynamics.probe "first-rate" declared (fun map seen ->
                        (map |> Dynamics.states [ seen.Activity ]).[1].[0])
                ]
                |> Run.train
                |> orFail

            Expect.equal watched.Losses trained.Value.Losses "losses"
            let series = watched.Probes["radius"]
            Expect.equal series.Trials [| 0..19 |] "each trial"
            isNear 1e-12 (radius map.Value) series.Values[19] "the final weights"
            Numbers.isGreaterThan (abs (series.Values[19] - series.Values[0])) 1e-6 "it moves"
            let first = (map.Value |> Dynamics.states (silently 1)).[1].[0]
            isNear 1e-12 first watched.Probes["first-rate"].Values[19] "inputs of the trial"
        }

        test "a probe of the dynamics of another circuit ends the run, and says why" {
            let gated = network |> Circuit.mapProjection "pfc->m1" (gate (every 10.0<ms>))
            let model = { declared with Circuit = gated }

            let run =
                model
                |> probe 5 [ Dynamics.probe "radius" model (fun _ _ -> 0.0) ]
                |> Run.train
                |> orFail

            Expect.equal run.Status.End Rflo.Core.RunEnd.Failed "how it ended"
            Expect.stringContains run.ProbeFailures["radius"] "pfc->m1" "which projection"
        }

        test "what a map cannot be made of is said by name" {
            let gated = network |> Circuit.mapProjection "pfc->m1" (gate (every 10.0<ms>))

            let of' gates =
                Dynamics.ofWeights gates Map.empty { declared with Circuit = gated }

            isRefused [ "projection pfc->m1"; "open or shut" ] (fun () -> of' [])
            Expect.isOk (of' [ "pfc->m1", true ]) "it is said"
            let unknown = Map.ofList [ "pfc->pc", Matrix<float>.Build.Dense(6, 6) ]
            Expect.isError (Dynamics.ofWeights [] unknown declared) "no such projection"
        }

        test "perturbations of the training, and what stops it, are left out" {
            let start = map.Value.InitialState()

            for other in
                [
                    {
                        declared with
                            Perturbations = [ silence pfc ]
                    }
                    declared |> validate 5 2 |> byValidation |> stopAtLoss 0.1
                ] do
                let found = Dynamics.ofWeights [] trained.Value.Final other |> orFail
                Expect.equal (found.Next start) (map.Value.Next start) "the same map"
        }

        test "populations are read by the names of their areas" {
            let trials = silently 3
            let set = Population.rates "m1" trials
            Expect.equal (set.Trials, set.Steps, set.Units) (3, 30, 4) "its shape"
            isNear 0.0 (trials[1].Rates["m1"][4, 2]) set[1, 4, 2] "one number"
            let window = Population.ratesWithin 10 5 "m1" trials
            isNear 0.0 set[2, 12, 1] window[2, 2, 1] "of a window"
            isRefused [ "no area m2"; "m1, pfc" ] (fun () -> Population.rates "m2" trials)

            isRefused [ "trial 0 has 30 steps"; "5 from step 28" ] (fun () ->
                Population.ratesWithin 28 5 "m1" trials)

            let components = Population.pca set
            Expect.equal (set |> Population.project 2 components).Units 2 "two components"
            Expect.equal (Population.pcaOf [| 0; 0; 1 |] set).Mean.Count 4 "of conditions"
            isNear 1e-9 1.0 (Population.alignment set set) "itself"
            isNear 1e-6 0.0 (Population.procrustes set set) "itself"
            Numbers.isGreaterThan (Population.dimensions set).Ratio 1.0 "dimensions"
        }

        test "labels, numbers and factors are decoded trial by trial" {
            let trials = orFail (Run.perform trained.Value task 20)
            let set = Population.rates "pfc" trials
            let labels = Array.init 20 (fun k -> k % 2)
            let values = labels |> Array.map float
            let steps = 30

            Expect.equal
                (set |> Population.decode labels).Accuracy
                (Decoding.OverTime(set, labels)).Accuracy
                "labels"

            Expect.equal (set |> Population.decodeAcross labels).RowCount steps "across"

            Expect.equal
                (set |> Population.regress values)
                (Regression.OverTime(set, values))
                "numbers"

            Expect.equal (set |> Population.selectivity labels).First.Length 6 "selectivity"
            let other = Array.init 20 (fun k -> k / 2 % 2)

            Expect.equal
                (set |> Population.selectivityOfTwo labels other).Interaction.Length
                6
                "of two"

            let axes =
                set
                |> Population.targeted [ "first", values; "second", Array.map float other ] labels

            Expect.equal (List.ofSeq axes.Variables) [ "first"; "second" ] "axes"

            let far =
                set
                |> Population.dissimilarity Dissimilarity.Euclidean (Array.init 20 (fun k -> k % 4))

            Expect.equal far.RowCount 4 "conditions"
            isNear 1e-12 1.0 (Population.compare far far) "itself"
        }

        test "currents come from the rates of the trial" {
            let trial = (silently 1).Head
            let found = trial |> Population.currents "pfc" map.Value

            Expect.equal
                (Set.ofSeq found.BySource.Keys)
                (Set.ofList [ "x"; "pfc"; "m1"; "y" ])
                "sources"

            Expect.equal found.FirstStep 2 "all delays are one step"
            let weights = trained.Value.Final["y->pfc"]
            let expected = (weights * trial.Outputs["y"].Row 3).ToArray()

            Numbers.isLessThan
                (distance expected (found.BySource["y"].Row(3).ToArray()))
                1e-12
                "in step 5"

            let late = trial |> Population.currents "m1" map.Value
            Expect.equal late.FirstStep 4 "6 ms are three steps"
        }
    ]

/// The circuits whose graphs are kept as golden files, each small enough to be read.
module Rflo.Dsl.Tests.GoldenCircuits

open Rflo.Core
open Rflo.Dsl

let private y = readout "y" 1
let private periodic = Task.periodic 10.0<ms> [ harmonic 1 1.0; harmonic 2 0.5 ]

let private arrays steps channels outputs =
    Task.ofArrays (Array2D.zeroCreate steps channels) (Array2D.zeroCreate steps outputs)

let private notebook =
    let cortex = area "cortex" 4 |> tau 10.0<ms>

    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> weights (gaussian 1.5) |> learningRate 0.03
        cortex --> y |> weights (uniformScaled 1.0) |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex ]
    |> fun network -> experiment "notebook" network periodic

let private dale =
    let cortex = area "cortex" 5 |> dale 0.6 |> transfer rectifiedTanh

    let y = y |> output Output.sigmoid

    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex
        |> weights (gaussian 1.5)
        |> noSelf
        |> balanced
        |> learningRate 0.03
        cortex["inhibitory"] --> cortex["excitatory"] |> weights (constant 0.2)
        cortex --> y |> learningRate 0.03
    ]
    |> feedback [ errorOf y --> cortex |> through symmetric ]
    |> fun network -> experiment "dale" network (arrays 10 0 1) |> seed 2

let private sparse =
    let cortex = area "cortex" 8

    Circuit.empty
    |> areas [ cortex ]
    |> readouts [ y ]
    |> projections [
        cortex --> cortex |> density 0.2 |> noSelf |> learningRate 0.01
        cortex --> cortex |> density 0.5 |> label "half"
        cortex --> y |> density 0.2 |> learningRate 0.01
    ]
    |> feedback [ errorOf y --> cortex |> through (randomFeedback 0.5) ]
    |> fun network -> experiment "sparse" network periodic |> precision Precision.single

let private fineSteps =
    let pre = area "pre" 2 |> tau 5.0<ms> |> noise 0.1

    let post =
        area "post" 2 |> taus [| 0.5<ms>; 20.0<ms> |] |> initial (randomStart 0.1 0.2)

    Circuit.empty
    |> areas [ pre; post ]
    |> readouts [ y ]
    |> projections [
        pre --> post |> weights (constant 1.0) |> delay 2.5<ms>
        post --> pre |> weights (constant -1.0) |> gate (every 1.5<ms>)
        pre --> pre |> weights (oneToOne 0.5) |> gate atTrialEnd
        post --> y |> weights (constant 0.0) |> learningRate 0.1
    ]
    |> fun network -> experiment "fine" network periodic |> dt 0.5<ms>

let private populations =
    let m1 = area "m1" 6 |> population "hand" [ 4; 1 ] |> population "arm" [ 0; 2; 3 ]
    let cue = input "cue" 3
    let z = readout "z" 2 |> output softmax

    Circuit.empty
    |> areas [ m1 ]
    |> inputs [ input "tone" 1; cue ]
    |> readouts [ y; z ]
    |> projections [
        m1["hand"] --> m1["arm"] |> weights (uniform -1.0 1.0) |> bounds -0.5 0.5
        m1["arm"] --> m1["arm"] |> noSelf |> weights (constant 1.0)
        cue[[ 2; 0 ]] --> m1["hand"]
        bias --> m1["arm"] |> learningRate 0.01
        m1 --> y |> learningRate 0.01
        m1["hand"] --> z |> learningRate 0.01
        bias --> y
    ]
    |> feedback [
        errorOf y --> m1
        errorOf z --> m1 |> through (randomFeedback 2.0)
    ]
    |> fun network ->
        Task.ofArrays
            (Array2D.zeroCreate 7 4)
            (Array2D.init 7 3 (fun _ k -> if k = 1 then 1.0 else 0.0))
        |> experiment "populations" network

let private given' =
    let a = area "a" 2
    let b = area "b" 3
    let weights' = array2D [ [ 11.0; 12.0 ]; [ 21.0; 22.0 ]; [ 31.0; 32.0 ] ]

    Circuit.empty
    |> areas [ a; b ]
    |> readouts [ readout "y" 2 ]
    |> projections [
        a --> b |> weights (ofMatrix weights')
        a --> b
        |> label "masked"
        |> weights (ofMatrix weights')
        |> mask (array2D [ [ true; false ]; [ false; true ]; [ true; true ] ])
        b --> readout "y" 2
        |> weights (
            ReadFrom(
                "memory",
                (fun () -> Ok(WeightMatrix.Full(Array2D.init 2 3 (fun i j -> float (10 * i + j)))))
            )
        )
        |> learningRate 0.1
    ]
    |> feedback [
        errorOf (readout "y" 2) --> b |> through (feedbackMatrix weights')
    ]
    |> fun network -> experiment "given" network (arrays 5 0 2)

let private loop =
    let three = Modules.loop 4 2 (Every 5.0<ms>)
    let cortex = three |> Circuit.area "cortex"

    three
    |> readouts [ y ]
    |> projections [ cortex --> y |> learningRate 0.01 ]
    |> feedback [ errorOf y --> cortex ]
    |> Circuit.mapArea "striatum" (explore 0.1)
    |> fun network -> experiment "loop" network periodic

let private rules =
    let m1 = area "m1" 2 |> initial (resetTo [| 0.2; -0.2 |])
    let pmd = area "pmd" 2 |> transfer softplus |> initial (carriedOver 0.3)

    Circuit.empty
    |> areas [ m1; pmd ]
    |> readouts [ y ]
    |> projections [
        m1 --> m1 |> learningRate 0.01 |> decay 1e-3
        pmd --> m1
        |> learnBy
            {
                Rule.bptt with
                    Update = EveryTrials(4, Mean)
            }
            0.02
        m1 --> pmd |> learnBy { Rule.rtrlRandom with Update = Online } 0.03
        y --> pmd |> delay 3.0<ms>
        m1 --> y |> learnBy Rule.localSymmetric 0.04
    ]
    |> feedback [ errorOf y --> m1; errorOf y --> pmd ]
    |> fun network -> experiment "rules" network periodic |> update (everyTrialsSum 2)

let private decision =
    let cortex = area "cortex" 3
    let evidence = input "evidence" 3
    let choice = readout "choice" 2

    Circuit.empty
    |> areas [ cortex ]
    |> inputs [ evidence ]
    |> readouts [ choice ]
    |> projections [
        evidence --> cortex |> gate (atEvent "stimulus")
        cortex --> cortex |> gate (atEvent "decision.onset") |> learningRate 0.1
        cortex --> choice
    ]
    |> feedback [ errorOf choice --> cortex ]
    |> fun network ->
        experiment
            "decision"
            network
            (Task.mixture [
                Task.perceptualDecision PerceptualDecision.standard, 2.0
                Task.intervalDiscrimination IntervalDiscrimination.standard, 1.0
            ])

let all = [
    notebook
    dale
    sparse
    fineSteps
    populations
    given'
    loop
    rules
    decision
]

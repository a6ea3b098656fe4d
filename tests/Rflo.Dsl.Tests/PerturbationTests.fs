/// Perturbations in the language: what the words become, what they leave alone, and what is refused.
module Rflo.Dsl.Tests.PerturbationTests

open System
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Dsl.Tests.Valid
open Rflo.Testing.Trials

let private cortex =
    area "cortex" 8 |> dale 0.5 |> tau 5.0<ms> |> population "left" [ 1; 2 ]

let private motor = area "motor" 3 |> noise 0.1
let private striatum = winnerTakeAll "striatum" 3

let private spiking =
    area "spiking" 3
    |> units (
        UnitModel.define
            "slow"
            [ "v"; "w" ]
            (fun unit -> unit.State[0] <- unit.Current)
            (fun unit -> unit.State[0])
    )

let private cue = input "cue" 1
let private hand = readout "hand" 1

let private network =
    Circuit.empty
    |> areas [ cortex; motor; striatum; spiking ]
    |> inputs [ cue ]
    |> readouts [ hand ]
    |> projections [
        cue --> cortex
        cortex --> cortex |> learningRate 0.03
        cortex --> motor
        motor --> hand |> learningRate 0.03
    ]
    |> feedback [ errorOf hand --> cortex ]

/// 200 steps of 1 ms in three phases.
let private task =
    Task.phased
        1
        1
        [
            phase "cue" (fixedFor 50.0<ms>)
            phase "delay" (fixedFor 100.0<ms>)
            phase "go" (fixedFor 50.0<ms>)
        ]
        (fun _ -> ())
        (fun () now -> {
            Input = [| (if now.Phase = "cue" then 1.0 else 0.0) |]
            Target = [| 1.0 |]
            Mask = [| if now.Phase = "go" then 1.0 else 0.0 |]
            Events = []
        })

let private plan = experiment "plan" network task |> trials 4

let private under perturbation = plan |> perturb [ perturbation ]

let private checkedOf experiment =
    match Check.experiment experiment with
    | Ok ready -> ready
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

// ---- what words become --------------------------------------------------------------------------

let private listOf (units: Collections.Generic.IReadOnlyList<int> | null) =
    match units with
    | null -> []
    | units -> List.ofSeq units

/// Everything of a perturbation of the core.
let private partsOf (spec: PerturbationSpec) =
    let ofUnits (units: UnitPerturbation) =
        $"{units.Area.Index} %A{listOf units.Units}"

    let numbers (values: float seq) =
        values |> Seq.map string |> String.concat " "

    let courseOf (course: TimeCourse) =
        $"({numbers (course.Values.ToArray())})/{course.Width}"

    let what =
        match spec with
        | :? Silence as one -> $"silence {ofUnits one}"
        | :? Clamp as one -> $"clamp {ofUnits one} {courseOf one.Course}"
        | :? Stimulate as one -> $"stimulate {ofUnits one} {courseOf one.Course} {one.Noise}"
        | :? KickStates as one -> $"kick {ofUnits one} {numbers one.Values} {one.Adds} {one.State}"
        | :? Lesion as one -> $"lesion {ofUnits one}"
        | :? ScaleProjection as one -> $"scale {one.Projection.Index} {one.Factor}"
        | other -> failtest $"{other}"

    let window = spec.Window

    what,
    (window.Kind, window.Number, window.From, window.To),
    (spec.Trials.Fraction, spec.Trials.Key, not (isNull spec.Trials.Choice))

let private compiledOf experiment =
    (Compile.experiment (checkedOf experiment)).Graph.Perturbations
    |> Seq.map partsOf
    |> List.ofSeq

let private whole = WindowKind.WholeTrial, 0, 0, 0
let private always = 1.0, "", false

let private words
    : (Perturbation * string * (WindowKind * int * int * int) * (float * string * bool)) list = [
    silence cortex, "silence 0 []", whole, always
    silence cortex["inhibitory"], "silence 0 [4; 5; 6; 7]", whole, always
    silence cortex["left"], "silence 0 [1; 2]", whole, always
    silence cortex[[ 3; 5 ]], "silence 0 [3; 5]", whole, always
    silence motor |> during "delay", "silence 1 []", (WindowKind.Event, 1, 0, 0), always
    silence motor |> during "go.onset", "silence 1 []", (WindowKind.Event, 5, 0, 0), always
    silence motor |> betweenTimes 20.0<ms> 30.0<ms>,
    "silence 1 []",
    (WindowKind.Steps, 0, 20, 30),
    always
    silence motor |> afterOnset "go" 5.0<ms> 7.0<ms>,
    "silence 1 []",
    (WindowKind.AfterEvent, 2, 5, 12),
    always
    clamp motor (Course.constant 0.5), "clamp 1 [] (0.5)/1", whole, always
    clamp motor[[ 1 ]] (Course.steps [ 0.5; 0.25 ]) |> during "go",
    "clamp 1 [1] (0.5 0.25)/1",
    (WindowKind.Event, 2, 0, 0),
    always
    clamp motor[[ 1; 0 ]] (Course.ofUnits (array2D [ [ 1.0; 2.0 ]; [ 3.0; 4.0 ] ]))
    |> betweenTimes 0.0<ms> 2.0<ms>,
    "clamp 1 [1; 0] (1 2 3 4)/2",
    (WindowKind.Steps, 0, 0, 2),
    always
    stimulate motor (Course.constant 0.5), "stimulate 1 [] (0.5)/1 0", whole, always
    disturb motor 0.25, "stimulate 1 [] (0)/1 0.25", whole, always
    kick motor (Kick.add 0.5) |> during "go",
    "kick 1 [] 0.5 True 0",
    (WindowKind.Event, 2, 0, 0),
    always
    kick motor (Kick.setEach [ 1.0; 2.0; 3.0 ]), "kick 1 [] 1 2 3 False 0", whole, always
    kick spiking (Kick.set 0.5 |> Kick.ofState "w"), "kick 3 [] 0.5 False 1", whole, always
    kick spiking (Kick.addEach [ 0.5; 1.0; 1.5 ]), "kick 3 [] 0.5 1 1.5 True 0", whole, always
    lesion motor[[ 2 ]], "lesion 1 [2]", whole, always
    scaleProjection "cortex->motor" 0.5, "scale 2 0.5", whole, always
    silence motor |> inFraction 0.3, "silence 1 []", whole, (0.3, "", false)
    silence motor |> inFractionOf "late" 0.3, "silence 1 []", whole, (0.3, "late", false)
    silence motor |> inTrials (fun trial -> trial > 2), "silence 1 []", whole, (1.0, "", true)
]

// ---- what is refused ----------------------------------------------------------------------------

/// KeRNL takes no unit model.
let private kernl = {
    plan with
        Rule = Rule.kernl
        Circuit = {
            network with
                Areas = network.Areas |> List.filter (fun one -> one.Name <> "spiking")
        }
}

let private learnsTau = {
    plan with
        Circuit = network |> Circuit.mapArea "cortex" (learnTau 0.1)
        Rule = Rule.bptt
}

let private carried = {
    plan with
        Circuit = network |> Circuit.mapArea "motor" (initial (carriedOver 0.1))
}

let private mistakes: (Experiment * string) list = [
    under (silence (area "motr" 3)),
    "silence motr: no area is named motr (known: cortex, motor, striatum, spiking); did you mean motor?"
    under (silence cortex["lift"]),
    "silence cortex[lift]: no population is named lift (known: excitatory, inhibitory, left); did you mean left?"
    under (silence motor[[ 1; 3 ]]), "silence motor[1,3]: a unit is 3; it must be in 0 .. 2"
    under (silence motor[[]]), "silence motor[]: the number of units is 0; it must be at least 1"
    under (silence motor[[ 1; 1 ]]),
    "silence motor[1,1]: a unit is named twice; name each unit once"
    under (silence motor |> during "dely"),
    "silence motor during dely: no event is named dely (known: cue, delay, go, cue.onset, delay.onset, go.onset); did you mean delay?"
    under (silence motor |> betweenTimes 20.0<ms> 20.0<ms>),
    "silence motor between 20 and 20 ms: the beginning is 20 ms; it must be before the end, 20 ms"
    under (silence motor |> betweenTimes 20.5<ms> 30.0<ms>),
    "silence motor between 20.5 and 30 ms: the beginning is 20.5 ms, which is no whole number of steps of 1 ms; change it or dt"
    under (silence motor |> betweenTimes 200.0<ms> 210.0<ms>),
    "silence motor between 200 and 210 ms: the beginning is 200 ms; it must be less than 200 ms, the longest trial"
    under (silence motor |> betweenTimes 190.0<ms> 201.0<ms>),
    "silence motor between 190 and 201 ms: the end is 201 ms; it must be at most 200 ms, the longest trial"
    under (silence motor |> afterOnset "go" 0.0<ms> 0.0<ms>),
    "silence motor for 0 ms from 0 ms after the onset of go: the duration is 0 ms; it must be finite and at least one step, 1 ms"
    under (clamp motor (Course.steps [ 1.0; 2.0 ]) |> betweenTimes 0.0<ms> 3.0<ms>),
    "clamp motor at a course of 2 steps between 0 and 3 ms: the length of the time course is 2; it must be 3, the steps in which it acts"
    under (clamp motor (Course.steps [])),
    "clamp motor at a course of 0 steps: the number of steps of the time course is 0; it must be at least 1"
    under (clamp motor (Course.ofUnits (Array2D.create 200 2 1.0))),
    "clamp motor at a course of 200 steps and 2 units: the shape of the time course is (200, 2); it must be (steps, 3), one column a unit"
    under (clamp motor (Course.constant nan)),
    "clamp motor at NaN: a number of the time course is NaN; it must be finite"
    under (stimulate motor (Course.constant 0.0)),
    "stimulate motor with 0: it changes nothing: it adds 0; leave it out"
    under (disturb motor -1.0),
    "disturb motor with noise -1: the noise is -1; it must be finite and at least 0"
    under (kick motor (Kick.add 0.0)),
    "kick motor by 0: it changes nothing: it adds 0; leave it out"
    under (kick motor (Kick.addEach [ 1.0; 2.0 ])),
    "kick motor by 1, 2: the length of the kick is 2; it must be 3, one number a unit, or one for all"
    under (kick motor (Kick.set infinity)),
    "kick motor to Infinity: a number of the kick is Infinity; it must be finite"
    under (kick motor (Kick.add 1.0 |> Kick.ofState "v")),
    "kick motor v by 1: its state is called v, and the units of motor have one, without a name; leave Kick.ofState out"
    under (kick spiking (Kick.add 1.0 |> Kick.ofState "u")),
    "kick spiking u by 1: the state is u; it must be one of v, w, those of slow"
    under (kick striatum (Kick.add 1.0)),
    "kick striatum by 1: striatum is a winner-take-all area, whose state is its choice; clamp its units, such as clamp striatum[[0]] (Course.constant 1.0)"
    under (lesion motor |> during "go"),
    "lesion motor during go: a lesion is for whole trials; leave the time out, or silence the units"
    carried |> perturb [ lesion motor ],
    "lesion motor: the rates of motor are carried from trial to trial, and a lesion acts before a trial begins; silence the units"
    under (scaleProjection "cortex->moto" 0.5),
    "scale cortex->moto by 0.5: no projection is named cortex->moto (known: cue->cortex, cortex->cortex, cortex->motor, motor->hand); did you mean cortex->motor?"
    under (scaleProjection "cortex->motor" nan),
    "scale cortex->motor by NaN: the factor is NaN; it must be finite"
    under (scaleProjection "cortex->motor" 1.0),
    "scale cortex->motor by 1: it changes nothing: the factor is 1; leave it out"
    under (silence motor |> inFraction 0.0),
    "silence motor in a fraction 0 of trials: it changes nothing: it acts in no trial; leave it out"
    under (silence motor |> inFraction 1.5),
    "silence motor in a fraction 1.5 of trials: the fraction of trials is 1.5; it must be in [0, 1]"
    plan |> perturb [ silence motor; silence motor ],
    "silence motor: an earlier perturbation is the same; leave one of them out"
    learnsTau |> perturb [ silence cortex ],
    "silence cortex: the time constants of cortex learn, which is not possible where states are held or kicked; leave learnTau out, or stimulate"
    kernl |> perturb [ silence motor ],
    "silence motor: kernl cannot learn where the states of units are held or set: it perturbs the states of all units; take another rule, or stimulate"
]

// ---- runs ---------------------------------------------------------------------------------------

let private rowsOf first last (matrix: MathNet.Numerics.LinearAlgebra.Matrix<float>) =
    matrix.ToArray()[first..last, *]

/// Of any experiment: before the onset both trials are one, and behind it the silenced area sends nothing.
let private contrasted (Valid drawn) =
    let steps = stepsOf drawn
    let from = steps / 2
    let first = drawn.Circuit.Areas.Head

    let silenced =
        silence first |> betweenTimes (float from * drawn.Dt) (float steps * drawn.Dt)

    let initial = (Run.start (checkedOf drawn)).Initial

    let shown =
        Run.contrast
            {
                Evaluation.standard with
                    Perturbations = [ silenced ]
            }
            initial
            drawn
            drawn.Task
            2

    for trial, both in List.indexed (ok shown) do
        let last = both.Control.Targets.RowCount - 1

        if trial = 0 then
            for name in both.Control.Rates.Keys do
                Expect.equal
                    (rowsOf 0 (min last (from - 1)) both.Perturbed.Rates[name])
                    (rowsOf 0 (min last (from - 1)) both.Control.Rates[name])
                    $"{name} before the onset"

        for t in from..last do
            Expect.all
                (both.Perturbed.Rates[first.Name].Row t)
                (fun rate -> rate = 0.0)
                $"{first.Name} in row {t}"

    let controls = ok (Run.performWith initial drawn drawn.Task 2)

    Expect.equal
        [
            for both in ok shown -> both.Control.Outputs |> Map.map (fun _ y -> y.ToArray())
        ]
        [
            for one in controls -> one.Outputs |> Map.map (fun _ y -> y.ToArray())
        ]
        "controls are evaluations"

let private under' perturbations = {
    Evaluation.standard with
        Perturbations = perturbations
}

let private numbersOf (trials: Activity list) = [
    for trial in trials do
        for KeyValue(_, rates) in trial.Rates do
            yield! Seq.cast<float>(rates.ToArray())
]

let private weightsOf rows columns =
    Matrix<float>.Build.Dense(rows, columns, (fun i j -> 0.1 * float (i - j)))

/// A projection of an experiment whose weights are not 0 everywhere, its weights and others.
let private someProjection (drawn: Experiment) =
    let initial = (Run.start (checkedOf drawn)).Initial

    let name, weights =
        drawn.Circuit.Projections
        |> List.map (fun one ->
            let name =
                Circuit.projectionNames {
                    drawn.Circuit with
                        Projections = [ one ]
                }
                |> List.head

            name, initial[name])
        |> List.maxBy (fun (_, weights) -> weights.FrobeniusNorm())

    initial, name, weights

let private replacedThroughout (Valid drawn) =
    let initial, name, weights = someProjection drawn
    let others = 0.5 * weights

    let evaluated perturbations weights =
        Run.evaluate (under' perturbations) weights drawn drawn.Task 2
        |> ok
        |> numbersOf

    let replaced = evaluated [ replaceWeights name others ] initial
    let changed = evaluated [ scaleProjection name 0.5 ] initial

    for a, b in List.zip replaced changed do
        Numbers.isLessThan (abs (a - b)) (1e-6 * (1.0 + abs b)) $"{name}"

let private replacedWithin (Valid drawn) =
    let steps = stepsOf drawn
    let from = steps / 2
    let initial, name, weights = someProjection drawn

    let within perturbation =
        perturbation |> betweenTimes (float from * drawn.Dt) (float steps * drawn.Dt)

    let contrasted weights =
        Run.contrast (under' [ within (replaceWeights name weights) ]) initial drawn drawn.Task 1
        |> ok
        |> List.exactlyOne

    let both = contrasted (-2.0 * weights)
    let last = min (both.Control.Targets.RowCount - 1) (from - 1)

    for name in both.Control.Rates.Keys do
        let before (activity: Activity) = rowsOf 0 last activity.Rates[name]
        Expect.equal (before both.Perturbed) (before both.Control) $"{name} before the window"

    let same = contrasted weights

    for a, b in List.zip (numbersOf [ same.Perturbed ]) (numbersOf [ same.Control ]) do
        Numbers.isLessThan (abs (a - b)) (1e-6 * (1.0 + abs b)) $"{name}: its own weights"

let private full = Matrix<float>.Build.DenseOfArray(array2D [ [ 5.0 ]; [ 0.0 ] ])

let private sparse = Matrix<float>.Build.SparseOfArray(array2D [ [ 5.0 ]; [ 0.0 ] ])

/// Trial 0 of an input 1, 2, ... 6 that two relays receive, the first with weight 2.
let private relayed perturbations =
    let relay = relay "relay" 2
    let out = readout "out" 1
    let x = input "x" 1

    let network =
        circuit [
            x --> relay |> weights (ofMatrix (array2D [ [ 2.0 ]; [ 0.0 ] ]))
            relay --> out
        ]

    let task =
        Task.ofTrials 6.0<ms> (fun _ _ -> {
            Inputs = Array2D.init 6 1 (fun t _ -> float (t + 1))
            Targets = Array2D.zeroCreate 6 1
            Mask = None
            Events = [ "late", [ 4; 5; 6 ] ]
            Rewards = None
            Conditions = []
        })

    Run.evaluate (under' perturbations) Map.empty (experiment "relay" network task) task 1
    |> ok
    |> List.exactlyOne

let private initialWeights = Map.empty

let private replacementMistakes = [
    [ replaceWeights "cortex->moto" (weightsOf 3 8) ],
    "replace the weights of cortex->moto: no projection is named cortex->moto (known: cue->cortex, cortex->cortex, cortex->motor, motor->hand); did you mean cortex->motor?"
    [ replaceWeights "cortex->motor" (weightsOf 8 3) ],
    "replace the weights of cortex->motor: the shape of the weights is (8, 3); it must be (3, 8), (post, pre)"
    [ replaceWeights "cortex->motor" (nan * weightsOf 3 8) ],
    "replace the weights of cortex->motor: a weight is NaN; it must be finite"
    [
        replaceWeights "cortex->motor" (weightsOf 3 8) |> during "cue"
        replaceWeights "cortex->motor" (weightsOf 3 8) |> during "go"
    ],
    "replace the weights of cortex->motor during go: an earlier perturbation replaces the weights of cortex->motor too; evaluate each by itself"
]

[<Tests>]
let tests =
    testList "perturbations" [
        test "the experiment around them is sound" {
            checkedOf plan |> ignore
            checkedOf learnsTau |> ignore
            checkedOf kernl |> ignore
            checkedOf carried |> ignore
        }

        test "words become what they say" {
            for perturbation, what, window, trials in words do
                let said = Perturbation.words perturbation
                Expect.equal (compiledOf (under perturbation)) [ what, window, trials ] said

            let all = [ for perturbation, _, _, _ in words -> perturbation ]
            let saying = List.map Perturbation.words all
            Expect.equal (List.distinct saying) saying "each in words of its own"
            Expect.equal (compiledOf (plan |> perturb all)).Length words.Length "in one experiment"
        }

        test "times and noise count in steps of any dt" {
            let fine =
                under (disturb motor 0.25 |> betweenTimes 20.0<ms> 30.0<ms>) |> dt 0.25<ms>

            Expect.equal
                (compiledOf fine)
                [
                    "stimulate 1 [] (0)/1 0.5", (WindowKind.Steps, 0, 80, 120), always
                ]
                ""

            // A choice is made in one step, whatever its duration.
            let choice = under (disturb striatum 0.25) |> dt 0.25<ms>
            Expect.equal (compiledOf choice) [ "stimulate 2 [] (0)/1 0.25", whole, always ] ""
        }

        for experiment, said in mistakes do
            test $"refused: {said}" {
                match Check.experiment experiment with
                | Ok _ -> failtest "accepted"
                | Error problems ->
                    Expect.equal (List.map Problem.text problems) [ "perturbation " + said ] ""
            }

        test "a course may be shorter than a phase, and than a trial of many lengths" {
            checkedOf (under (clamp motor (Course.steps [ 1.0; 2.0 ]) |> during "delay"))
            |> ignore

            checkedOf (under (clamp motor (Course.steps (Array.create 200 1.0)))) |> ignore
        }

        testPropertyWithConfig
            (config 25)
            "control and perturbed trial are one until the onset, in any experiment"
            contrasted

        testPropertyWithConfig
            (config 25)
            "weights that are replaced in whole trials are those of the circuit, in any experiment"
            replacedThroughout

        testPropertyWithConfig
            (config 25)
            "weights that are replaced in a window change nothing before it, and their own change nothing, in any experiment"
            replacedWithin

        test "weights are others in the window of their replacement" {
            for stored in [ full; sparse ] do
                let activity =
                    relayed [
                        replaceWeights "x->relay" stored |> betweenTimes 2.0<ms> 4.0<ms>
                    ]

                Expect.equal
                    (activity.Rates["relay"].ToArray())
                    (array2D [
                        for t in 1..6 -> [ (if t = 3 || t = 4 then 5.0 else 2.0) * float t; 0.0 ]
                    ])
                    "twice the input, and five times"

            let scaled =
                relayed [
                    replaceWeights "x->relay" full |> during "late"
                    scaleProjection "x->relay" 0.5
                ]

            Expect.equal
                (scaled.Rates["relay"].Column(0).ToArray())
                [|
                    for t in 1..6 -> (if t > 3 then 2.5 else 1.0) * float t
                |]
                "scaled in both forms"
        }

        test "neither Dale's law nor the declared connections bind weights that replace others" {
            let x, out = input "x" 1, readout "out" 1
            let rows = Array2D.init 4 4 (fun i j -> cos (float (5 * i + 3 * j)))

            let ratesOf cortex recurrent perturbations =
                let network =
                    circuit [
                        x --> cortex
                        |> weights (ofMatrix (array2D [ for i in 1..4 -> [ 0.3 * float i ] ]))
                        recurrent (cortex --> cortex)
                        cortex --> out |> weights (constant 0.1)
                    ]

                let wave = Array2D.init 12 1 (fun t _ -> sin (float t))
                let task = Task.ofArrays wave wave
                let declared = experiment "free" network task

                (Run.evaluate (under' perturbations) Map.empty declared task 1 |> ok).Head.Rates["cortex"]

            let free = ratesOf (area "cortex" 4) (weights (ofMatrix rows)) []

            let bound =
                ratesOf
                    (area "cortex" 4 |> dale 0.5)
                    (weights (constant 0.1) >> noSelf >> density 0.5)
                    [
                        replaceWeights "cortex->cortex" (Matrix<float>.Build.DenseOfArray rows)
                    ]

            Numbers.isLessThan ((free - bound).FrobeniusNorm()) 1e-12 "the same activity"
        }

        for perturbations, said in replacementMistakes do
            test $"refused: {said}" {
                match Run.contrast (under' perturbations) initialWeights plan task 1 with
                | Ok _ -> failtest "accepted"
                | Error problems ->
                    Expect.equal (List.map Problem.text problems) [ "perturbation " + said ] ""
            }

        test "weights are not replaced in a training" {
            let replacing = under (replaceWeights "cortex->motor" (weightsOf 3 8))

            match Check.experiment { replacing with Trials = 0 } with
            | Ok _ -> failtest "accepted"
            | Error problems ->
                Expect.equal
                    (List.map Problem.text problems)
                    [
                        "perturbation replace the weights of cortex->motor: weights are replaced in evaluations, and this is a training; list it in the Perturbations of an Evaluation"
                    ]
                    ""
        }

        test "a contrast of nothing is refused" {
            match Run.contrast Evaluation.standard Map.empty plan task 1 with
            | Ok _ -> failtest "accepted"
            | Error problems ->
                Expect.equal
                    (List.map Problem.text problems)
                    [
                        "experiment: the number of perturbations is 0; it must be at least 1, such as Perturbations = [ silence cortex ]"
                    ]
                    ""
        }

        test "training is perturbed, and neither its tests nor evaluations are" {
            let silenced =
                under (silence cortex["left"] |> during "cue" |> inTrials (fun k -> k > 0))

            let plainly, trained = ok (Run.train plan), ok (Run.train silenced)
            Expect.equal trained.Losses[0] plainly.Losses[0] "trial 0"
            Expect.notEqual trained.Losses[1] plainly.Losses[1] "trial 1"

            let always = ok (Run.train (under (silence cortex["left"] |> during "cue")))
            Expect.notEqual always.Losses[0] plainly.Losses[0] "trial 0 of another"

            Expect.equal
                (always.Before.Rates["cortex"].ToArray())
                (plainly.Before.Rates["cortex"].ToArray())
                "test trial 0 before training"

            let ofRun experiment =
                ok (Run.performWith trained.Final experiment task 2)
                |> List.map (fun shown -> shown.Rates["cortex"].ToArray())

            Expect.equal (ofRun silenced) (ofRun plan) "evaluations"
        }
    ]

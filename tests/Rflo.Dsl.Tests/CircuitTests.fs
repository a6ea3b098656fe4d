module Rflo.Dsl.Tests.CircuitTests

open Expecto
open FsCheck.FSharp
open Rflo.Core
open Rflo.Dsl
open Rflo.Testing.Meaning
open Rflo.Testing.Trials
open Rflo.Testing.Circuits
open Rflo.Testing.Shrinks
open Rflo.Dsl.Tests.Valid
open Rflo.Dsl.Tests.Draws

/// Two valid experiments that share seed and dt, and have no name in common.
type Strangers = Strangers of Valid * Valid

let private prefixed word (experiment: Experiment) = {
    experiment with
        Circuit = Circuit.prefix word experiment.Circuit
}

type StrangersArbitraries =
    static member Strangers() =
        let pair =
            gen {
                let! dt = dtGen
                let! left = experimentIn dt
                let! right = experimentIn dt

                return
                    Strangers(
                        Valid left,
                        Valid {
                            right with
                                Seed = left.Seed
                                Precision = left.Precision
                        }
                    )
            }

        let shrink (Strangers(Valid left, Valid right)) =
            seq {
                for smaller in shrink left do
                    Strangers(Valid smaller, Valid right)

                for smaller in shrink right do
                    Strangers(Valid left, Valid smaller)
            }

        Arb.fromGenShrink (pair, shrink)

let private strangersConfig count = {
    config count with
        arbitrary = [ typeof<StrangersArbitraries> ]
}

/// Whether the rule looks at nothing but the part of a circuit that it is in: rewards are those of the whole, and the
/// random rules mix all that is plastic.
let private isOfItsPart (rule: Rule) =
    match rule.Credit with
    | Local trace -> trace.Modulator.Signal = FeedbackError || trace.Modulator.Signal = Unmodulated
    | Stochastic _
    | LearnedSensitivity _
    | TowardCurrents _
    | Own _ -> false
    | BackwardInTime
    | TruncatedBackward _
    | ForwardInTime -> true

/// Whether its updates look at nothing of the whole circuit: not at a norm over all parameters, and not at the loss.
let private isAlone (rule: Rule) =
    not rule.Clip.Together && rule.Schedule.Memory = 0

/// The experiment with every plastic projection bound to its rule, as an arrays task of so many steps.
let private settled word steps (experiment: Experiment) =
    let settle (projection: Projection) =
        match projection.Plasticity with
        | Learning rate when isOfItsPart experiment.Rule && isAlone experiment.Rule ->
            projection |> learnBy experiment.Rule rate
        | LearningBy(_, rule) when isOfItsPart rule && isAlone rule -> projection
        | _ -> frozen projection

    let renamed = Circuit.prefix word experiment.Circuit

    let circuit = {
        renamed with
            Projections = List.map settle renamed.Projections
    }

    {
        experiment with
            Circuit = circuit
            Task = arraysTask (channelsIn circuit) (askedOf circuit) steps false [ "go"; "stop" ]
            Trials = (if List.exists isPlastic circuit.Projections then 3 else 0)
    }

let private dataOf (experiment: Experiment) =
    match experiment.Task.Kind with
    | Arrays data -> data
    | _ -> failtest "not an arrays task"

let private beside (left: float[,]) (right: float[,]) =
    let width = Array2D.length2 left

    Array2D.init (Array2D.length1 left) (width + Array2D.length2 right) (fun t k ->
        if k < width then left[t, k] else right[t, k - width])

/// One experiment of both circuits and both tasks.
let private together left right =
    let one, other = dataOf left, dataOf right

    {
        left with
            Circuit = Circuit.merge left.Circuit right.Circuit
            Trials = max left.Trials right.Trials
            Task = {
                left.Task with
                    Kind =
                        Arrays {
                            one with
                                Inputs = beside one.Inputs other.Inputs
                                Targets = beside one.Targets other.Targets
                        }
            }
    }

let private isPart (all: Map<'name, 'drawn>) (part: Map<'name, 'drawn>) =
    for KeyValue(name, drawn) in part do
        Expect.equal all[name] drawn $"{name}"

/// Weights after training; a run that ends early is compared up to there.
let private trained experiment =
    let compiled = compiled experiment
    let session = Run.session compiled
    let status = session.Run experiment.Trials

    status.End,
    Map.ofList [
        for k, name in List.indexed compiled.Projections ->
            name, List.ofArray (session.Weights(ProjectionId k))
    ]

let private merging =
    testList "merge" [
        testPropertyWithConfig
            (config 100)
            "is associative, with the empty circuit as its unit"
            (fun (Valid a) (Valid b) (Valid c) ->
                let a, b, c = a.Circuit, b.Circuit, c.Circuit
                let merge = Circuit.merge
                Expect.equal (merge (merge a b) c) (merge a (merge b c)) "associative"
                Expect.equal (merge Circuit.empty a) a "from the left"
                Expect.equal (merge a Circuit.empty) a "from the right"

                Expect.equal
                    (Circuit.projectionNames (merge a b))
                    (Circuit.projectionNames a @ Circuit.projectionNames b)
                    "the first comes first"

                Expect.equal (Circuit.concat [ a; b; c ]) (merge a (merge b c)) "concat")

        testPropertyWithConfig
            (strangersConfig 150)
            "changes no draw of its parts"
            (fun (Strangers(Valid left, Valid right)) ->
                let left, right = settled "l" 5 left, settled "r" 5 right
                let merged = compiled (together left right)

                for part in [ left; right ] do
                    let alone = compiled part
                    isPart (weightsOf merged) (weightsOf alone)
                    isPart (feedbackOf merged) (feedbackOf alone))

        testPropertyWithConfig
            (strangersConfig 150)
            "lets each part train as it would alone, bit for bit"
            (fun (Strangers(Valid left, Valid right)) ->
                let left, right = settled "l" 5 left, settled "r" 5 right
                let ended, weights = trained (together left right)
                let parts = List.map trained [ left; right ]

                // Where one part diverges, the run of both ends with it.
                if List.forall (fun (ended, _) -> ended = RunEnd.Completed) parts then
                    Expect.equal ended RunEnd.Completed "end"

                    for _, part in parts do
                        isPart weights part)
    ]

let private prefixing =
    let names (circuit: Circuit) = [
        for area in circuit.Areas -> area.Name
        for input in circuit.Inputs -> input.Name
        for readout in circuit.Readouts -> readout.Name
        for projection in circuit.Projections do
            yield! Option.toList projection.Label
    ]

    testList "prefix" [
        testPropertyWithConfig
            (config 150)
            "makes two valid copies of any circuit, side by side"
            (fun (Valid experiment) ->
                let left = settled "left" 4 experiment
                let right = settled "right" 4 experiment
                checked' (together left right) |> ignore

                Expect.equal
                    (names left.Circuit)
                    (names experiment.Circuit |> List.map (fun name -> $"left.{name}"))
                    "names")

        testPropertyWithConfig (config 100) "goes through a merge" (fun (Valid a) (Valid b) ->
            Expect.equal
                (Circuit.prefix "p" (Circuit.merge a.Circuit b.Circuit))
                (Circuit.merge (Circuit.prefix "p" a.Circuit) (Circuit.prefix "p" b.Circuit))
                "prefixed")

        test "goes on to rules that name their modulator" {
            let by signal =
                Rule.local "mine" {
                    Trace = NoTrace
                    Post = Rule.the Rate
                    Pre = Rule.the Presynaptic
                    Modulator = Rule.the signal |> Rule.minusMean (OverTrials 5.0)
                    Oja = false
                }

            let weights = array2D [ [ 1.0 ] ]

            for signal, expected in
                [
                    ReadoutValue "v", ReadoutValue "left.v"
                    TemporalDifference("v", 0.5), TemporalDifference("left.v", 0.5)
                    UnitRate("a", 0, 2.0<ms>), UnitRate("left.a", 0, 2.0<ms>)
                    AreaRates("a", weights, 2.0<ms>), AreaRates("left.a", weights, 2.0<ms>)
                    TaskReward, TaskReward
                ] do
                let one =
                    Circuit.empty
                    |> areas [ area "a" 1 ]
                    |> projections [ area "a" 1 --> area "a" 1 |> learnBy (by signal) 0.1 ]

                let renamed = (Circuit.prefix "left" one).Projections[0]

                Expect.equal
                    renamed.Plasticity
                    (LearningBy(0.1, by expected))
                    "the rule of the projection"
        }

        test "draws other numbers" {
            let one =
                Circuit.empty
                |> areas [ area "m1" 3 ]
                |> projections [ area "m1" 3 --> area "m1" 3 ]

            let plan c =
                experiment "p" c (arraysTask 0 [] 3 false []) |> trials 0

            let drawn name c = matrixOf (compiled (plan c)) name
            let plain = drawn "m1->m1" one
            let left = drawn "left.m1->left.m1" (Circuit.prefix "left" one)
            let right = drawn "right.m1->right.m1" (Circuit.prefix "right" one)
            Expect.equal (List.distinct [ plain; left; right ]).Length 3 "different draws"
        }
    ]

let private order =
    testList "declaration" [
        testPropertyWithConfig (config 150) "in any order draws the same" (fun (Valid experiment) ->
            let c = experiment.Circuit

            // Targets go with their readouts.
            let reversed =
                fitTask (stepsOf experiment) {
                    experiment with
                        Circuit = {
                            c with
                                Areas = List.rev c.Areas
                                Inputs = List.rev c.Inputs
                                Readouts = List.rev c.Readouts
                                Projections = List.rev c.Projections
                                Feedback = List.rev c.Feedback
                        }
                }

            let one, other = compiled experiment, compiled reversed
            Expect.equal (weightsOf other) (weightsOf one) "weights"
            Expect.equal (feedbackOf other) (feedbackOf one) "feedback")

        testPropertyWithConfig
            (config 150)
            "of one area and one readout more moves no draw"
            (fun (Valid experiment) ->
                let extra = area "extra" 3 |> tau (experiment.Dt * 4.0) |> noise 0.1
                let more = readout "more" 2
                let old = experiment.Circuit.Areas.Head

                let grown =
                    {
                        experiment with
                            Circuit =
                                experiment.Circuit
                                |> areas [ extra ]
                                |> readouts [ more ]
                                |> projections [
                                    extra --> extra
                                    old --> extra |> density 0.5
                                    extra --> old
                                    extra --> more
                                ]
                                |> feedback [ errorOf more --> extra ]
                    }
                    |> fitTask (stepsOf experiment)

                let isExact (rule: Rule) = not rule.Credit.IsLocal

                // The new way round may lead through a winner-take-all, which exact rules do not pass.
                let isSafe =
                    not (List.exists isWinnerTakeAll experiment.Circuit.Areas)
                    || not (isExact experiment.Rule)
                       && experiment.Circuit.Projections
                          |> List.forall (fun p ->
                              match p.Plasticity with
                              | LearningBy(_, rule) -> not (isExact rule)
                              | _ -> true)

                if isSafe then
                    let before, after = compiled experiment, compiled grown
                    isPart (weightsOf after) (weightsOf before)
                    isPart (feedbackOf after) (feedbackOf before))
    ]

let private describing =
    testList "describe" [
        testPropertyWithConfig
            (config 200)
            "has a line for each part, in order, with its name"
            (fun (Valid experiment) ->
                let c = experiment.Circuit

                let counted count noun =
                    if count = 1 then $": 1 {noun}" else $": {count} {noun}s"

                let ends = labelOf >> fun (label: string) -> label.Split "->"

                let expected = [
                    for a in c.Areas do
                        [ $"area {a.Name}:"; counted a.Units "unit" ]
                    for x in c.Inputs do
                        [ $"input {x.Name}:"; counted x.Channels "channel" ]
                    for y in c.Readouts do
                        [ $"readout {y.Name}:"; counted y.Outputs "output" ]
                    for p in c.Projections do
                        [
                            yield! List.ofArray (ends { p with Label = None })
                            yield! Option.toList p.Label
                            if isPlastic p then "learning rate" else "frozen"
                            if p.Delay.IsSome then
                                "delay"
                            if p.Balanced then
                                "balanced"
                            if not p.SelfConnections then
                                "no self-connections"
                            if p.Opening <> Always then
                                "open"
                            if p.Bounds.IsSome then
                                "within"
                            if p.Decay > 0.0 then
                                "decay"
                        ]
                    for f in c.Feedback do
                        [ f.Readout; f.Area; "through" ]
                ]

                let lines = Circuit.describe c
                Expect.equal lines.Length expected.Length "lines"

                for line, words in List.zip lines expected do
                    for word in words do
                        Expect.stringContains line word "line")

        test "reads like the methods section" {
            let cortex =
                area "cortex" 50
                |> tau 20.0<ms>
                |> transfer relu
                |> dale 0.8
                |> noise 0.1
                |> population "left" [ 0..9 ]

            let striatum = winnerTakeAll "striatum" 4 |> explore 0.1
            let y = readout "y" 1

            let network =
                Circuit.empty
                |> areas [ cortex; striatum ]
                |> inputs [ input "cue" 2 ]
                |> readouts [ y ]
                |> projections [
                    cortex --> cortex
                    |> weights (gaussian 1.5)
                    |> density 0.1
                    |> noSelf
                    |> balanced
                    |> learningRate 0.03
                    cortex["left"] --> striatum
                    |> delay 5.0<ms>
                    |> gate (every 200.0<ms>)
                    |> label "slow"
                    cortex --> y |> bounds -1.0 1.0 |> learnBy Rule.bptt 0.01 |> decay 1e-4
                ]
                |> feedback [ errorOf y --> cortex ]

            Expect.equal
                (Circuit.describe network)
                [
                    "area cortex: 50 units, relu, tau 20 ms, 80 % excitatory, noise 0.1, population left of 10"
                    "area striatum: 4 units, winner-take-all, explores 0.1, tau one step"
                    "input cue: 2 channels"
                    "readout y: 1 output, linear"
                    "cortex --> cortex: gaussian, gain 1.5, density 0.1, balanced, no self-connections, learning rate 0.03"
                    "cortex[left] --> striatum (slow): gaussian, gain 1, delay 5 ms, open every 200 ms, frozen"
                    "cortex --> y: gaussian, gain 1, within [-1, 1], learning rate 0.01 by bptt, decay 0.0001"
                    "error of y --> cortex: through fixed random weights of scale 1"
                ]
                "description"
        }
    ]

let private modules =
    /// A module with a readout that listens to one of its areas.
    let wired name (part: Circuit) =
        let listened = part |> Circuit.area name
        let y = readout $"{name}.y" 1

        part
        |> readouts [ y ]
        |> projections [ listened --> y |> learningRate 0.02 ]
        |> feedback [ errorOf y --> listened ]

    let trains circuit =
        let plan =
            experiment "module" circuit (arraysTask 0 (askedOf circuit) 20 false [])
            |> trials 3

        let ended, _ = trained plan
        Expect.equal ended RunEnd.Completed "three trials"

    testList "modules" [
        test "cortex trains once a readout listens" {
            trains (Modules.cortex "cortex" 8 1.5 0.01 |> wired "cortex")
        }
        test "basal ganglia run once a readout listens" {
            trains (Modules.basalGanglia "striatum" 4 0.1 |> wired "striatum")
        }
        test "thalamus runs once a readout listens" {
            trains (Modules.thalamus "thalamus" 3 |> wired "thalamus")
        }

        test "the loop trains once a readout listens" {
            trains (Modules.loop 8 3 (Every 5.0<ms>) |> wired "cortex")
        }

        test "two loops stand side by side, and talk to each other" {
            let left = Modules.loop 6 2 AtTrialEnd |> Circuit.prefix "left"
            let right = Modules.loop 6 2 AtTrialEnd |> Circuit.prefix "right"
            let both = Circuit.merge left right
            let part name = both |> Circuit.area name

            both
            |> projections [
                part "left.cortex" --> part "right.cortex" |> delay 5.0<ms>
            ]
            |> wired "left.cortex"
            |> wired "right.cortex"
            |> trains
        }

        test "a stranger that is looked up is reported by the check" {
            let c = Modules.thalamus "thalamus" 3
            let stranger = c |> Circuit.area "thalmus"

            let plan =
                experiment
                    "p"
                    (c |> projections [ stranger --> stranger ])
                    (arraysTask 0 [] 3 false [])

            Expect.equal
                (Check.experiment (plan |> trials 0)
                 |> Result.mapError (List.map Problem.text)
                 |> Result.map ignore)
                (Error [
                    "area thalmus: Circuit.area finds none of that name in the circuit (it has thalamus); use one of its names, or declare the part"
                ])
                "problems"
        }

        test "one part is changed and no other" {
            let c = Modules.loop 8 3 AtTrialEnd
            let slow = c |> Circuit.mapArea "cortex" (tau 20.0<ms>)
            Expect.equal (slow |> Circuit.area "cortex").Tau (SameTau 20.0<ms>) "changed"

            Expect.equal
                (slow.Areas.Tail, slow.Projections)
                (c.Areas.Tail, c.Projections)
                "unchanged"

            let still = c |> Circuit.mapProjection "thalamus->cortex" frozen

            Expect.equal
                (List.map2 (=) c.Projections still.Projections)
                [
                    for name in Circuit.projectionNames c -> name <> "thalamus->cortex"
                ]
                "only that arrow"
        }

        test "a name of its own makes room between two ends, and draws anew" {
            let m1 = area "m1" 3

            let twice =
                Circuit.empty
                |> areas [ m1 ]
                |> projections [ m1 --> m1; m1 --> m1 |> label "slow" ]

            let drawn = compiled (experiment "p" twice (arraysTask 0 [] 3 false []) |> trials 0)
            Expect.equal drawn.Projections [ "m1->m1"; "slow" ] "names"
            Expect.notEqual (matrixOf drawn "m1->m1") (matrixOf drawn "slow") "draws"
        }
    ]

[<Tests>]
let tests = testList "circuits" [ merging; prefixing; order; describing; modules ]

/// What is declared is described: a change of any field that changes an experiment changes its description, and `--check` says what
/// holds of every area and projection.
module Rflo.Host.Tests.DescriptionTests

open Expecto
open FSharp.Reflection
open Rflo.Core
open Rflo.Dsl
open Rflo.Cli
open Rflo.Host

let private a =
    area "a" 4
    |> tau 12.0<ms>
    |> dale 0.5
    |> noise 0.1
    |> population "left" [ 0; 1 ]

let private y = readout "y" 1

let private own =
    Rule.local "own" {
        Trace = TraceTau 5.0<ms>
        Post = Rule.the Rate
        Pre = Rule.the Presynaptic
        Modulator = Rule.the FeedbackError
        Oja = false
    }

let private inner =
    a --> a
    |> weights (uniform -0.5 0.5)
    |> delay 3.0<ms>
    |> gate (every 4.0<ms>)
    |> learnBy own 0.03
    |> decay 0.01
    |> bounds -1.0 1.0

let private base' =
    Circuit.empty
    |> areas [ a ]
    |> inputs [ input "x" 1 ]
    |> readouts [ y ]
    |> projections [ input "x" 1 --> a; inner; a --> y |> learningRate 0.02 ]
    |> feedback [ errorOf y --> a ]
    |> fun network ->
        experiment
            "base"
            network
            (Task.ofTrials 8.0<ms> (fun _ _ -> {
                Inputs = Array2D.create 8 1 0.5
                Targets = Array2D.create 8 1 0.25
                Mask = None
                Events = []
                Rewards = None
                Conditions = []
            }))

let private onArea change (e: Experiment) = {
    e with
        Circuit = e.Circuit |> Circuit.mapArea "a" change
}

let private onReadout change (e: Experiment) = {
    e with
        Circuit = {
            e.Circuit with
                Readouts = List.map change e.Circuit.Readouts
        }
}

let private onInner change (e: Experiment) = {
    e with
        Circuit = e.Circuit |> Circuit.mapProjection "a->a" change
}

let private onRule change (e: Experiment) = { e with Rule = change e.Rule }

let private onOwn change = onInner (learnBy (change own) 0.03)

let private onTrace change =
    onOwn (fun rule -> {
        rule with
            Credit =
                match rule.Credit with
                | Local trace -> Local(change trace)
                | other -> other
    })

/// For each field of each record, changes of it. Fields that only files of numbers show, or that name what is elsewhere, have none.
let private changes: (System.Type * string * (Experiment -> Experiment) list) list = [
    typeof<Area>, "Units", [ onArea (fun a -> { a with Units = 6; Dale = Some 0.5 }) ]
    typeof<Area>,
    "Tau",
    [
        onArea (tau 15.0<ms>)
        onArea (taus [| 1.0<ms>; 2.0<ms>; 3.0<ms>; 4.0<ms> |])
    ]
    typeof<Area>, "Transfer", [ onArea (transfer relu) ]
    typeof<Area>,
    "Dynamics",
    [
        onArea (fun a -> { a with Dynamics = WinnerTakeAll 0.1 })
        onArea currentForm
        onArea (units (UnitModel.lif 0.5))
        onArea (units (UnitModel.lif 0.6))
    ]
    typeof<Area>, "Noise", [ onArea (noise 0.2) ]
    typeof<Area>,
    "Initial",
    [
        onArea (initial (reset 0.3))
        onArea (initial (carriedOver 0.1))
        onArea (initial (ResetTo(Array.create 4 0.3)))
        onArea (initial (drawnOnce 0.1 0.3))
        onArea (initial (drawnOnce 0.1 0.4))
    ]
    typeof<Area>,
    "Dale",
    [
        onArea (dale 0.25)
        onArea (fun a -> { a with Dale = None })
    ]
    typeof<Area>, "TauRate", [ onArea (learnTau 0.1) ]
    typeof<Area>, "InitialRate", [ onArea (learnInitial 0.1) ]
    typeof<Area>, "RecordsStates", [ onArea recordStates ]
    typeof<Area>,
    "Penalties",
    [
        onArea (penalties [ Penalty.l2 0.1 ])
        onArea (penalties [ Penalty.l1 0.1 ])
        onArea (penalties [ Penalty.toward 0.2 0.1 ])
        onArea (penalties [ Penalty.meanToward 0.2 0.1 ])
    ]
    typeof<Area>,
    "Populations",
    [
        onArea (fun a -> {
            a with
                Populations = [ "left", [ 0; 2 ] ]
        })
    ]
    typeof<Projection>,
    "Weights",
    [
        for w in
            [
                uniform -0.4 0.5
                gaussian 1.0
                uniformScaled 1.0
                constant 0.1
                oneToOne 0.1
            ] -> onInner (weights w)
    ]
    typeof<Projection>,
    "Connectivity",
    [
        onInner (density 0.5)
        onInner (density 0.6)
        onInner (mask (Array2D.create 4 4 true))
    ]
    typeof<Projection>, "SelfConnections", [ onInner noSelf ]
    typeof<Projection>, "Delay", [ onInner (delay 4.0<ms>) ]
    typeof<Projection>,
    "Opening",
    [
        onInner (gate atTrialEnd)
        onInner (gate (every 5.0<ms>))
        onInner (gate Always)
    ]
    typeof<Projection>, "Plasticity", [ onInner frozen; onInner (learningRate 0.05) ]
    typeof<Projection>, "Balanced", [ onInner balanced ]
    typeof<Projection>,
    "Bounds",
    [
        onInner (bounds -1.0 2.0)
        onInner (fun p -> { p with Bounds = None })
    ]
    typeof<Readout>, "Outputs", [ onReadout (fun y -> { y with Outputs = 7 }) ]
    typeof<Readout>,
    "Output",
    [
        onReadout (output Output.sigmoid)
        onReadout (output Output.exponential)
    ]
    typeof<Readout>,
    "Loss",
    [
        onReadout (loss (Loss.huber 0.5))
        onReadout (loss (Loss.huber 0.6))
        onReadout (loss (Loss.hinge 1.0))
    ]
    typeof<Projection>, "Decay", [ onInner (decay 0.02) ]
    typeof<Projection>, "L1", [ onInner (l1 0.2) ]
    typeof<Projection>, "L2", [ onInner (l2 0.2) ]
    typeof<Rule>,
    "Name",
    [
        onRule (fun r -> { r with Name = "mine" })
        onOwn (fun r -> { r with Name = "mine" })
    ]
    typeof<Rule>,
    "Credit",
    [
        onRule (fun r -> { r with Credit = ForwardInTime })
        onRule (fun r -> {
            r with
                Credit = (Rule.define "mine 0.1" (fun _ -> ignore)).Credit
        })
        onRule (fun r -> {
            r with
                Credit = (Rule.define "mine 0.2" (fun _ -> ignore)).Credit
        })
        onOwn (fun r -> { r with Credit = ForwardInTime })
    ]
    typeof<Rule>,
    "Error",
    [
        onRule (fun r -> { r with Error = SymmetricPath })
        onOwn (fun r -> { r with Error = SymmetricPath })
    ]
    typeof<Rule>,
    "Update",
    [
        onRule (fun r -> { r with Update = Online })
        onOwn (fun r -> { r with Update = EveryTrials(3, Mean) })
    ]
    typeof<Rule>,
    "Optimizer",
    [
        onRule (fun r -> {
            r with
                Optimizer = Optimizer.momentum 0.9
        })
        onOwn (fun r -> {
            r with
                Optimizer = Optimizer.adamWith 0.9 0.99
        })
        for optimizer in
            [
                Optimizer.nesterov 0.9
                Optimizer.adam
                Optimizer.adamW 0.02
                Optimizer.rmsProp 0.95
            ] do
            onRule (fun r -> { r with Optimizer = optimizer })
    ]
    typeof<Rule>,
    "Clip",
    [
        onRule (fun r -> { r with Clip = Clip.Each 0.5 })
        onOwn (fun r -> { r with Clip = Clip.Each 0.5 })
        onRule (fun r -> { r with Clip = Clip.All 0.5 })
    ]
    typeof<Rule>,
    "Schedule",
    [
        onRule (fun r -> {
            r with
                Schedule = Schedule.halvedEvery 9.0
        })
        onOwn (fun r -> {
            r with
                Schedule = Schedule.inverse 9.0
        })
        for rates in
            [
                Schedule.stepped 9 0.5
                Schedule.stepped 9 0.4
                Schedule.cosine 9.0
                Schedule.cosineTo 0.1 9.0
                Schedule.warmUp 9 (Schedule.cosine 9.0)
                Schedule.onPlateau 0.5 9
                Schedule.ofTrial "saw" (fun trial -> float (trial % 2))
            ] do
            onRule (fun r -> { r with Schedule = rates })
    ]
    typeof<Rule>,
    "Readout",
    [
        onRule (fun r -> {
            r with
                Readout = RecursiveLeastSquares(1.0, 0.9, 1)
        })
        for gamma, lambda in [ 0.9, 0.5; 0.8, 0.5; 0.9, 0.6 ] do
            onRule (fun r -> {
                r with
                    Readout = TdLambda(gamma, lambda)
            })
    ]
    typeof<Rule>,
    "Learns",
    [
        onRule (fun r -> { r with Learns = OnlyReadouts })
        onOwn (fun r -> { r with Learns = OnlyRecurrent })
    ]
    typeof<ThreeFactor>,
    "Trace",
    [
        onTrace (fun t -> { t with Trace = TraceTau 6.0<ms> })
        onTrace (fun t -> { t with Trace = WholeTrial })
    ]
    typeof<ThreeFactor>,
    "Post",
    [
        onTrace (fun t -> { t with Post = Rule.the Current })
        onTrace (fun t -> {
            t with
                Post = Rule.the Rate |> Rule.map "cube" (fun x -> x ** 3.0)
        })
    ]
    typeof<ThreeFactor>,
    "Pre",
    [
        onTrace (fun t -> {
            t with
                Pre = Rule.the (LowPass 5.0<ms>)
        })
    ]
    typeof<ThreeFactor>,
    "Modulator",
    [
        onTrace (fun t -> {
            t with
                Modulator = Rule.the StepReward
        })
        onTrace (fun t -> {
            t with
                Modulator = Rule.the FeedbackError |> Rule.minusMean (OverTime 9.0<ms>)
        })
        for signal in
            [
                ReadoutValue "v"
                ReadoutValue "w"
                TemporalDifference("v", 0.9)
                TemporalDifference("w", 0.9)
                TemporalDifference("v", 0.8)
                UnitRate("a", 0, 2.0<ms>)
                UnitRate("b", 0, 2.0<ms>)
                UnitRate("a", 1, 2.0<ms>)
                UnitRate("a", 0, 3.0<ms>)
                AreaRates("a", Array2D.zeroCreate 2 3, 2.0<ms>)
                AreaRates("b", Array2D.zeroCreate 2 3, 2.0<ms>)
                AreaRates("a", Array2D.zeroCreate 3 2, 2.0<ms>)
                AreaRates("a", Array2D.zeroCreate 2 3, 4.0<ms>)
            ] do
            onTrace (fun t -> { t with Modulator = Rule.the signal })
    ]
    typeof<ThreeFactor>, "Oja", [ onTrace (fun t -> { t with Oja = true }) ]
    typeof<Experiment>, "Trials", [ trials 7 ]
    typeof<Experiment>, "Seed", [ seed 9 ]
    typeof<Experiment>, "Dt", [ dt 0.5<ms> ]
    typeof<Experiment>, "Precision", [ precision Precision.single ]
    typeof<Experiment>, "Update", [ update online ]
    typeof<Experiment>, "Lanes", [ lanes 4; lanes 5; lanesSum 4 ]
    typeof<Experiment>,
    "Stopping",
    [
        stopAtLoss 0.1
        patience 4
        keepBest
        stopAtLoss 0.1 >> byValidation
        stopAtPerformance 0.5
    ]
    typeof<Experiment>, "Probes", [ probe 3 [ Probe.weightChange ]; probe 4 [ Probe.dale ] ]
    typeof<Experiment>,
    "Perturbations",
    [
        for one in
            [
                silence a
                silence a["left"]
                silence a[[ 1; 3 ]]
                silence a |> during "go"
                silence a |> betweenTimes 1.0<ms> 2.0<ms>
                silence a |> betweenTimes 1.0<ms> 3.0<ms>
                silence a |> afterOnset "go" 1.0<ms> 2.0<ms>
                silence a |> afterOnset "go" 2.0<ms> 2.0<ms>
                silence a |> afterOnset "go" 1.0<ms> 3.0<ms>
                silence a |> inFraction 0.5
                silence a |> inFractionOf "key" 0.5
                silence a |> inTrials (fun _ -> true)
                clamp a (Course.constant 0.5)
                clamp a (Course.steps [ 0.5; 0.6 ])
                clamp a (Course.steps [ 0.5; 0.7 ])
                clamp a (Course.ofUnits (Array2D.create 1 4 0.5))
                stimulate a (Course.constant 0.5)
                disturb a 0.5
                kick a (Kick.add 0.5)
                kick a (Kick.set 0.5)
                kick a (Kick.add 0.5 |> Kick.ofState "v")
                lesion a
                scaleProjection "a->a" 0.5
                scaleProjection "a->a" 0.0
                replaceWeights "a->a" (MathNet.Numerics.LinearAlgebra.Matrix.Build.Dense(4, 4, 0.5))
                replaceWeights "a->a" (MathNet.Numerics.LinearAlgebra.Matrix.Build.Dense(4, 4, 0.6))
            ] -> perturb [ one ]
    ]
    typeof<Experiment>,
    "Task",
    [
        fun e -> {
            e with
                Task = Task.periodic 8.0<ms> [ harmonic 1 1.0 ]
        }
    ]
    typeof<Task>,
    "Mask",
    [
        fun e -> {
            e with
                Task = e.Task |> Task.masked (Array2D.create 8 1 0.5)
        }
    ]
    typeof<Task>,
    "Events",
    [
        fun e -> {
            e with
                Task = e.Task |> Task.events [ "go" ]
        }
    ]
    typeof<Task>,
    "Conditions",
    [
        fun e -> {
            e with
                Task = e.Task |> Task.conditions [ "side", (fun _ -> 1.0) ]
        }
    ]
    typeof<Task>,
    "Score",
    [
        fun e -> {
            e with
                Task = e.Task |> Task.scored Score.Decision
        }
        fun e -> {
            e with
                Task = e.Task |> Task.scored (Score.ErrorBelow 0.1)
        }
        fun e -> {
            e with
                Task = e.Task |> Task.scored (Score.ErrorBelow 0.2)
        }
        fun e -> {
            e with
                Task = e.Task |> Task.scored (Score.ShareWithin 0.1)
        }
    ]
    typeof<Feedback>,
    "Through",
    [
        for through in
            [
                RandomFeedback 2.0
                SymmetricFeedback
                GivenFeedback(Array2D.create 4 1 0.5)
            ] ->
            fun e -> {
                e with
                    Circuit = {
                        e.Circuit with
                            Feedback = [
                                for f in e.Circuit.Feedback -> { f with Through = through }
                            ]
                    }
            }
    ]
]

/// Names and lists of parts are their headings; words without an effect do not compile.
let private headings =
    set [
        "Name"
        "Label"
        "Source"
        "Target"
        "Kind"
        "Circuit"
        "Rule"
        "Readout"
        "Area"
        "Lost"
        // A circuit takes them from its arrows.
        "Parts"
        // The rule has them.
        "Settings"
    ]

let private said (experiment: Experiment) =
    Describe.text experiment
    + "\n"
    + (ExperimentJson.ofExperiment experiment).ToJsonString()

[<Tests>]
let tests =
    testList "descriptions" [
        test "change with every field" {
            for record, field, made in changes do
                // All of them say something else, each of its own.
                let texts = said base' :: [ for change in made -> said (change base') ]

                for k in 1 .. made.Length do
                    Expect.isFalse
                        (texts |> List.take k |> List.contains texts[k])
                        $"{record.Name}.{field}, change {k - 1}"
        }

        test "are tried with every field of every record" {
            for record in
                [
                    typeof<Area>
                    typeof<Projection>
                    typeof<Readout>
                    typeof<Rule>
                    typeof<ThreeFactor>
                    typeof<Feedback>
                    typeof<Experiment>
                    typeof<Task>
                ] do
                for field in FSharpType.GetRecordFields record do
                    if not (headings.Contains field.Name) then
                        Expect.exists
                            changes
                            (fun (other, name, _) -> other = record && name = field.Name)
                            $"a change of {record.Name}.{field.Name}"
        }

        test "of --check say what holds of areas and projections" {
            match Check.experiment base' with
            | Error problems -> failtest $"%A{List.map Problem.text problems}"
            | Ok ready ->
                let lines = String.concat "\n" (Summary.lines ready)

                for words in
                    [
                        "50 % excitatory, noise 0.1"
                        "learns at rate 0.03, by own, delay 3 ms, open every 4 ms, within [-1, 1], decay 0.01"
                    ] do
                    Expect.stringContains lines words "said"
        }

        test "of --check say the form of areas, what rates cost and how rules learn" {
            let own = {
                Rule.rtrl with
                    Optimizer = Optimizer.momentum 0.5
            }

            let plain = Periodic.experiment 5 20

            let varied = {
                plain with
                    Circuit =
                        plain.Circuit
                        |> Circuit.mapArea
                            "cortex"
                            (currentForm >> penalties [ Penalty.toward 0.25 0.5 ])
                        |> Circuit.mapProjection "cortex->cortex" (learnBy own 0.01)
                    Rule = {
                        Rule.readoutOnly Rule.bptt with
                            Optimizer = Optimizer.adam
                            Clip = Clip.All 0.5
                            Schedule = Schedule.halvedEvery 7.0
                    }
            }

            match Check.experiment varied with
            | Error problems -> failtest $"%A{List.map Problem.text problems}"
            | Ok ready ->
                let lines = String.concat "\n" (Summary.lines ready)

                for words in
                    [
                        "tanh, current form"
                        "squared rates cost 0.5/2, from 0.25"
                        "learns at rate 0.01, by rtrl, momentum 0.5"
                        "only readouts learn by it, Adam (0.9, 0.999), updates clipped at norm 0.5 over all parameters, rates halved every 7 trials"
                    ] do
                    Expect.stringContains lines words "said"
        }

        test "of a loss that outputs have anyhow are the same whether it is named or not" {
            for kind in System.Enum.GetValues<Output>() do
                let unnamed = readout "y" 1 |> output kind
                let named = unnamed |> loss (Loss.Natural kind)
                Expect.equal (Losses.ofReadout named) (Losses.ofReadout unnamed) (string kind)

            let sigmoid = readout "y" 1 |> output Output.sigmoid |> loss Loss.crossEntropy

            Expect.stringContains
                (Losses.definition [ Losses.ofReadout sigmoid ])
                "binary cross-entropy"
                "of a sigmoid"
        }
    ]

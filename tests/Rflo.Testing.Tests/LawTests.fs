module Rflo.Testing.Tests.LawTests

open System
open Expecto
open Rflo.Dsl
open Rflo.Testing
open Rflo.Testing.Tests.Planted

let private isLong = Environment.GetEnvironmentVariable "RFLO_LONG" = "1"
let private few = Settings.standard |> Settings.cases (if isLong then 500 else 25)

/// What a law says of a rule that breaks it.
let private caught law =
    try
        law ()
        failtest "the law held"
    with :? LawBrokenException as broken ->
        broken

let private refused law (words: string) =
    try
        law ()
        failtest "the law was tried"
    with :? ArgumentException as e ->
        Expect.stringContains e.Message words "message"

let private isSmall (broken: LawBrokenException) =
    let circuit = broken.Experiment.Circuit
    let units = circuit.Areas |> List.sumBy _.Units
    Numbers.isLessThanOrEqual circuit.Areas.Length 2 $"areas: {broken.Message}"
    Numbers.isLessThanOrEqual units 10 $"units: {broken.Message}"
    Numbers.isLessThanOrEqual circuit.Projections.Length 4 $"projections: {broken.Message}"
    Numbers.isLessThanOrEqual broken.Experiment.Trials 3 $"trials: {broken.Message}"

/// Rules with forms of updates that the ready-made ones do not have.
let private others = [
    centred
    {
        centred with
            Name = "centred, online"
            Update = Online
    }
    {
        Rule.rflo with
            Name = "rflo, Adam"
            Optimizer = Optimizer.adam
            Clip = Clip.Each 0.5
    }
    {
        Rule.rflo with
            Name = "rflo, every second trial"
            Update = EveryTrials(2, Mean)
            Optimizer = Optimizer.momentum 0.9
    }
]

/// Rules that signals of the circuit modulate, and a critic.
let private modulated =
    let by name update post signal = {
        Rule.local name {
            Trace = TraceTau 20.0<ms>
            Post = Rule.the post
            Pre = Rule.the Presynaptic
            Modulator = Rule.the signal
            Oja = false
        } with
            Update = update
    }

    [
        by "by a readout" TrialEnd Slope (ReadoutValue "value")
        by "by a TD error" TrialEnd Rate (TemporalDifference("value", 0.9))
        by "by a TD error, online" Online Rate (TemporalDifference("value", 0.9))
        by "by a unit" Online Slope (UnitRate("vta", 1, 2.0<ms>))
        Rule.td 0.9 0.5
        {
            Rule.td 0.9 0.5 with
                Name = "td, online"
                Update = Online
        }
    ]

let private holding = [
    for rule in Rule.all @ others @ modulated do
        testList rule.Name [
            for name, law in Laws.ofRule (rule, few) do
                testCase name law
        ]
]

/// True of these, and of no others.
let private ofForward = [
    Rule.rflo
    Rule.localSymmetric
    Rule.eprop
    Rule.snap1
    Rule.bptt
    Rule.bpttRandom
    Rule.rtrl
    Rule.rtrlRandom
    Rule.kernl
    Rule.delta
]

let private forward = [
    for rule in ofForward do
        test rule.Name { Laws.gradientMatchesWithoutRecurrence (rule, few) }

    for rule in [ Rule.hebb; Rule.oja; Rule.miconi; Rule.uoro; centred ] do
        test $"but not of {rule.Name}" {
            isSmall (caught (fun () -> Laws.gradientMatchesWithoutRecurrence rule))
        }
]

let private everywhere = [
    for rule in [ Rule.bpttRandom; Rule.rtrlRandom ] do
        test $"{rule.Name}, where feedback is symmetric" { Laws.gradientMatches (rule, few) }

    for rule in
        [
            Rule.rflo
            Rule.localSymmetric
            Rule.snap1
            Rule.hebb
            Rule.uoro
        ] do
        test $"but not of {rule.Name}" {
            let broken = caught (fun () -> Laws.gradientMatches rule)
            isSmall broken
            Expect.stringContains broken.Message "minus the slope of the loss is" "message"
        }
]

let private local = [
    for rule in
        [
            Rule.bptt
            Rule.bpttRandom
            Rule.tbptt
            Rule.rtrl
            Rule.rtrlRandom
            Rule.uoro
            Rule.kfRtrl
            Rule.kernl
        ] do
        test $"{rule.Name} reads the weights of others" {
            let broken = caught (fun () -> Laws.localOnly rule)
            isSmall broken
            Expect.stringContains broken.Reason "and no signal does" "reason"
        }
]

let private remembers = [
    for name, (law: Rule -> unit) in
        [
            "the same seed", Laws.sameSeedSameBits
            "a resume", Laws.resume
            "relabelled units", Laws.permutation
            "the sum of increments", Laws.trialEndIsSumOfOnline
        ] do
        test $"a function with a memory breaks {name}" {
            isSmall (caught (fun () -> law (remembering ())))
        }
]

let private planted = [
    for name, law, learner in learners do
        test $"a learner that breaks {name} is caught" {
            let settings = Settings.standard |> Settings.learner learner
            isSmall (caught (fun () -> law Rule.rflo settings))
            // The same learner with nothing spoilt keeps the law.
            law Rule.rflo few
        }
]

let private loop number =
    let a = area "a" (2 + number % 3)
    let y = readout "y" 1

    Circuit.empty
    |> areas [ a ]
    |> readouts [ y ]
    |> projections [
        a --> a |> weights (gaussian 1.2) |> learningRate 0.05
        a --> y |> learningRate 0.05
    ]
    |> feedback [ errorOf y --> a ]

let private settings = [
    test "circuits of one's own are tried, and no others" {
        let inLoops = few |> Settings.circuits loop
        Laws.resume (Rule.rflo, inLoops)
        let broken = caught (fun () -> Laws.gradientMatches (Rule.rflo, inLoops))

        Expect.equal
            (broken.Experiment.Circuit.Areas |> List.map _.Name)
            [ "a" ]
            "the areas of the counterexample"
    }

    test "units of one's own are tried, and a wrong derivative is seen" {
        let adapting (slope: float) =
            UnitModel.define
                $"adapting, slope {slope}"
                [ "v"; "a" ]
                (fun unit ->
                    let v, a = unit.Before[0], unit.Before[1]
                    unit.State[0] <- (1.0 - unit.Alpha) * v + unit.Alpha * (unit.Current - 0.5 * a)
                    unit.State[1] <- 0.9 * a + 0.1 * v
                    unit.A[0, 0] <- 1.0 - unit.Alpha
                    unit.A[0, 1] <- -0.5 * unit.Alpha * slope
                    unit.A[1, 0] <- 0.1
                    unit.A[1, 1] <- 0.9
                    unit.C[0] <- unit.Alpha)
                (fun unit ->
                    let r = tanh unit.State[0]
                    unit.G[0] <- 1.0 - r * r
                    r)

        let tried = few |> Settings.units (adapting 1.0)
        Laws.gradientMatches (Rule.bptt, tried)
        Laws.gradientMatchesWithoutRecurrence (Rule.rflo, tried)

        for model in [ adapting 1.0; UnitModel.lif 0.3 ] do
            for _, law in Laws.ofRule (Rule.rflo, few |> Settings.units model) do
                law ()

        let broken =
            caught (fun () ->
                Laws.gradientMatches (Rule.bptt, few |> Settings.units (adapting -1.0)))

        Expect.isTrue
            (broken.Experiment.Circuit.Areas |> List.exists _.Dynamics.IsOfModel)
            "the counterexample has the units"
    }

    test "a rule of one's own is tried, and one that looks at other units is seen" {
        // Half of a unit's learning signal, by a weight, goes to the next one's synapses.
        let leaking (site: Rflo.Core.AreaSite) =
            ByHand.traces
                (fun now k unit ->
                    now.Signal[unit]
                    + 0.5 * now.Weights(k)[0] * now.Signal[(unit + 1) % site.Units])
                site

        for _, law in Laws.ofRule (Rule.define "RFLO by hand" ByHand.rflo, few) do
            law ()

        caught (fun () -> Laws.localOnly (Rule.define "leaking" leaking, few)) |> ignore
    }

    test "a circuit of one's own that is wrong is refused with its problems" {
        let wrong _ = Circuit.empty |> areas [ area "a" 0 ]

        refused
            (fun () -> Laws.resume (Rule.rflo, few |> Settings.circuits wrong))
            "area a: the number of units"
    }

    test "a law that hardly anything can break says so" {
        // An area of one unit has no second sign, and a circuit without Dale's law none at all.
        let single _ =
            let a, y = area "a" 1, readout "y" 1

            Circuit.empty
            |> areas [ a ]
            |> readouts [ y ]
            |> projections [ a --> y |> learningRate 0.1 ]

        refused
            (fun () -> Laws.daleHolds (Rule.rflo, few |> Settings.circuits single))
            "applies to 0 of 25 cases only"
    }

    test "areas are no larger than the settings say, but where a law needs it" {
        let mutable largest = 0

        let watching (ready: CheckedExperiment) =
            for area in ready.Experiment.Circuit.Areas do
                largest <- max largest area.Units

            Learner.ofCore ready

        Laws.resume (Rule.rflo, few |> Settings.size 3 |> Settings.learner watching)
        Expect.equal largest 3 "the largest area"
    }

    test "the same settings find the same counterexample, another seed another" {
        let message number =
            (caught (fun () ->
                Laws.gradientMatches (Rule.hebb, Settings.standard |> Settings.seed number)))
                .Message

        Expect.equal (message 3) (message 3) "again"
        Expect.notEqual (message 3) (message 4) "another seed"
    }

    test "settings without a case are refused" {
        refused
            (fun () -> Laws.resume (Rule.rflo, Settings.standard |> Settings.cases 0))
            "Cases is 0"
    }
]

let private refusals = [
    test "a rule that draws for each unit is not held to relabelling" {
        refused (fun () -> Laws.permutation Rule.uoro) "is not for uoro: it draws other numbers"
    }

    test "a rule without increments of steps is not held to their sum" {
        refused (fun () -> Laws.trialEndIsSumOfOnline Rule.bptt) "is not for bptt"
    }

    test "a rule that is no rule is refused with its problems" {
        let wrong = {
            centred with
                Optimizer = Optimizer.momentum 2.0
        }

        refused (fun () -> Laws.resume wrong) "the memory of momentum is 2"
    }

    test "a function that throws breaks the law, by its message" {
        let throwing =
            Rule.local "throwing" {
                Trace = NoTrace
                Post = Rule.the Rate |> Rule.map "none" (fun _ -> failwith "no such number")
                Pre = Rule.the Presynaptic
                Modulator = Rule.the Unmodulated
                Oja = false
            }

        let broken = caught (fun () -> Laws.sameSeedSameBits throwing)
        Expect.stringContains broken.Reason "no such number" "reason"
    }
]

[<Tests>]
let tests =
    testList "laws" [
        testList "hold for" holding
        testList "gradients without recurrence" forward
        testList "gradients" everywhere
        testList "locality" local
        testList "memory" remembers
        testList "planted" planted
        testList "settings" settings
        testList "refusals" refusals
    ]

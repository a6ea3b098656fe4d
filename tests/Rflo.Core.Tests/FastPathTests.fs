/// The fast form of a step is taken where it may be, and gives the numbers of the slow one.
module Rflo.Core.Tests.FastPathTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// Sines of seven steps, if not said otherwise, whatever the longest trial may be: a longer one makes areas look small
/// beside it.
type private Sines(longest: int, steps: int) =
    new(longest) = Sines(longest, 7)

    interface ITask with
        member _.Inputs = 2
        member _.Outputs = 1
        member _.MaxSteps = longest
        member _.Events = 1

        member _.Fill(trial, _, into) =
            into.Steps <- steps

            for k in 0 .. 2 * steps - 1 do
                into.Inputs[k] <- sin (float (k + trial))

            for k in 0 .. steps - 1 do
                into.Targets[k] <- cos (float (k + 2 * trial))
                into.Mask[k] <- 1.0
                into.Events[k] <- k % 3 <> 0

/// The same sines as a task that looks at the circuit, so that nobody knows its next step.
type private InLoop(longest: int) =
    inherit Sines(longest)

    interface IClosedLoopTask with
        member _.Watches = [||]
        member _.StateLength = 0
        member _.SaveState _ = ()
        member _.RestoreState _ = ()
        member _.Before(_, _) = ()
        member _.After(_, _) = ()

/// One area that hears itself, an input and a constant; another of no input that it drives, and that drives it back.
let private circuit = {
    Areas = [
        for units in [ 17; 12 ] ->
            {
                Units = units
                Tau = 2.0, 10.0
                Transfer = Transfer.Tanh
                Start = InitialPolicy.CarriedOver
                Noise = 0.1
                Dynamics = Dynamics.Leaky
            }
    ]
    Inputs = [ 2 ]
    Readouts = [
        {
            Outputs = 1
            Kind = OutputKind.Linear
            Loss = None
        }
    ]
    Projections =
        let plain = RandomCircuits.plain

        [
            plain (Rates(0, 1)) (Onto 0) 1
            plain (Channels 0) (Onto 0) 2
            {
                plain Bias (Onto 0) 3 with
                    Gate = Gate.AtEvent 0
            }
            plain (Rates(0, 2)) (Onto 1) 4
            plain (Rates(1, 1)) (Onto 0) 5
            plain (Rates(0, 1)) (Read 0) 6
        ]
    Feedbacks = [ 0, 0, true; 0, 1, true ]
}

let private sparse = {
    circuit with
        Projections = [
            for projection in circuit.Projections ->
                match projection.Source, projection.Target with
                | Rates _, Onto _ -> {
                    projection with
                        Layout = Compressed
                        Density = 0.5
                  }
                | _ -> projection
        ]
}

/// Longest trials beside which the areas are large, or small.
let private short, long = 7, 100

let private trainBy forms circuit setup (task: ITask) =
    let session =
        Session.Create(graphWith setup circuit, task, 3L, Precision.Double, forms)

    let status = session.Run 12
    Expect.equal status.End RunEnd.Completed (string status)

    [|
        yield! session.Metrics.CopyLosses()
        for k in 0 .. circuit.Projections.Length - 1 do
            yield! session.Weights(ProjectionId k)
    |]

let private train circuit setup task = trainBy Forms.All circuit setup task

let private same what (expected: float[]) (found: float[]) =
    Expect.equal found.Length expected.Length what

    for k in 0 .. found.Length - 1 do
        Numbers.isLessThanOrEqual
            (abs (found[k] - expected[k]))
            (1e-11 * (1.0 + abs expected[k]))
            $"{what} [{k}]"

/// How weights onto areas learn, as the plan of a session says.
let private chosen circuit setup (task: ITask) =
    let plan = Session.Create(graphWith setup circuit, task, 1L).Plan

    [
        for one in plan.Operators do
            if one.Name.StartsWith "trace and update of" then
                match one.Form with
                | "online updates made at the end of the trial" -> "deferred"
                | "update and next currents in one pass" -> "one pass"
                | _ -> "row by row"
            elif one.Name.StartsWith "product over the trial of" then
                "trial end"

        for choice in plan.Choices do
            if choice.Form = "factor of the weights as products over steps" then
                if choice.IsChosen then "products" else "matrix"
    ]

let private online = [
    for form in AllRules.ways do
        match form.Rule with
        | :? ThreeFactorRule as rule when form.Schedule.Time = UpdateTime.Online -> form, rule
        | _ -> ()
]

// ---- factors of UORO ----------------------------------------------------------------------------

let private uoro: LearningRule = StochasticRule InfluenceFactors.RankOne

/// How UORO may learn at ends of trials; the rates of projections differ, and some do not learn.
let private atEnds = [
    let with' what schedule optimizer frozen = what, schedule, optimizer, frozen
    with' "plain" UpdateSchedule.TrialEnd Optimizer.Plain []
    with' "some frozen" UpdateSchedule.TrialEnd Optimizer.Plain [ 0; 2 ]
    with' "one area frozen" UpdateSchedule.TrialEnd Optimizer.Plain [ 3 ]
    with' "over three trials" (UpdateSchedule(UpdateTime.TrialEnd, 3, true)) Optimizer.Plain []

    with' "Adam over two trials" (UpdateSchedule(UpdateTime.TrialEnd, 2, false)) (Adam()) [ 4 ]
]

let private byUoro (schedule: UpdateSchedule) optimizer frozen = {
    asDeclared with
        Plasticity =
            fun k ->
                let rate =
                    if List.contains k frozen then
                        0.0
                    else
                        0.01 * float (1 + k % 3)

                Plasticity(uoro, rate, schedule, Optimizer = optimizer)
}

/// The circuit with everything that a direction goes through: longer delays, a mask, a part of an area, an output fed back.
let private winding = {
    circuit with
        Projections =
            let plain = RandomCircuits.plain

            circuit.Projections
            @ [
                {
                    plain (Rates(1, 3)) (Onto 1) 7 with
                        Density = 0.5
                        Gate = Gate.Every 2
                }
                {
                    plain (Rates(0, 2)) (Onto 1) 8 with
                        FromPart = true
                        OntoPart = true
                }
                plain (Fed(0, 1)) (Onto 0) 9
            ]
}

[<Tests>]
let tests =
    testList "fast paths" [
        for form, rule in online do
            let setup = AllRules.learningAs form 0.05

            test $"{form.Name}: one pass over memory learns what two do" {
                let ahead = train circuit setup (Sines long)
                let step = trainBy Forms.None circuit setup (Sines long)
                Expect.contains (chosen circuit setup (Sines long)) "one pass" "it is one pass"
                same "losses and weights" step ahead
            }

            test $"{form.Name}: the same of sparse blocks" {
                same
                    "losses and weights"
                    (trainBy Forms.None sparse setup (Sines long))
                    (train sparse setup (Sines long))
            }

            test $"{form.Name}: the same in a closed loop" {
                for circuit in [ circuit; sparse ] do
                    for longest in [ short; long ] do
                        same
                            $"longest trial {longest}"
                            (trainBy Forms.None circuit setup (InLoop longest))
                            (train circuit setup (InLoop longest))

                // The first area receives an input, which the task may change before the step to come.
                Expect.equal
                    (chosen circuit setup (InLoop long))
                    [ "row by row"; "one pass" ]
                    "what receives no input knows its next step"
            }

            if not rule.Oja && rule.Memory <> TraceMemory.OwnJacobian then
                test $"{form.Name}: products over a trial's steps learn what traces do" {
                    let deferred, traced = Sines short, Sines long
                    Expect.equal (chosen circuit setup deferred) [ "deferred"; "deferred" ] "short"
                    Expect.equal (chosen circuit setup traced) [ "one pass"; "one pass" ] "long"

                    same
                        "losses and weights"
                        (train circuit setup traced)
                        (train circuit setup deferred)
                }

        for what, schedule, optimizer, frozen in atEnds do
            for name, circuit in [ "two areas", circuit; "a winding circuit", winding ] do
                test $"UORO of {name}, {what}: products over steps learn what a matrix does" {
                    let setup = byUoro schedule optimizer frozen
                    let products, matrix = Sines short, Sines long
                    Expect.equal (chosen circuit setup products) [ "products" ] "short"
                    Expect.equal (chosen circuit setup matrix) [ "matrix" ] "long"

                    same
                        "losses and weights"
                        (train circuit setup matrix)
                        (train circuit setup products)
                }

        test
            "UORO keeps its factor as a matrix where it is asked for it in steps, or blocks are sparse" {
            let online = byUoro UpdateSchedule.Online Optimizer.Plain []
            let ending = byUoro UpdateSchedule.TrialEnd Optimizer.Plain []
            Expect.equal (chosen circuit online (Sines short)) [ "matrix" ] "online"
            Expect.equal (chosen sparse ending (Sines short)) [ "matrix" ] "sparse"

            // Sparse blocks that do not learn are no matter of the factor.
            let inputs = byUoro UpdateSchedule.TrialEnd Optimizer.Plain [ 0; 3; 4 ]
            let products, matrix = Sines(4, 4), Sines(long, 4)
            Expect.equal (chosen sparse inputs products) [ "products" ] "frozen sparse blocks"
            Expect.equal (chosen sparse inputs matrix) [ "matrix" ] "the same in long trials"

            same "losses and weights" (train sparse inputs matrix) (train sparse inputs products)
        }

        for rate in [ 0.0; 0.1 ] do
            test $"KeRNL at a rate of {rate}: in a closed loop as ever" {
                let setup = learning (KernlRule rate) UpdateSchedule.Online 0.05

                same
                    "losses and weights"
                    (trainBy Forms.None circuit setup (InLoop short))
                    (train circuit setup (InLoop short))
            }

            test $"KeRNL at a rate of {rate}: products over a trial's steps learn what traces do" {
                for circuit in [ circuit; winding ] do
                    // One rate and no mask for whole areas, as long as changes may wait.
                    let circuit = {
                        circuit with
                            Projections = [
                                for projection in circuit.Projections ->
                                    {
                                        projection with
                                            Density = 1.0
                                            OntoPart = false
                                    }
                            ]
                    }

                    let setup = learning (KernlRule rate) UpdateSchedule.Online 0.05
                    let deferred, traced = Sines short, Sines long
                    Expect.allEqual (chosen circuit setup deferred) "deferred" "short"
                    Expect.allEqual (chosen circuit setup traced) "row by row" "long"

                    same
                        "losses and weights"
                        (train circuit setup traced)
                        (train circuit setup deferred)
            }

        test "one pass takes dense and sparse blocks at their own rates" {
            // Of the first area, the sparse blocks learn at another rate than the dense ones.
            let setup = {
                asDeclared with
                    Plasticity =
                        fun k ->
                            Plasticity(
                                Rules.rflo,
                                (if k = 0 || k = 4 then 0.01 else 0.05),
                                UpdateSchedule.Online
                            )
            }

            Expect.equal
                (chosen sparse setup (Sines long))
                [ "one pass"; "one pass" ]
                "what is dense learns at one rate"

            same
                "losses and weights"
                (trainBy Forms.None sparse setup (Sines long))
                (train sparse setup (Sines long))
        }

        test "KeRNL writes weights in every step where somebody else reads them" {
            let kernl: LearningRule = KernlRule 0.1
            let setup = learning kernl UpdateSchedule.Online 0.05

            let mixed = {
                setup with
                    Plasticity =
                        fun k ->
                            Plasticity((if k = 3 then uoro else kernl), 0.05, UpdateSchedule.Online)
            }

            Expect.containsAll
                (chosen circuit mixed (Sines short))
                [ "row by row"; "matrix" ]
                "UORO"

            let ending = learning kernl UpdateSchedule.TrialEnd 0.05
            Expect.allEqual (chosen circuit ending (Sines short)) "row by row" "at ends of trials"
        }

        test "what holds weights, collects them or looks at them takes the careful way" {
            let setup = learning Rules.rflo UpdateSchedule.Online 0.05
            let careful = [ "row by row"; "row by row" ]

            let dale = {
                setup with
                    Limits = { unlimited with Dale = true }
            }

            Expect.equal (chosen circuit dale (Sines short)) careful "Dale's law"

            let momentum = {
                setup with
                    Plasticity =
                        fun _ ->
                            Plasticity(
                                Rules.rflo,
                                0.05,
                                UpdateSchedule.Online,
                                Optimizer = Momentum()
                            )
            }

            Expect.equal (chosen circuit momentum (Sines short)) careful "momentum"

            let twoRates = {
                setup with
                    Plasticity =
                        fun k ->
                            Plasticity(
                                Rules.rflo,
                                (if k = 1 then 0.01 else 0.05),
                                UpdateSchedule.Online
                            )
            }

            Expect.equal
                (chosen circuit twoRates (Sines short))
                [ "row by row"; "deferred" ]
                "two rates"

            let decaying = {
                setup with
                    Limits = { unlimited with Decay = 0.01 }
            }

            Expect.equal
                (chosen circuit decaying (Sines short))
                [ "one pass"; "one pass" ]
                "L2 decay"

            let mixed = {
                setup with
                    Plasticity =
                        fun k ->
                            Plasticity(
                                (if k = 3 then Rules.rtrl else Rules.rflo),
                                0.05,
                                UpdateSchedule.Online
                            )
            }

            Expect.equal
                (chosen circuit mixed (Sines short))
                [ "one pass" ]
                "RTRL reads all weights"

            Expect.equal
                (chosen circuit (learning Rules.rflo UpdateSchedule.TrialEnd 0.05) (Sines short))
                [ "trial end"; "trial end" ]
                "at the end of a trial no trace is kept"
        }
    ]

/// An area that hears itself alone; and the same beside another that hears it, which tells it nothing: no weight leads back.
let private alone, besideAnother =
    let beside others = {
        circuit with
            Areas = [
                for units in 17 :: others ->
                    {
                        circuit.Areas.Head with
                            Units = units
                    }
            ]
            Projections = [
                RandomCircuits.plain (Rates(0, 1)) (Onto 0) 1
                RandomCircuits.plain (Rates(0, 1)) (Read 0) 2
                for other in 1 .. others.Length do
                    RandomCircuits.plain (Rates(0, 1)) (Onto other) 3
            ]
            Feedbacks = [ 0, 0, true ]
    }

    beside [], beside [ 3 ]

[<Tests>]
let lookingBack =
    testList "looking back over a whole trial" [
        for rule in
            [
                BpttRule() :> LearningRule
                BpttRule ErrorPath.Feedback
                TruncatedBpttRule(5, 2)
            ] do
            test $"{rule}: in one call or step by step, the same is learned" {
                let setup = learning rule UpdateSchedule.TrialEnd 0.05

                let calls circuit =
                    let network = Network<float>(graphWith setup circuit, 7, 1, 1L)
                    BackwardCredit<float>(network, ErrorPath.Symmetric, 7).Alone

                Expect.equal (calls alone, calls besideAnother) (1, 0) "areas in one call"

                let learned circuit =
                    let found = train circuit setup (Sines short)
                    Array.truncate (12 + 17 * 17 + 17) found

                same "losses and weights" (learned besideAnother) (learned alone)
            }
    ]

/// Training takes no memory once a session is made: not a step, and hardly a trial.
module Rflo.Core.Tests.AllocationTests

open System
open System.Threading
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// Sines of so many steps; takes no memory and no random numbers.
type private Quiet(inputs, outputs, steps) =
    interface ITask with
        member _.Inputs = inputs
        member _.Outputs = outputs
        member _.MaxSteps = 64
        member _.Events = 1

        member _.Fill(trial, _, into) =
            into.Steps <- steps

            for k in 0 .. steps * inputs - 1 do
                into.Inputs[k] <- sin (float (k + trial))

            for k in 0 .. steps * outputs - 1 do
                into.Targets[k] <- cos (float (k + trial))

            for t in 0 .. steps - 1 do
                into.Events[t] <- t % 3 = 0

/// Two areas with everything: sparse and masked blocks, delays, gates, populations, an output fed back, a softmax.
let private busy = {
    Areas = [
        {
            Units = 9
            Tau = 2.0, 20.0
            Transfer = Transfer.Tanh
            Start = InitialPolicy.Reset
            Noise = 0.0
            Dynamics = Dynamics.Leaky
        }
        {
            Units = 6
            Tau = 5.0, 5.0
            Transfer = Transfer.Softplus
            Start = InitialPolicy.CarriedOver
            Noise = 0.0
            Dynamics = Dynamics.Leaky
        }
    ]
    Inputs = [ 2; 1 ]
    Readouts = [
        {
            Outputs = 2
            Kind = OutputKind.Linear
            Loss = None
        }
        {
            Outputs = 3
            Kind = OutputKind.Softmax
            Loss = None
        }
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
            {
                plain (Rates(0, 3)) (Onto 1) 2 with
                    Layout = Compressed
                    Density = 0.5
            }
            {
                plain (Rates(1, 1)) (Onto 0) 3 with
                    Density = 0.5
                    Gate = Gate.Every 2
            }
            {
                plain (Rates(1, 2)) (Onto 1) 4 with
                    FromPart = true
                    OntoPart = true
            }
            {
                plain (Channels 0) (Onto 0) 5 with
                    Gate = Gate.AtEvent 0
            }
            plain (Channels 1) (Onto 1) 6
            plain Bias (Onto 0) 7
            plain (Fed(0, 2)) (Onto 1) 8
            plain (Rates(0, 1)) (Read 0) 9
            {
                plain (Rates(1, 1)) (Read 1) 10 with
                    Layout = Compressed
            }
            plain Bias (Read 1) 11
            plain (Rates(0, 1)) (Read 2) 12
        ]
    Feedbacks = [ 0, 0, true; 0, 1, true; 1, 1, false ]
}

/// Bytes taken by a number of trials, after as many to warm up.
let private bytesInLanes lanes perturbed (circuit: CircuitCase) setup precision steps trials =
    let task = Quiet(3, 6, steps)

    let session =
        Session.CreateInLanes(perturbed (graphWith setup circuit), task, 1L, precision, lanes)

    session.Run 40 |> ignore
    let before = GC.GetAllocatedBytesForCurrentThread()
    let status = session.Run trials
    let taken = GC.GetAllocatedBytesForCurrentThread() - before
    Expect.equal status.End RunEnd.Completed (string status)
    taken

let private allocatesNothingInLanes lanes perturbed rule setup precision =
    let bytes =
        AllRules.fit rule {
            Circuit = busy
            Task = {
                Lengths = []
                Masked = false
                Events = 1
            }
            Seed = 1
        }
        |> _.Circuit
        |> bytesInLanes lanes perturbed

    // The first passes see the compiler at work: code that is not optimized yet takes memory here and there. On a busy
    // machine that lasts longer. What a step takes by itself, it takes every time.
    let rec settled passes =
        let few, many = bytes setup precision 40 100, bytes setup precision 40 200
        let short = bytes setup precision 4 200

        if many = short || passes = 0 then
            few, many, short
        else
            Thread.Sleep 200
            settled (passes - 1)

    bytes setup precision 40 100 |> ignore
    let few, many, short = settled 5
    // A trial's row of metrics and its random streams, whose generators cannot be seeded again; not one byte that depends
    // on the number of steps.
    let streams =
        if AllRules.needsNoise rule then busy.Areas.Length
        elif AllRules.draws rule then 1
        else 0

    Expect.equal many short "200 trials of 40 steps take what 200 trials of 4 steps take"

    Numbers.isLessThanOrEqual
        (many - few)
        (100L * (256L + 600L * int64 streams))
        "bytes of 100 trials more"

let private allocatesNothingWith perturbed rule setup precision =
    allocatesNothingInLanes TrialLanes.One perturbed rule setup precision

let private allocatesNothing rule setup precision =
    allocatesNothingWith id rule setup precision

/// Every kind of perturbation, in windows of every kind, in some trials and in all.
let private perturbed (graph: Graph) =
    let a, b = AreaId 0, AreaId 1

    Graph(
        graph.Areas,
        graph.Inputs,
        graph.Readouts,
        graph.Projections,
        graph.Feedbacks,
        [|
            Silence(a, [| 0; 2 |], Window = PerturbationWindow.AtEvent 0)
            Clamp(
                b,
                [| 1 |],
                TimeCourse.OfSteps [| 0.1; 0.2 |],
                Window = PerturbationWindow.Between(1, 30),
                Trials = TrialChoice.Drawn 0.5
            )
            Stimulate(
                a,
                null,
                TimeCourse.Constant 0.1,
                Noise = 0.1,
                Window = PerturbationWindow.After(0, 1, 20),
                Trials = TrialChoice.Drawn(0.5, "key")
            )
            KickStates(b, null, [| 0.1 |], Adds = false, Window = PerturbationWindow.Between(2, 3))
            Lesion(a, [| 5 |])
            ScaleProjection(ProjectionId 0, 0.5, Window = PerturbationWindow.Between(1, 3))
            ScaleProjection(ProjectionId 9, 0.0, Window = PerturbationWindow.Between(2, 20))
        |]
    )

[<Tests>]
let tests =
    testSequenced
    <| testList "allocation" [
        for rule, schedule in
            [
                Rules.rflo, UpdateSchedule.Online
                Rules.rflo, UpdateSchedule.TrialEnd
                Rules.bptt, UpdateSchedule.TrialEnd
                Rules.rtrl, UpdateSchedule.Online
            ] do
            test $"nor does a step that is perturbed, {rule.GetType().Name}, {schedule.Time}" {
                allocatesNothingWith perturbed rule (learning rule schedule 1e-3) Precision.Double
            }

        for precision in [ Precision.Double; Precision.Single ] do
            for form in AllRules.all do
                test $"a step of {form.Name} takes no memory, {precision}" {
                    allocatesNothing form.Rule (AllRules.learningAs form 1e-3) precision
                }

        for form in AllRules.ways do
            if form.Schedule.IsStepwise then
                test $"a step of {form.Name} in four lanes takes none either" {
                    allocatesNothingInLanes
                        (TrialLanes 4)
                        id
                        form.Rule
                        (AllRules.learningAs form 1e-3)
                        Precision.Double
                }

        for rule in [ Rules.rflo; Rules.bptt; Rules.rtrl ] do
            for schedule in [ UpdateSchedule.TrialEnd; UpdateSchedule.Online ] do
                if schedule = UpdateSchedule.TrialEnd || AllRules.canBeOnline rule then
                    test
                        $"a step of time constants and initial states that learn by {rule}, {schedule}, takes none either" {
                        allocatesNothing
                            rule
                            {
                                learning rule schedule 1e-3 with
                                    Tau = Some(Plasticity(rule, 1e-3, schedule))
                                    Initial = Some(Plasticity(rule, 1e-3, schedule))
                            }
                            Precision.Double
                    }

        for readout in
            [
                RlsReadout(1.0, 0.99) :> ReadoutRule
                // An update takes memory, once in so many trials; a step does not.
                RidgeReadout(1.0, 1, 1_000_000)
                TdReadout(0.9, 0.5)
            ] do
            test $"a step of {readout.GetType().Name} takes none either" {
                let plasticity index =
                    if index = (if readout :? TdReadout then 11 else 8) then
                        Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd, Readout = readout)
                    else
                        Plasticity(Rules.rflo, 1e-3, UpdateSchedule.TrialEnd)

                allocatesNothing
                    Rules.rflo
                    {
                        asDeclared with
                            Plasticity = plasticity
                    }
                    Precision.Double
            }

        test "weights held by signs, bounds and decay take none either" {
            let setup = {
                learning Rules.rtrl UpdateSchedule.Online 1e-3 with
                    Limits = {
                        Dale = true
                        Lower = -2.0
                        Upper = 2.0
                        Decay = 0.01
                        L1 = 0.01
                        L2 = 0.01
                    }
            }

            allocatesNothing Rules.rtrl setup Precision.Double
        }
    ]

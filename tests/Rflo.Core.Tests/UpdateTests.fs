/// How what a rule asks for becomes weights: every time of update with its remainders and last batches, decay, clipping,
/// optimizers, falling rates, signs, bounds and missing connections, for weights, readouts and time constants.
module Rflo.Core.Tests.UpdateTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

/// A circuit whose slopes are no matter of rounding.
let private plainly (tally: Tally) (case: Case) =
    let graph, case = Experiments.graphOf Experiments.local case
    let trials = 4
    let session = Session.Create(graph, WhiteNoise case, int64 case.Seed)
    session.Stopping <- Stopping(Window = 2)
    let status = session.Run trials
    tally.Count()

    if
        status.End <> RunEnd.Completed
        || Experiments.resultOf session |> Array.exists (fun x -> not (norm x < 1e3))
    then
        tally.Idle()
    else
        let plain = PlainLearner.Learner(graph, case, 2)

        for _ in 1..trials do
            plain.Train()

        plain.Finish()

        let expected = [|
            plain.Losses
            yield! plain.Weights
            yield! plain.TimeConstants
            yield! plain.InitialStates
        |]

        let found = Experiments.resultOf session

        for k in 0 .. found.Length - 1 do
            Numbers.isLessThan
                (Experiments.apart [| expected[k] |] [| found[k] |])
                1e-8
                $"part {k}: losses, weights, time constants, initial states"

// ---- rules that have no plain form here -----------------------------------------------------------

/// Every rule whose increments are those of fixed weights when nothing changes within the trial.
let private ofTrial = [
    for rule in AllRules.rules do
        if AllRules.canBeOnline rule.Rule && not (rule.Rule :? TruncatedBpttRule) then
            rule
]

/// Updates in every 1000th step come at the end of every trial, with all of the decay, as updates at ends of trials do.
let private remainders case =
    let forms = [
        for rule in ofTrial do
            for optimizer in [ Optimizer.Plain; Momentum() ] do
                rule.Rule, optimizer
    ]

    for rule, optimizer in AllRules.every 6 case.Seed forms do
        let case = AllRules.fit rule case

        let run schedule =
            let plan =
                Plasticity(
                    rule,
                    0.1,
                    schedule,
                    Optimizer = optimizer,
                    Clip =
                        (if optimizer = Optimizer.Plain then
                             Clip.None
                         else
                             Clip.Each 0.1),
                    Rates = HalvedRate(2.0)
                )

            let setup = {
                asDeclared with
                    Plasticity = fun _ -> plan
                    Limits = { unlimited with Decay = 0.3 }
                    Tau =
                        match rule with
                        | :? RtrlRule -> Some plan
                        | :? ThreeFactorRule as local when local.LearnsTau -> Some plan
                        | _ -> None
                    Initial =
                        match rule with
                        | :? RtrlRule -> Some plan
                        | :? ThreeFactorRule as local when local.LearnsInitialStates -> Some plan
                        | _ -> None
            }

            let session = sessionWith setup case
            let status = session.Run 3
            status.End, Experiments.resultOf session

        let finish, ended = run UpdateSchedule.TrialEnd

        if
            finish = RunEnd.Completed
            && Array.forall (fun (x: float[]) -> norm x < 1e3) ended
        then
            let _, stepped = run (UpdateSchedule(UpdateTime.EverySteps, 1000))
            Numbers.isLessThan (Experiments.apart ended stepped) 1e-9 $"{rule}"

/// RTRL and BPTT learn the same at ends of trials, whatever optimizer, rate and bounds each projection has of its own.
let private exactRules (tally: Tally) (case: Case) =
    let run (rule: LearningRule) =
        let plan index =
            let random = Random(case.Seed + index)
            let pick (items: 'a list) = items[random.Next items.Length]

            Plasticity(
                rule,
                0.02 * float (random.Next(1, 4)),
                UpdateSchedule.TrialEnd,
                Optimizer =
                    pick [
                        Optimizer.Plain
                        Optimizer.Plain
                        Momentum 0.7
                        Adam(0.8, 0.95, 1e-2)
                    ],
                Clip = pick [ Clip.None; Clip.None; Clip.Each 0.02 ],
                Rates = pick [ LearningRateSchedule.Constant; HalvedRate 2.0 ]
            )

        let setup = {
            asDeclared with
                Plasticity = plan
                Limits =
                    if case.Seed % 2 = 0 then
                        unlimited
                    else
                        {
                            unlimited with
                                Decay = 0.3
                                Upper = 0.8
                        }
        }

        let session = sessionWith setup case
        (session.Run 4).End, Experiments.resultOf session

    tally.Count()
    let finish, backward = run Rules.bptt

    if
        finish <> RunEnd.Completed
        || Array.exists (fun one -> not (norm one < 1e3)) backward
    then
        tally.Idle()
    else
        let _, forward = run Rules.rtrl
        Numbers.isLessThan (Experiments.apart backward forward) 1e-8 "losses, weights"

// ---- last batches ---------------------------------------------------------------------------------

let private batched (plan: UpdateSchedule -> Plasticity) schedule (case: Case) =
    let plasticity = plan schedule

    let setup = {
        asDeclared with
            Plasticity = fun _ -> plasticity
            Tau =
                (match plasticity.Rule with
                 | :? BpttRule -> Some plasticity
                 | _ -> None)
    }

    sessionWith setup case

let private linear (case: Case) = {
    case with
        Circuit.Readouts =
            case.Circuit.Readouts
            |> List.map (fun one -> {
                one with
                    Kind = OutputKind.Linear
                    Loss = None
            })
}

/// A run of fewer trials than a batch has is a run of a batch of so many trials.
let private lastBatch (case: Case) =
    let random = Random case.Seed
    let trials = random.Next(1, 6)
    let mean = random.Next 2 = 0

    let optimizer = if random.Next 2 = 0 then Optimizer.Plain else Adam()

    let plan rule schedule =
        Plasticity(
            rule,
            0.05,
            schedule,
            Optimizer = optimizer,
            Clip =
                (if optimizer = Optimizer.Plain then
                     Clip.None
                 else
                     Clip.All 0.2),
            Rates = HalvedRate(2.0)
        )

    for rule in [ Rules.rflo; Rules.bptt; Rules.rtrl ] do
        let run every count =
            let session =
                batched (plan rule) (UpdateSchedule(UpdateTime.TrialEnd, every, mean)) case

            session.Run count |> ignore
            Experiments.resultOf session

        // A batch of one trial is not collected first.
        Numbers.isLessThan (Experiments.apart (run trials trials) (run 64 trials)) 1e-11 "one batch"

/// Looking at the end of a run, capturing it and going on is as though it had not ended.
let private goingOn (case: Case) =
    let case = linear case
    let random = Random case.Seed
    let stop = random.Next(1, 6)

    let plan schedule =
        if random.Next 2 = 0 then
            Plasticity(Rules.bptt, 0.05, schedule, Optimizer = Adam())
        else
            Plasticity(Rules.rflo, 0.05, schedule, Readout = RidgeReadout(0.5, 0, 4))

    let schedule = UpdateSchedule(UpdateTime.TrialEnd, 4, true)
    let plasticity = plan schedule

    let make () =
        batched (fun _ -> plasticity) schedule case

    let whole, halves, first, second = make (), make (), make (), make ()
    whole.Run 7 |> ignore
    halves.Run stop |> ignore
    halves.Run(7 - stop) |> ignore

    LawTests.expectSameBits
        "in two calls"
        (Experiments.resultOf whole)
        (Experiments.resultOf halves)

    first.Run stop |> ignore
    let before = Experiments.resultOf first
    second.Restore(first.Capture())
    LawTests.expectSameBits "capturing changes nothing" before (Experiments.resultOf first)

    // A run that is resumed where it ended ends there once more.
    second.Run 0 |> ignore
    LawTests.expectSameBits "resumed at its end" before (Experiments.resultOf second)
    second.Run(7 - stop) |> ignore
    LawTests.expectSameBits "resumed" (Experiments.resultOf whole) (Experiments.resultOf second)

[<Tests>]
let tests =
    testList "updates" [
        test "of any experiment are what plain loops make of the definitions" {
            let tally = Tally()
            forAll (cases 300 20000) RandomCircuits.anyCircuit (plainly tally)
            tally.Demand 0.3
        }

        test "that never come within a trial come at its end, for every rule" {
            forAll (cases 60 3000) RandomCircuits.anyCircuit remainders
        }

        test "by RTRL are those by BPTT, with an optimizer and rates for each projection" {
            let tally = Tally()
            forAll (cases 200 5000) RandomCircuits.anyCircuit (exactRules tally)
            tally.Demand 0.2
        }

        test "of a last batch that is not full are of what it holds" {
            forAll (cases 40 2000) RandomCircuits.anyCircuit lastBatch
        }

        test "of a last batch are taken back where a run goes on" {
            forAll (cases 60 3000) RandomCircuits.anyCircuit goingOn
        }

        test "a bound beyond 0 holds under Dale's law, for either sign" {
            for sign, lower, upper in [ 1y, 0.1, 0.6; -1y, -0.6, -0.1 ] do
                let builder = GraphBuilder()

                let area =
                    AreaSpec(
                        Name = "a",
                        Units = 6,
                        Alpha = Array.create 6 0.2,
                        InitialRates = Array.create 6 0.1
                    )
                    |> builder.AddArea

                let readout = builder.AddReadout(ReadoutSpec(Name = "y", Outputs = 1))

                let projection =
                    ProjectionSpec(
                        Name = "a->a",
                        Source = Source.Area area,
                        Target = Target.Area area,
                        Synapses = Synapses.Dense(Array.create 36 (0.3 * float sign)),
                        Signs = Array.create 6 sign,
                        Lower = lower,
                        Upper = upper,
                        // Large enough that most weights would leave their bounds.
                        Plasticity = Plasticity(BpttRule(), 50.0, UpdateSchedule.TrialEnd)
                    )
                    |> builder.AddProjection

                ProjectionSpec(
                    Name = "a->y",
                    Source = Source.Area area,
                    Target = Target.Readout readout,
                    Synapses =
                        Synapses.Dense(Array.init 6 (fun k -> if k % 2 = 0 then 1.0 else -1.0))
                )
                |> builder.AddProjection
                |> ignore

                let task =
                    Networks.Given(Array.create 20 [||], Array.create 20 [| 1.0 |], (fun _ -> 20))

                let session = Session.Create(builder.Build(), task, 3L)
                session.Run 5 |> ignore
                let weights = session.Weights projection

                Expect.isTrue
                    (Array.forall (fun w -> w >= lower && w <= upper) weights)
                    $"%A{weights}"

                Expect.isTrue
                    (Array.exists (fun w -> abs w = 0.1) weights)
                    $"some weight is at its bound: %A{weights}"
        }

        test "ridge regression solves at the end of a run for the trials that it has" {
            forAll (cases 20 500) RandomCircuits.anyCircuit (fun case ->
                let case = linear case

                let run every =
                    let plan =
                        Plasticity(
                            Rules.rflo,
                            0.05,
                            UpdateSchedule.TrialEnd,
                            Readout = RidgeReadout(0.5, 0, every)
                        )

                    let session =
                        batched (fun _ -> plan) UpdateSchedule.TrialEnd {
                            case with
                                Circuit.Projections =
                                    case.Circuit.Projections
                                    |> List.map (fun one ->
                                        match one.Target with
                                        | Onto _ -> { one with Plastic = false }
                                        | _ -> one)
                        }

                    session.Run 3 |> ignore
                    Array.tail (Experiments.resultOf session)

                LawTests.expectSameBits "one solution" (run 3) (run 64))
        }
    ]

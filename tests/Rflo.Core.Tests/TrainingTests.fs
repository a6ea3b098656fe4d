/// What training does to the weights: learning rate times what a rule would add, when its schedule says so.
module Rflo.Core.Tests.TrainingTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.GradientTests

/// Trials that know nothing of each other, so that a fresh session can be asked about any of them.
let withoutMemory case =
    let reset (area: AreaCase) =
        match area.Start with
        | InitialPolicy.CarriedOver -> {
            area with
                Start = InitialPolicy.Reset
          }
        | _ -> area

    {
        case with
            Circuit.Areas = List.map reset case.Circuit.Areas
    }

let weights (session: Session) case = [
    for index in plastic case -> session.Weights(ProjectionId index)
]

let private grown rates before added =
    List.map3 (fun rate -> Array.map2 (fun w g -> w + rate * g)) rates before added

/// The trial-end rules by turns over the projections, each with its own learning rate: none may see what another
/// has already changed.
let private mixed rules =
    let count = List.length rules
    let rule index = List.item (index % count) rules
    let rate index = 0.01 * float (1 + index)

    {
        asDeclared with
            Plasticity = fun index -> Plasticity(rule index, rate index, UpdateSchedule.TrialEnd)
    },
    rule,
    rate

let private oneTrial rules case =
    let case = withoutMemory case
    let setup, rule, rate = mixed rules
    let session = sessionWith setup case
    let before = weights session case

    let expected = [
        for index in plastic case do
            let own = session.Increments(0, rule index, UpdateTime.TrialEnd)
            nonNull own[index]
    ]

    session.Run 1 |> ignore
    let expected = grown (List.map rate (plastic case)) before expected

    for index, a, b in List.zip3 (plastic case) (weights session case) expected do
        expectClose 1e-13 "weights after a trial" index a b

let private severalTrials mean case =
    let case = withoutMemory case
    let trials, eta = 3, 0.1

    for rule in [ Rules.rflo; Rules.bptt; Rules.rtrl ] do
        let schedule = UpdateSchedule(UpdateTime.TrialEnd, trials, mean)
        let session = sessionWith (learning rule schedule eta) case
        let before = weights session case

        let collected =
            [
                for trial in 0 .. trials - 1 ->
                    increments session case trial rule UpdateTime.TrialEnd
            ]
            |> List.reduce (List.map2 (Array.map2 (+)))

        // Within a run: at its end a batch that is not full is applied for what it holds.
        let unchanged trial (_: float) =
            if trial < trials - 1 then
                Expect.isTrue
                    (List.forall2 sameBits before (weights session case))
                    "not before its time"

        session.Run(trials, System.Action<int, float> unchanged) |> ignore
        let factor = if mean then eta / float trials else eta
        let expected = grown (List.map (fun _ -> factor) before) before collected

        for index, a, b in List.zip3 (plastic case) (weights session case) expected do
            expectClose 1e-13 $"{Rules.name rule}, weights after {trials} trials" index a b

/// Weights that change between trials are others than those at which the increments were taken.
let private afterEveryTrial (tally: Tally) case =
    tally.Count()
    let case = withoutMemory case
    let eta = 1.0

    let change schedule =
        let session = sessionWith (learning Rules.rflo schedule eta) case
        let before = weights session case
        session.Run 3 |> ignore
        List.map2 (Array.map2 (-)) (weights session case) before |> Array.concat

    let together = change (UpdateSchedule(UpdateTime.TrialEnd, 3, false))

    if relative (change UpdateSchedule.TrialEnd) together < 1e-3 then
        tally.Idle()

/// How far the change of a trial, over the learning rate, is from the trial-end sum.
let private distanceOnline rule case =
    let change eta =
        let session = sessionWith (learning rule UpdateSchedule.Online eta) case
        let before = weights session case
        session.Run 1 |> ignore

        List.map2 (Array.map2 (fun a b -> (a - b) / eta)) (weights session case) before
        |> Array.concat

    let sum = increments (session case) case 0 rule UpdateTime.TrialEnd |> Array.concat
    (fun eta -> norm (Array.map2 (-) (change eta) sum)), norm sum

/// At rates of order 1 the distance does not halve with the rate.
let private largeRates (tally: Tally) case =
    tally.Count()
    let distance, _ = distanceOnline Rules.rflo (withoutMemory case)
    let near, nearer = distance 4.0, distance 2.0

    if near = 0.0 || abs (nearer / near - 0.5) < 0.1 then
        tally.Idle()

/// The change of a trial over the learning rate tends to the trial-end sum; the difference halves with the rate.
let private smallRates (tally: Tally) case =
    tally.Count()
    let case = withoutMemory case

    for rule in [ Rules.rflo; Rules.rtrl ] do
        let distance, size = distanceOnline rule case
        let near, nearer = distance 2e-4, distance 1e-4

        if near < 1e-7 * size || near = 0.0 then
            tally.Idle()
        else
            Numbers.isLessThan
                (abs (nearer / near - 0.5))
                0.1
                $"{Rules.name rule}: {near}, {nearer}"

/// Trains without a session, the learners acting in this order or in the reverse.
let private inOrder order setup case =
    let task: ITask = WhiteNoise case

    let network =
        Network<float>(graphWith setup case.Circuit, task.MaxSteps, task.Events, int64 case.Seed)

    let learners: LearnerSet<float> = order (Learners.ForTraining network)

    for trial in 0..2 do
        let stream = RandomStream.OfTrial(int64 case.Seed, "task", int64 trial)
        task.Fill(trial, stream, network.Trial)
        network.Begin(trial, 0)
        learners.Begin(trial, network.Trial.Steps)

        for step in 1 .. network.Trial.Steps do
            network.Step step
            learners.Step step

        learners.End network.Trial.Steps

    [|
        for area in network.Areas do
            yield! area.Afferents.Weights.Dense.Span.ToArray()
            yield! Array.concat area.Afferents.Weights.Sparse
        for readout in network.Readouts do
            yield! readout.Afferents.Weights.Dense.Span.ToArray()
            yield! Array.concat readout.Afferents.Weights.Sparse
    |]

/// Every rule in every form, by turns over the projections and over the circuits.
let private everyForm case = {
    asDeclared with
        Plasticity =
            fun index ->
                let form = AllRules.all[(7 * index + case.Seed) % AllRules.all.Length]
                AllRules.plasticity form 0.05
}

/// What a passive rule collects is what training adds, for each form with plain updates at ends of trials.
let private passiveIsActive =
    AllRules.someOf 2 AllRules.ways (fun form case ->
        if not form.Schedule.IsStepwise then
            let case = withoutMemory case
            let session = sessionWith (AllRules.learningAs form 0.01) case
            let before = weights session case
            let added = increments session case 0 form.Rule UpdateTime.TrialEnd
            session.Run 1 |> ignore

            for index, a, b in
                List.zip3
                    (plastic case)
                    (weights session case)
                    (grown (List.map (fun _ -> 0.01) before) before added) do
                expectClose 1e-13 $"{form.Name}: weights after a trial" index a b)

/// At fixed weights the increments of the steps add up to those of the trial.
let private onlineIsTrialEnd case =
    for rule in AllRules.rules do
        if AllRules.canBeOnline rule.Rule && not (AllRules.needsNoise rule.Rule) then
            let session = session case
            let online = increments session case 0 rule.Rule UpdateTime.Online
            let atEnd = increments session case 0 rule.Rule UpdateTime.TrialEnd

            for index, a, b in List.zip3 (plastic case) online atEnd do
                expectClose 1e-11 $"{rule.Name}: online and at the end" index a b

/// Ten steps of a bounded circuit ask for finite updates, whatever the rule; also where nothing moves at all.
let private finite case =
    for rule in AllRules.rules do
        let fitting = AllRules.fit rule.Rule case

        let still = {
            fitting with
                Circuit.Projections =
                    fitting.Circuit.Projections |> List.map (fun one -> { one with Gain = 0.0 })
        }

        for circuit in [ fitting; still ] do
            let session = session circuit

            for block in increments session circuit 0 rule.Rule UpdateTime.TrialEnd do
                Expect.isTrue (Array.forall Double.IsFinite block) $"{rule.Name}: finite"

/// What a trial leaves behind in traces and influences must not reach the next.
let private afresh (tally: Tally) case =
    tally.Count()
    let case = withoutMemory case
    let eta = 1e-8

    // What remembers more than weights is right not to begin afresh.
    for { Rule = rule; Name = name } in
        AllRules.rules
        |> List.filter (fun one ->
            AllRules.canBeOnline one.Rule
            && not (AllRules.remembers one.Rule || AllRules.needsNoise one.Rule)) do
        let session = sessionWith (learning rule UpdateSchedule.Online eta) case
        session.Run 2 |> ignore
        let before = weights session case
        let expected = increments session case 2 rule UpdateTime.Online |> Array.concat
        session.Run 1 |> ignore

        let change =
            List.map2 (Array.map2 (fun a b -> (a - b) / eta)) (weights session case) before
            |> Array.concat

        if norm expected < 1e-3 then
            tally.Idle()
        else
            // Weights of about 1 are rounded to 1e-16, so changes over 1e-8 are good to 1e-8.
            Numbers.isLessThan
                (norm (Array.map2 (-) change expected))
                (1e-5 * norm expected + 1e-7 * sqrt (float expected.Length))
                name

[<Tests>]
let tests =
    let any, network = RandomCircuits.anyCircuit, RandomCircuits.anyNetwork

    testList "training" [
        test "adds learning rate times increments, each projection by its own rule" {
            forAll (cases 200 3000) any (oneTrial Rules.all)
        }

        test "does not depend on the order in which learners act" {
            forAll (cases 200 5000) any (fun case ->
                let case =
                    (case, AllRules.rules)
                    ||> List.fold (fun case rule -> AllRules.fit rule.Rule case)

                let setup = everyForm case
                let forth, back = inOrder id setup case, inOrder _.Reversed() setup case
                Expect.isTrue (sameBits forth back) "the same bits")
        }

        test "of a trial adds what the same rule collects where it only watches" {
            forAll (cases 60 1000) any passiveIsActive
        }

        test "online and at ends of trials add the same at fixed weights, whatever the rule" {
            forAll (cases 60 1000) any onlineIsTrialEnd
        }

        test "asks for nothing that is not finite, whatever the rule" {
            forAll (cases 60 1000) any finite
        }

        test "by BPTT is training by RTRL" {
            forAll (cases 100 1000) any (fun case ->
                let case = withoutMemory case

                let after rule =
                    let session = sessionWith (learning rule UpdateSchedule.TrialEnd 0.05) case
                    session.Run 3 |> ignore
                    weights session case

                for index, a, b in List.zip3 (plastic case) (after Rules.bptt) (after Rules.rtrl) do
                    expectClose 1e-9 "weights after three trials" index a b)
        }

        test "of several trials adds the sum of their increments, at fixed weights" {
            forAll (cases 100 1000) any (severalTrials false)
        }

        test "of several trials adds the mean of their increments, at fixed weights" {
            forAll (cases 100 1000) any (severalTrials true)
        }

        test "of several trials is another one, where weights change after each" {
            let tally = Tally()
            forAll (cases 60 1000) network (afterEveryTrial tally)
            tally.Demand 0.5
        }

        test "of a trial begins with no traces of the one before" {
            let tally = Tally()
            forAll (cases 100 1000) network (afresh tally)
            tally.Demand 0.3
        }

        test "online tends to trial-end as the learning rate falls" {
            let tally = Tally()
            forAll (cases 50 500) network (smallRates tally)
            tally.Demand 0.4
        }

        test "online at a large rate is not" {
            let tally = Tally()
            forAll (cases 50 500) network (largeRates tally)
            tally.Demand 0.8
        }
    ]

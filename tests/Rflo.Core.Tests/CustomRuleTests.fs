/// Rules that are not the core's own: what they see, what becomes of what they ask for, and what happens when they throw.
module Rflo.Core.Tests.CustomRuleTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.RandomExperiments

let private ofSteps name (start: AreaSite -> LearningStep -> unit) path : LearningRule =
    let start site =
        let step = start site
        Action<LearningStep>(fun now -> step now)

    DefinedRule.OfSteps(name, Func<_, _> start, path)

let private ownRflo path = ofSteps "RFLO by hand" ByHand.rflo path

let private kindOf rule = {
    Experiments.anything with
        Rule = fun _ -> rule
        TauRule = fun _ -> Rules.rtrl
}

/// The same experiment by the core's rule and by the same rule from outside.
let private agree precision tolerance (tally: Tally) (case: Case) =
    let path =
        if case.Seed % 2 = 0 then
            ErrorPath.Feedback
        else
            ErrorPath.Symmetric

    tally.Count()

    let result rule =
        let graph, case = Experiments.graphOf (kindOf rule) case
        let session = Session.Create(graph, WhiteNoise case, int64 case.Seed, precision)
        let status = session.Run 5
        status.End, Experiments.resultOf session

    let finish, expected = result (ThreeFactorRule.Rflo path)

    if
        finish <> RunEnd.Completed
        || Array.exists (fun (x: float[]) -> norm x > 1e3 || Double.IsNaN(norm x)) expected
    then
        tally.Idle()
    else
        let finish, found = result (ownRflo path)
        Expect.equal finish RunEnd.Completed "the end"

        Numbers.isLessThan
            (Experiments.apart expected found)
            tolerance
            "the core's rule and its twin"

/// One area with everything that a step shows.
let private smallWithin limits (change: AreaSpec -> AreaSpec) schedule rule =
    let area = RandomCircuits.one 5 (2.0, 8.0)

    let circuit = {
        area with
            Areas = [ { area.Areas.Head with Noise = 0.1 } ]
            Inputs = [ 2 ]
            Projections = area.Projections @ [ RandomCircuits.plain (Channels 0) (Onto 0) 3 ]
    }

    let setup = {
        asDeclared with
            Plasticity = fun _ -> Plasticity(rule, 0.1, schedule)
            Limits = limits
            Area = fun _ spec -> change spec
    }

    let case = {
        Circuit = circuit
        Task = {
            Lengths = [ 6; 9 ]
            Masked = false
            Events = 0
        }
        Seed = 4
    }

    Session.Create(graphWith setup circuit, WhiteNoise case, 1L)

let private small change schedule rule =
    smallWithin unlimited change schedule rule

/// A rule that remembers the mean of the losses, and asks for as much as they were missed by, at the end of the trial.
let private remembering: LearningRule =
    DefinedRule(
        "remembering",
        Func<_, _>(fun (site: AreaSite) ->
            let mean = [| 0.0 |]
            let seen = Array.zeroCreate<float> site.Units

            {
                new AreaLearner() with
                    member _.Memory = dict [ "mean", mean ] |> Collections.Generic.Dictionary :> _
                    member _.BeginTrial(_, _) = Array.Clear seen

                    member _.ObserveStep now =
                        let rates = now.Rates

                        for i in 0 .. site.Units - 1 do
                            seen[i] <- seen[i] + rates[i]

                    member _.ObserveTrial last =
                        let ask = last.Increments 0
                        let pre = site.Projections[0].Pre

                        for at in 0 .. ask.Length - 1 do
                            ask[at] <- (mean[0] - last.TrialLoss) * seen[at / pre]

                        mean[0] <- 0.7 * mean[0] + 0.3 * last.TrialLoss
            })
    )

let private throwing where : LearningRule =
    DefinedRule(
        "throwing",
        Func<_, _>(fun (_: AreaSite) ->
            let mutable trial = -1

            {
                new AreaLearner() with
                    member _.BeginTrial(number, _) =
                        trial <- number

                        if where = "begin" && number = 2 then
                            failwith "it cannot begin"

                    member _.ObserveStep now =
                        now.Increments(0).Fill 0.01

                        if where = "step" && trial = 2 && now.Step = 3 then
                            failwith "it cannot step"

                    member _.ObserveTrial _ =
                        if where = "trial" && trial = 2 then
                            failwith "it cannot end"
            })
    )

/// RFLO by hand learns in so many trials what the core's learns.
let private byHandIsRflo what trials (sessionOf: LearningRule -> Session) =
    let result rule =
        let session = sessionOf rule
        session.Run(trials: int) |> ignore
        Experiments.resultOf session

    Numbers.isLessThan
        (Experiments.apart (result (ThreeFactorRule.Rflo())) (result (ownRflo ErrorPath.Feedback)))
        1e-11
        what

[<Tests>]
let tests =
    testList "rules of one's own" [
        test "RFLO by hand is RFLO, whatever the circuit, the updates and the limits" {
            let tally = Tally()

            forAll (cases 120 10000) RandomCircuits.anyCircuit (agree Precision.Double 1e-8 tally)

            tally.Demand 0.5
        }

        test "the same in single precision" {
            let tally = Tally()

            forAll (cases 40 3000) RandomCircuits.anyCircuit (agree Precision.Single 2e-3 tally)

            tally.Demand 0.5
        }

        test "traces of units with two states by hand are those of the core, online and at the end" {
            for schedule in
                [
                    UpdateSchedule.Online
                    UpdateSchedule.TrialEnd
                    UpdateSchedule(UpdateTime.EverySteps, 2)
                ] do
                for name, change in
                    [
                        "cut in two", UnitModels.twinOfTwo
                        "adapting", UnitModels.asAdapting
                    ] do
                    byHandIsRflo $"{name}, {schedule.Time}" 12 (small change schedule)
        }

        test "weights that learn by it decay as others do" {
            for schedule in [ UpdateSchedule.TrialEnd; UpdateSchedule.Online ] do
                byHandIsRflo
                    $"{schedule.Time}"
                    4
                    (smallWithin { unlimited with Decay = 0.5 } id schedule)
        }

        test "what it does not write in a step it does not ask for" {
            let asking writesZeros =
                ofSteps
                    "asking"
                    (fun _ now ->
                        let ask = now.Increments 0

                        if writesZeros then
                            ask.Clear()

                        ask[now.Step % ask.Length] <- 1.0)
                    ErrorPath.Feedback

            for schedule in [ UpdateSchedule.TrialEnd; UpdateSchedule.Online ] do
                let result rule =
                    let session = small id schedule rule
                    session.Run 3 |> ignore
                    session.Weights(ProjectionId 0)

                Expect.equal (result (asking false)) (result (asking true)) $"{schedule.Time}"
        }

        test "a step shows the rates, currents, weights, rewards and losses of the step" {
            let seen = Collections.Generic.List<float[]>()

            let looking =
                ofSteps
                    "looking"
                    (fun _ ->
                        fun now ->
                            seen.Add [|
                                yield! now.Rates.ToArray()
                                yield! now.RatesBefore.ToArray()
                                yield! now.Current.ToArray()
                                yield! now.Alpha.ToArray()
                                yield! (now.Pre 1).ToArray()
                                yield! (now.Weights 0).ToArray()
                                now.StepLoss
                                now.Reward
                                float now.Trial
                                float now.Steps
                            |])
                    ErrorPath.Feedback

            let session = small id UpdateSchedule.TrialEnd looking
            session.Run 1 |> ignore
            let shown = session.Replay 0
            Expect.equal seen.Count shown.Steps "called in every step"
            let n = 5
            let rates = shown.Rates[0]

            for t in 1 .. shown.Steps do
                let row = seen[t - 1]
                Expect.equal row[.. n - 1] rates[(t - 1) * n .. t * n - 1] $"rates of step {t}"

                if t > 1 then
                    Expect.equal
                        row[n .. 2 * n - 1]
                        rates[(t - 2) * n .. (t - 1) * n - 1]
                        $"rates before step {t}"

                for i in 0 .. n - 1 do
                    let alpha = row[3 * n + i]

                    Expect.floatClose
                        Accuracy.veryHigh
                        row[i]
                        ((1.0 - alpha) * row[n + i] + alpha * tanh row[2 * n + i])
                        $"h(t) of h(t-1) and u(t), unit {i}"

                Expect.equal
                    row[4 * n .. 4 * n + 1]
                    shown.Inputs[(t - 1) * 2 .. t * 2 - 1]
                    $"signals of step {t}"

                Expect.equal
                    row[4 * n + 2 .. 4 * n + 1 + n * n]
                    (session.Weights(ProjectionId 0))
                    "weights"

                Expect.equal row[4 * n + 3 + n * n] shown.Rewards[t - 1] "reward"
                Expect.equal row[4 * n + 4 + n * n] 0.0 "trial"
                Expect.equal row[4 * n + 5 + n * n] (float shown.Steps) "steps"

            let losses = seen |> Seq.sumBy (fun row -> row[4 * n + 2 + n * n])

            Expect.floatClose
                Accuracy.high
                (losses / float shown.Steps)
                session.Metrics.Losses[0]
                "losses of the steps"
        }

        test "what it remembers is saved: stopped and taken up it goes on as though it never had" {
            for schedule in [ UpdateSchedule.TrialEnd; UpdateSchedule.Online ] do
                let whole, first, second =
                    small id schedule remembering,
                    small id schedule remembering,
                    small id schedule remembering

                let before = whole.Weights(ProjectionId 0)
                whole.Run 9 |> ignore
                first.Run 4 |> ignore
                second.Restore(first.Capture())
                second.Run 5 |> ignore
                Expect.equal (differences (known whole) (known second)) [] $"{schedule.Time}"

                Expect.notEqual
                    (whole.Weights(ProjectionId 0))
                    before
                    "what it asks for at the end of a trial is applied"
        }

        test "one that throws ends the run by name, in the state before the trial" {
            for where, step, says in
                [
                    "begin", 0, "cannot begin"
                    "step", 3, "cannot step"
                    "trial", 9, "cannot end"
                ] do
                for schedule in [ UpdateSchedule.TrialEnd; UpdateSchedule.Online ] do
                    let session, two =
                        small id schedule (throwing where), small id schedule (throwing where)

                    two.Run 2 |> ignore
                    let status = session.Run 5
                    Expect.equal status.End RunEnd.Failed where
                    Expect.equal status.Trial 2 where

                    if where <> "trial" then
                        Expect.equal status.Step step where

                    Expect.stringContains status.Where says where
                    Expect.stringContains status.Where "the rule throwing in area area 0" where
                    Expect.equal (differences (known two) (known session)) [] $"{where}: the state"
        }

        test "one without a description is refused" {
            Expect.throwsT<ArgumentException>
                (fun () ->
                    small id UpdateSchedule.TrialEnd (ofSteps " " ByHand.rflo ErrorPath.Feedback)
                    |> ignore)
                "a run is known by it"
        }
    ]

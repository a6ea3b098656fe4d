/// Time constants that learn: exact under BPTT and RTRL, local under rules that receive an error.
module Rflo.Core.Tests.TauTests

open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let private rate = 1e-3

let private plan rule schedule = Plasticity(rule, rate, schedule)

let private trialEnd rule = plan rule UpdateSchedule.TrialEnd

/// Nothing learns but the time constants.
let private only tau case =
    let frozen = {
        case with
            Circuit.Projections =
                case.Circuit.Projections |> List.map (fun p -> { p with Plastic = false })
    }

    sessionWith { asDeclared with Tau = Some tau } frozen

let private taus (session: Session) = [|
    for area in 0 .. session.Graph.Areas.Count - 1 -> session.TimeConstants(AreaId area)
|]

/// What a rule asks for in the first trial, -dL / d ln tau: the change of ln tau over the rate.
let private asked (session: Session) =
    let before = taus session
    session.Run 1 |> ignore

    Array.map2
        (Array.map2 (fun (a: float) (b: float) -> (log b - log a) / rate))
        before
        (taus session)

/// -dL / d ln tau of the first trial, by central differences.
let private differences (session: Session) =
    let step = 1e-5

    taus session
    |> Array.mapi (fun area own ->
        own
        |> Array.mapi (fun unit _ ->
            let lossAt factor =
                let changed = Array.copy own
                changed[unit] <- own[unit] * factor
                session.SetTimeConstants(AreaId area, changed)
                let loss = session.Replay(0).Loss
                session.SetTimeConstants(AreaId area, own)
                loss

            (lossAt (exp -step) - lossAt (exp step)) / (2.0 * step)))

/// Units whose tau is at dt are held there, and slopes at a kink are no slopes.
let private slow case = {
    case with
        Circuit.Areas =
            case.Circuit.Areas
            |> List.map (fun area -> {
                area with
                    Tau = max 1.5 (fst area.Tau), 1.0 + max 1.5 (snd area.Tau)
            })
}

let private exact (tally: Tally) case =
    let case = slow case
    tally.Count()

    if GradientTests.isNearKink case 0 then
        tally.Idle()
    else
        let bptt = asked (only (trialEnd Rules.bptt) case)
        let rtrl = asked (only (trialEnd Rules.rtrl) case)
        let slopes = differences (only (trialEnd Rules.bptt) case)
        let loss = (only (trialEnd Rules.bptt) case).Replay(0).Loss

        if norm (Array.map norm bptt) < 1e-4 then
            tally.Idle()

        // ln tau is read back to 1e-16 and divided by the rate.
        for area in 0 .. bptt.Length - 1 do
            let difference = norm (Array.map2 (-) bptt[area] rtrl[area])

            Numbers.isLessThanOrEqual
                difference
                (1e-11 * float bptt[area].Length + 1e-10 * norm bptt[area])
                "BPTT and RTRL"

            GradientTests.expectSlope loss area bptt[area] slopes[area]

/// The local rule as rules.md writes it, from what a test trial shows.
let private byDefinition (network: Networks.Network) (trial: Recording) =
    let units = network.Alpha.Length
    let outputs = Array2D.length1 network.Readout

    [|
        for i in 0 .. units - 1 do
            let mutable trace, sum, before = 0.0, 0.0, network.Start[i]

            for t in 0 .. trial.Steps - 1 do
                let now = trial.Rates[0][t * units + i]

                let told =
                    Seq.sum [
                        for k in 0 .. outputs - 1 ->
                            network.Feedback[i, k]
                            * (trial.Targets[t * outputs + k] - trial.Outputs[t * outputs + k])
                    ]

                // phi(u) - h(t-1) = (h(t) - h(t-1)) / alpha, and d alpha / d ln tau = -alpha.
                let direct = (now - before) / network.Alpha[i] * -network.Alpha[i]
                trace <- (1.0 - network.Alpha[i]) * trace + direct
                sum <- sum + told * trace / float trial.Steps
                before <- now

            sum
    |]

let private golden tau =
    Session.Create(
        fst (Networks.graphWithTau tau (fun _ -> null) ReferenceDataTests.golden),
        ReferenceDataTests.goldenGiven (),
        1L
    )

let private expectVector tolerance (expected: float[]) (actual: float[]) =
    for a, e in Seq.zip actual expected do
        Numbers.isLessThan (abs (a - e)) tolerance $"%A{actual} and %A{expected}"

[<Tests>]
let tests =
    testList "time constants" [
        for name, way in
            [
                "BPTT", trialEnd Rules.bptt
                "RTRL", trialEnd Rules.rtrl
                // Every step's part at the same tau, but for changes of the order of the rate.
                "RTRL every 4 steps", plan Rules.rtrl (UpdateSchedule(UpdateTime.EverySteps, 4))
            ] do
            test $"the golden gradient, by {name}" {
                // Its loss is the sum over four steps, its parameter alpha: d alpha / d ln tau = -alpha.
                let wanted =
                    Array.map2
                        (fun alpha slope -> 0.25 * alpha * slope)
                        ReferenceDataTests.golden.Alpha
                        [| -0.678998506538; -0.706339002733; 0.469249426551 |]

                expectVector 1e-11 wanted (Array.head (asked (golden way)))
            }

        test "the local form is its definition" {
            let session = golden (trialEnd Rules.rflo)
            let wanted = byDefinition ReferenceDataTests.golden (session.Replay 0)
            Numbers.isGreaterThan (norm wanted) 1e-3 "something is asked"
            expectVector 1e-11 wanted (Array.head (asked session))
        }

        for name, arbitrary in
            [
                "a network", RandomCircuits.anyNetwork
                "any circuit", RandomCircuits.anyCircuit
            ] do
            test $"of {name}: BPTT = RTRL = finite differences" {
                let tally = Tally()
                forAll (cases 100 3000) arbitrary (exact tally)
                tally.Demand 0.3
            }

        test "without recurrent weights RFLO with symmetric feedback is exact" {
            let tally = Tally()

            forAll (cases 100 2000) RandomCircuits.anyNetwork (fun case ->
                let case = slow case

                let cut = {
                    case with
                        Circuit.Projections =
                            case.Circuit.Projections
                            |> List.filter (fun projection ->
                                match projection.Source, projection.Target with
                                | (Rates _ | Fed _), Onto _ -> false
                                | _ -> true)
                }

                tally.Count()
                let local = asked (only (trialEnd Rules.local) cut)
                let exact = asked (only (trialEnd Rules.bptt) cut)

                if norm (Array.map norm exact) < 1e-4 then
                    tally.Idle()

                for a, b in Array.zip local exact do
                    expectVector (1e-11 + 1e-10 * norm b) b a)

            tally.Demand 0.5
        }

        test "online is trial-end as the rate falls" {
            let apart rate =
                let final schedule =
                    let session = golden (Plasticity(Rules.rflo, rate, schedule))
                    session.Run 1 |> ignore
                    session.TimeConstants(AreaId 0)

                norm (Array.map2 (-) (final UpdateSchedule.Online) (final UpdateSchedule.TrialEnd))
                / rate

            Numbers.isGreaterThan (apart 1e-1) 1e-6 "they differ at a large rate"
            Numbers.isLessThan (apart 1e-3) (0.05 * apart 1e-1) "and agree at a small one"
        }

        test "no tau falls below dt, and one that is held there can rise again" {
            let session = golden (Plasticity(Rules.bptt, 1e6, UpdateSchedule.TrialEnd))
            session.Run 1 |> ignore
            let held = session.TimeConstants(AreaId 0)
            Expect.isTrue (Array.contains 1.0 held) $"one is held: %A{held}"
            Expect.isTrue (Array.forall (fun tau -> tau >= 1.0) held) $"none is below: %A{held}"

            let free = golden (Plasticity(Rules.bptt, 10.0, UpdateSchedule.TrialEnd))
            free.SetTimeConstants(AreaId 0, [| 1.0; 1.0; 1.0 |])
            free.Run 20 |> ignore

            Expect.isTrue
                (Array.exists (fun tau -> tau > 1.0) (free.TimeConstants(AreaId 0)))
                "one rose"
        }

        test "learning them lowers the loss where weights are frozen" {
            for rule in [ Rules.bptt; Rules.rtrl; Rules.local ] do
                let session = golden (Plasticity(rule, 0.5, UpdateSchedule.TrialEnd))
                session.Run 200 |> ignore

                Numbers.isLessThan
                    session.Metrics.Losses[199]
                    (0.95 * session.Metrics.Losses[0])
                    (Rules.name rule)
        }

        test "a rate of 0 changes nothing, bit for bit" {
            for rule in [ Rules.bptt; Rules.rtrl; Rules.rflo ] do
                let session = golden (Plasticity(rule, 0.0, UpdateSchedule.TrialEnd))
                let before = taus session
                session.Run 5 |> ignore
                LawTests.expectSameBits (Rules.name rule) before (taus session)
        }

        test "a rule without a form for them is refused" {
            for rule: LearningRule in
                [
                    StochasticRule InfluenceFactors.RankOne :> LearningRule
                    ThreeFactorRule(ErrorPath.Feedback, Third = ThirdFactor.TaskReward)
                ] do
                Expect.throwsT<System.ArgumentException>
                    (fun () -> golden (trialEnd rule) |> ignore)
                    (string rule)
        }
    ]

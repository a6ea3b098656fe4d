/// A run that was stopped between two trials and taken up elsewhere gives the same bits as one that never stopped.
module Rflo.Core.Tests.ResumeTests

open System.Collections.Generic
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.LawTests

/// A local rule with every running mean that there is.
let private centred third : LearningRule =
    ThreeFactorRule(
        ErrorPath.Feedback,
        Post = PostSignal.Current,
        PostShaping = Shaping 0.3,
        PreShaping = Shaping 0.2,
        PreAlpha = 0.5,
        Third = third,
        ThirdShaping = Shaping 0.25
    )

let private adam = Adam()
let private momentum = Momentum()
let private falling = HalvedRate(3.0)

/// Readouts by least squares where they can, by the delta rule elsewhere.
let private least readout =
    Plasticity(Rules.rflo, 0.05, UpdateSchedule.TrialEnd, Readout = readout)

/// Everything that can be in the middle of something at the end of a trial.
let private plasticities =
    let plain rule schedule = Plasticity(rule, 0.05, schedule)
    let everyThird = UpdateSchedule(UpdateTime.TrialEnd, 3, true)
    let everySecondStep = UpdateSchedule(UpdateTime.EverySteps, 2)

    [
        for form in AllRules.all do
            form.Name, AllRules.plasticity form 0.05

        "Adam, every third trial",
        Plasticity(
            Rules.rflo,
            0.01,
            everyThird,
            Optimizer = adam,
            Clip = Clip.Each 0.5,
            Rates = falling
        )
        "momentum online", Plasticity(Rules.rflo, 0.01, UpdateSchedule.Online, Optimizer = momentum)
        "Adam on BPTT",
        Plasticity(
            Rules.bptt,
            0.01,
            UpdateSchedule.TrialEnd,
            Optimizer = adam,
            Clip = Clip.Each 0.5
        )
        "every second step", plain Rules.rflo everySecondStep
        "recursive least squares", least (RlsReadout(0.5, 0.98))
        "ridge regression", least (RidgeReadout(0.5, 1))
        "ridge regression, trials in hand", least (RidgeReadout(0.5, 0, 3))
        "TD", least (TdReadout(0.9, 0.5))

        "TD online",
        Plasticity(
            Rules.rflo,
            0.05,
            UpdateSchedule.Online,
            Optimizer = adam,
            Readout = TdReadout(0.9, 0.5)
        )
        "trials in hand", plain Rules.bptt (UpdateSchedule(UpdateTime.TrialEnd, 4))
        "running means", plain (centred ThirdFactor.Error) UpdateSchedule.TrialEnd
        "running means online", plain (centred ThirdFactor.StepReward) UpdateSchedule.Online
        "mean reward of trials", plain (centred ThirdFactor.TrialReward) UpdateSchedule.TrialEnd
    ]

let private result (session: Session) = [|
    yield! allWeights session
    for area in 0 .. session.Graph.Areas.Count - 1 do
        session.TimeConstants(AreaId area)
        session.BestTimeConstants(AreaId area)
        session.InitialStates(AreaId area)
        session.BestInitialStates(AreaId area)
    yield! Array.init session.Graph.Projections.Count (fun k -> session.BestWeights(ProjectionId k))
    session.Metrics.CopyLosses()
    for feedback in 0 .. session.Graph.Feedbacks.Count - 1 do
        session.Metrics.CopyAlignments feedback
    for series in session.Metrics.Probes do
        Array.map float (series.CopyTrials())
        series.CopyValues()
|]

let private trials = 7

/// A session that knows nothing but what was captured in another one after `stop` trials.
let private takenUp make stop =
    let first: Session = make ()
    let status = first.Run stop
    let second: Session = make ()
    second.Restore(first.Capture())
    Expect.equal second.TrialsDone first.TrialsDone "trials done"

    // A run that diverges ends there, whether it was stopped or not.
    if status.End = RunEnd.Completed then
        second.Run(trials - stop) |> ignore

    second

let private withLinearReadouts (rule: ReadoutRule) (case: Circuits.Case) = {
    case with
        Circuit = {
            case.Circuit with
                Readouts =
                    case.Circuit.Readouts
                    |> List.map (fun readout -> {
                        readout with
                            Outputs = if rule :? TdReadout then 1 else readout.Outputs
                            Kind = OutputKind.Linear
                            Loss = None
                    })
        }
}

/// Time constants learn too, where the rule knows how.
let private tauOf (plasticity: Plasticity) =
    match plasticity.Rule with
    | :? BpttRule
    | :? RtrlRule -> Some plasticity
    | :? ThreeFactorRule as local when local.LearnsTau -> Some plasticity
    | _ -> None

/// And initial states.
let private initialOf (plasticity: Plasticity) =
    match plasticity.Rule with
    | :? BpttRule
    | :? TruncatedBpttRule
    | :? RtrlRule -> Some plasticity
    | :? ThreeFactorRule as local when local.LearnsInitialStates -> Some plasticity
    | _ -> None

let private resumes (tally: Tally) way (plasticity: Plasticity) case =
    let setup = {
        asDeclared with
            Plasticity = fun _ -> plasticity
            Limits =
                if plasticity.Readout = ReadoutRule.Delta then
                    { unlimited with Decay = 0.1 }
                else
                    unlimited
            Tau = tauOf plasticity
            Initial = initialOf plasticity
    }

    let case =
        if plasticity.Readout = ReadoutRule.Delta then
            AllRules.fit plasticity.Rule case
        else
            withLinearReadouts plasticity.Readout case

    let passive name rule =
        PassiveRule(name, rule, UpdateTime.TrialEnd)

    let make () =
        let session = sessionWith setup case
        session.KeepBest()

        session.Watch [|
            WeightChangeProbe 2
            AngleProbe(2, passive "own" null, passive "bptt" Rules.bptt)
            AngleProbe(
                3,
                passive "mean" (centred ThirdFactor.TrialReward),
                passive "bptt" Rules.bptt
            )
        |]

        session

    tally.Count()
    let whole = make ()

    if (whole.Run trials).End <> RunEnd.Completed then
        tally.Idle()

    for stop in [ 0; 2; 5 ] do
        expectSameBits $"{way}, stopped after {stop}" (result whole) (result (takenUp make stop))

/// A session whose state the tests may spoil.
let private captured () =
    let plasticity =
        Plasticity(
            Rules.rflo,
            0.01,
            UpdateSchedule.TrialEnd,
            Optimizer = adam,
            Clip = Clip.Each 0.5
        )

    let setup = {
        asDeclared with
            Plasticity = fun _ -> plasticity
    }

    let case =
        Gen.sampleWithSeed (Rnd 7UL) 10 20 RandomCircuits.circuits
        |> Array.find (fun case -> plastic case <> [])

    let session = sessionWith setup case
    session.KeepBest()
    session.Run 3 |> ignore
    session, Dictionary(session.Capture())

let private refused spoil (part: string) =
    let session, state = captured ()
    let before = result session
    spoil state

    let message =
        try
            session.Restore state
            ""
        with :? System.ArgumentException as e ->
            e.Message

    Expect.stringContains message part "names the part"
    expectSameBits "nothing changed" before (result session)

[<Tests>]
let tests =
    testList "resume" [
        for way, plasticity in plasticities do
            test $"resumed is never stopped, bit for bit: {way}" {
                let tally = Tally()
                forAll (cases 12 300) RandomCircuits.anyCircuit (resumes tally way plasticity)
                tally.Demand 0.5
            }

        test "a state with a part too many is refused, and nothing is changed" {
            refused (fun state -> state.Add("weights.nowhere", [| 1.0 |])) "weights.nowhere"
        }

        test "a state with a part too few is refused, and nothing is changed" {
            refused
                (fun state -> state.Remove "plastic0.trialsCollected" |> ignore)
                "plastic0.trialsCollected"
        }

        test "a state with a part of another length is refused, and nothing is changed" {
            refused (fun state -> state["weights.projection0"] <- [| 1.0 |]) "weights.projection0"
        }

        test "a state with counts that are none is refused, and nothing is changed" {
            let spoilt part count =
                refused (fun state -> state[part] <- [| count |]) part

            for count in [ 0.5; -2.0; nan; infinity; 1e300 ] do
                spoilt "plastic0.trialsCollected" count
                spoilt "metrics.trials" count
                spoilt "best.window" count
        }

        test "a spoiled state is taken up or refused, and nothing else" {
            let random = System.Random 5

            let numbers = [|
                nan
                infinity
                -1.0
                0.5
                1e300
                -1e300
                System.Double.Epsilon
                2147483648.0
            |]

            for _ in 1 .. cases 200 20_000 do
                let session, state = captured ()
                let parts = Array.ofSeq state.Keys
                let part = parts[random.Next parts.Length]
                let values = Array.copy state[part]

                if values.Length > 0 && random.Next 8 > 0 then
                    values[random.Next values.Length] <- numbers[random.Next numbers.Length]
                    state[part] <- values
                else
                    state[part] <- Array.truncate (random.Next(values.Length + 1)) values

                try
                    session.Restore state
                    session.Run 2 |> ignore
                with :? System.ArgumentException as e ->
                    Expect.stringContains e.Message "state" "says what is wrong"
        }

        test "a run that stopped early and is taken up has stopped" {
            let make () =
                let session, _ = captured ()
                session.Stopping <- Stopping(nan, 1, 2)
                session

            let first = make ()
            let status = first.Run 1000
            Expect.equal status.End RunEnd.Stopped "it stops"
            let second = make ()
            second.Restore(first.Capture())
            Expect.equal (second.Run 10) status "it stays stopped"
            expectSameBits "not a trial more" (result first) (result second)
        }

        test
            "a state whose best weights were chosen by another window is refused, and nothing is changed" {
            refused (fun state -> state["best.window"] <- [| 7.0 |]) "the mean loss of 7 trials"
        }

        test "a state with metrics of another length is refused, and nothing is changed" {
            refused (fun state -> state["metrics.losses"] <- [| 1.0 |]) "metrics.losses"
        }
    ]

/// Early stopping, the best weights and curricula look at means of trials that have a target, and at nothing else.
module Rflo.Core.Tests.StoppingTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.LawTests

// ---- by definition ------------------------------------------------------------------------------

/// Mean losses after every trial, NaN where there were too few with a target: 64ths, so that any order of a sum gives the same bits.
let private means window (losses: float[]) =
    losses
    |> Array.mapi (fun trial _ ->
        let counted = losses[..trial] |> Array.filter (Double.IsNaN >> not)

        if counted.Length < window then
            nan
        else
            Array.average counted[counted.Length - window ..])

/// The trial after which a run with these losses stops; none where it goes on.
let private stopsAfter (stopping: Stopping) (losses: float[]) =
    let means = means stopping.Window losses

    let isNoUse trial =
        let before = means[..trial]

        let reached =
            not (Double.IsNaN losses[trial]) && before[trial] <= stopping.TargetLoss

        let since =
            match Array.filter (Double.IsNaN >> not) before with
            | [||] -> 0
            | known ->
                let best = Array.findIndex ((=) (Array.min known)) before

                losses[best + 1 .. trial] |> Array.filter (Double.IsNaN >> not) |> Array.length

        reached || (stopping.Patience > 0 && since >= stopping.Patience)

    Seq.tryFind isNoUse (seq { 0 .. losses.Length - 1 })

let private bestTrial window losses =
    let means = means window losses

    match Array.filter (Double.IsNaN >> not) means with
    | [||] -> -1
    | known -> Array.findIndex ((=) (Array.min known)) means

/// The stage of a curriculum in which every trial is trained.
let private stagesOf (stages: CurriculumStage list) (trials: (float * float)[]) =
    let rec go (stages: CurriculumStage list) stage (past: (float * float) list) left =
        match stages, left with
        | _, [] -> []
        | [], _ -> List.map (fun _ -> stage) left
        | first :: rest, trial :: more ->
            let past = trial :: past
            let lastOf values = List.truncate first.Trials values
            let losses = past |> List.map fst |> List.filter (Double.IsNaN >> not) |> lastOf
            let rewards = past |> List.map snd |> lastOf

            let isPassed =
                rewards.Length = first.Trials
                && List.average rewards > first.RewardAbove
                && (Double.IsPositiveInfinity first.LossBelow
                    || (losses.Length = first.Trials && List.average losses < first.LossBelow))

            stage
            :: (if isPassed then
                    go rest (stage + 1) [] more
                else
                    go stages stage past more)

    go stages 0 [] (List.ofArray trials)

// ---- drawn cases --------------------------------------------------------------------------------

/// A loss, or none.
let private loss =
    Gen.frequency [
        3, Gen.map (fun k -> float k / 64.0) (Gen.choose (0, 64))
        1, Gen.constant nan
    ]

let private losses =
    Gen.choose (0, 40) |> Gen.bind (fun count -> Gen.arrayOfLength count loss)

let private stopping =
    gen {
        let! window = Gen.choose (1, 6)
        let! patience = Gen.choose (0, 8)
        let! target = Gen.elements [ nan; 0.0; 0.25; 0.5 ]
        return Stopping(target, patience, window)
    }

let private stage =
    gen {
        let! trials = Gen.choose (1, 4)
        let! below = Gen.elements [ infinity; 0.25; 0.5; 0.75 ]
        let! above = Gen.elements [ -infinity; 0.0; 0.5 ]
        return CurriculumStage(trials, below, above)
    }

let private curriculum =
    gen {
        let! stages =
            Gen.choose (1, 3) |> Gen.bind (fun count -> Gen.listOfLength count stage)

        let! trials =
            Gen.zip loss (Gen.map (fun k -> float k / 4.0) (Gen.choose (-2, 4)))
            |> Gen.arrayOfLength 40

        return stages, trials
    }

let private measured (losses: float[]) =
    let metrics = Metrics 0
    metrics.Reserve losses.Length

    fun window ->
        metrics.LookAt window

        fun (loss: float) ->
            metrics.Add(loss, Double.IsNaN loss, 0.0, 0.0, 1)
            metrics

// ---- sessions -----------------------------------------------------------------------------------

/// Some trials of a task have no target at all.
type private Gaps(task: ITask, isGap: int -> bool) =
    interface ITask with
        member _.Inputs = task.Inputs
        member _.Outputs = task.Outputs
        member _.MaxSteps = task.MaxSteps
        member _.Events = task.Events
        member _.GivesRewards = task.GivesRewards

        member _.Fill(trial, stream, into) =
            task.Fill(trial, stream, into)

            if isGap trial then
                into.Mask.AsSpan().Clear()

let private plasticity = Plasticity(Rules.bptt, 0.05, UpdateSchedule.TrialEnd)

/// A session with gaps, that keeps its best weights and learns its time constants.
let private session (case: Circuits.Case) stopping =
    let case = AllRules.fit Rules.bptt case

    let setup = {
        asDeclared with
            Plasticity = fun _ -> plasticity
            Tau = Some plasticity
            Initial = Some plasticity
    }

    let plain = sessionWith setup case

    let gaps = Gaps(plain.Task, fun trial -> (trial * 7 + case.Seed) % 3 = 0)

    let session = Session.Create(plain.Graph, gaps, int64 case.Seed)
    session.Stopping <- stopping
    session.KeepBest()
    session

let private now (session: Session) = [|
    yield! allWeights session
    for area in 0 .. session.Graph.Areas.Count - 1 do
        session.TimeConstants(AreaId area)
        session.InitialStates(AreaId area)
|]

let private best (session: Session) = [|
    yield! Array.init session.Graph.Projections.Count (fun k -> session.BestWeights(ProjectionId k))
    for area in 0 .. session.Graph.Areas.Count - 1 do
        session.BestTimeConstants(AreaId area)
        session.BestInitialStates(AreaId area)
|]

let private trials = 12

let private keeps (tally: Tally) (case, stopping: Stopping) =
    tally.Count()
    let whole = session case stopping
    let status = whole.Run trials
    let losses = whole.Metrics.CopyLosses()

    if status.End = RunEnd.Diverged then
        tally.Idle()
    else
        if not (Array.exists Double.IsNaN losses) then
            tally.Idle()

        // The best weights are those with which the last trial of the best window began.
        let expected =
            match bestTrial stopping.Window losses with
            | -1 -> whole.TrialsDone - 1
            | best -> best

        let until = session case (Stopping(nan, 0, stopping.Window))
        until.Run expected |> ignore
        expectSameBits "the best weights and time constants" (now until) (best whole)

        // A run that goes on elsewhere stops where it would have, with the same best weights.
        for stop in [ 1; 5; 8 ] do
            let first = session case stopping
            first.Run stop |> ignore
            let second = session case stopping
            second.Restore(first.Capture())
            let ended = second.Run(trials - second.TrialsDone)

            if ended.End = RunEnd.Stopped || status.End = RunEnd.Stopped then
                Expect.equal ended status $"ends as never stopped, after {stop}"

            expectSameBits $"resumed after {stop}" (now whole) (now second)
            expectSameBits $"best, resumed after {stop}" (best whole) (best second)

[<Tests>]
let tests =
    testList "stopping" [
        test "a run stops by the mean loss of trials that have a target, as defined" {
            forAll
                (cases 300 3000)
                (Arb.fromGen (Gen.zip stopping losses))
                (fun (stopping, losses) ->
                    let add = measured losses stopping.Window

                    let found =
                        losses
                        |> Seq.tryFindIndex (fun loss -> not (isNull (stopping.Reason(add loss))))

                    Expect.equal found (stopsAfter stopping losses) "the trial")
        }

        test "the best trial is that of the smallest mean, whichever window is set when" {
            forAll
                (cases 300 3000)
                (Arb.fromGen (Gen.zip stopping losses))
                (fun (stopping, losses) ->
                    let add = measured losses 50
                    let all = losses |> Array.map add |> Array.tryLast

                    match all with
                    | None -> ()
                    | Some metrics ->
                        metrics.LookAt stopping.Window

                        Expect.equal
                            metrics.BestTrial
                            (bestTrial stopping.Window losses)
                            "the trial")
        }

        test "a curriculum goes on by the losses of trials that have a target, as defined" {
            forAll (cases 300 3000) (Arb.fromGen curriculum) (fun (stages, trials) ->
                let choice = CurriculumChoice(Array.ofList stages)
                let state: float[] = Array.zeroCreate choice.StateLength

                let found = [
                    for loss, reward in trials do
                        choice.Stage
                        choice.Learned(loss, reward)
                        // Whatever is saved is all that there is.
                        choice.Save state
                        choice.Restore state
                ]

                Expect.equal found (stagesOf stages trials) "stages")
        }

        test "a trial without a target has no loss, and is no divergence" {
            let tally = Tally()

            forAll (cases 20 200) RandomCircuits.anyCircuit (fun case ->
                tally.Count()
                let session = session case Stopping.Never
                let status = session.Run 6

                if status.End = RunEnd.Completed && session.Graph.Outputs > 0 then
                    for trial in 0..5 do
                        let isEmpty =
                            session.Replay(trial).Mask
                            |> Array.forall (fun weight -> weight <= 0.0)

                        Expect.equal
                            (Double.IsNaN session.Metrics.Losses[trial])
                            isEmpty
                            $"trial {trial}"
                else
                    tally.Idle())

            tally.Demand 0.5
        }

        test
            "the best weights are those of the smallest mean loss, and a resumed run keeps the same" {
            let tally = Tally()

            forAll
                (cases 25 300)
                (Arb.fromGen (Gen.zip RandomCircuits.circuits stopping))
                (keeps tally)

            tally.Demand 0.5
        }

        test
            "without a target there is no reward by the loss: nothing is learned, and no mean moves" {
            let rule =
                ThreeFactorRule(
                    ErrorPath.Feedback,
                    Third = ThirdFactor.TrialReward,
                    ThirdShaping = Shaping 0.25
                )

            let setup = {
                asDeclared with
                    Plasticity = fun _ -> Plasticity(rule, 0.1, UpdateSchedule.TrialEnd)
            }

            let tally = Tally()

            forAll (cases 20 200) RandomCircuits.anyCircuit (fun case ->
                tally.Count()
                let case = AllRules.fit rule case
                let plain = sessionWith setup case

                let session =
                    Session.Create(plain.Graph, Gaps(plain.Task, (<>) 0), int64 case.Seed)

                let ofAreas () =
                    session.Graph.Projections
                    |> Seq.mapi (fun k spec -> k, spec)
                    |> Seq.filter (fun (_, spec) -> not spec.Target.IsReadout)
                    |> Seq.map (fun (k, _) -> session.Weights(ProjectionId k))
                    |> Array.ofSeq

                session.Run 1 |> ignore

                let means =
                    session.Capture()
                    |> Seq.filter (fun part -> part.Key.Contains "third")
                    |> Array.ofSeq

                let before = ofAreas ()
                session.Run 3 |> ignore
                expectSameBits "weights" before (ofAreas ())

                for part in means do
                    expectSameBits part.Key [| part.Value |] [| session.Capture()[part.Key] |]

                if before.Length = 0 then
                    tally.Idle())

            tally.Demand 0.5
        }

        test "a window below 1 is refused" {
            let case = Gen.sampleWithSeed (Rnd 7UL) 10 1 RandomCircuits.circuits |> Array.head
            let session = session case Stopping.Never

            Expect.throwsT<ArgumentOutOfRangeException>
                (fun () -> session.Stopping <- Stopping(nan, 0, 0))
                "window"
        }
    ]

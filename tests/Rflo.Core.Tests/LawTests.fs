/// What must hold whatever the circuit and the rule: nothing changes that should not, and the same seed gives the
/// same bits.
module Rflo.Core.Tests.LawTests

open System
open System.Threading.Tasks
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore

let allWeights (session: Session) =
    Array.init session.Graph.Projections.Count (fun index -> session.Weights(ProjectionId index))

let expectSameBits what a b =
    Expect.isTrue (Array.forall2 sameBits a b) what

/// Every form of every rule, on some of the circuits each.
let private eachForm share check =
    AllRules.someOf share AllRules.all (fun form case ->
        check form.Name (AllRules.learningAs form) case)

/// Weights, losses and alignments, as bits.
let private after trials (session: Session) =
    session.Run trials |> ignore

    [|
        yield! allWeights session
        session.Metrics.CopyLosses()
    |]

let private rateZero =
    eachForm 5 (fun way setup case ->
        let session = sessionWith (setup 0.0) case
        let before = allWeights session
        session.Run 5 |> ignore
        expectSameBits way before (allWeights session))

let private frozen =
    eachForm 5 (fun way setup case ->
        let session = sessionWith (setup 0.1) case
        let before = allWeights session
        session.Run 5 |> ignore
        let now = allWeights session

        for index, projection in List.indexed case.Circuit.Projections do
            if not projection.Plastic then
                Expect.isTrue (sameBits before[index] now[index]) $"{way}, projection {index}")

let private looking =
    eachForm 10 (fun way setup case ->
        let undisturbed = after 6 (sessionWith (setup 0.05) case)
        let session = sessionWith (setup 0.05) case

        // A run that diverges ends there, whoever looks.
        let rec go trial =
            for k, rule in List.indexed AllRules.rules do
                if (k + trial + case.Seed) % 4 = 0 && not (AllRules.needsNoise rule.Rule) then
                    session.Increments(trial + 7, rule.Rule, UpdateTime.TrialEnd) |> ignore

            session.Test(trial + 1) |> ignore
            session.Replay(trial) |> ignore

            if (session.Run 1).End = RunEnd.Completed && trial < 5 then
                go (trial + 1)

        go 0

        expectSameBits way undisturbed [|
            yield! allWeights session
            session.Metrics.CopyLosses()
        |])

/// A replay shows what training would have shown: the same loss, if nothing is learned.
let private testing case =
    let session = sessionWith (learning Rules.rflo UpdateSchedule.TrialEnd 0.0) case

    for trial in 0..5 do
        let tested = (session.Replay trial).Loss
        session.Run 1 |> ignore
        Expect.isTrue (sameBits [| tested |] [| session.Metrics.Losses[trial] |]) $"trial {trial}"

let private sameSeed =
    eachForm 5 (fun way setup case ->
        let run () = after 4 (sessionWith (setup 0.05) case)
        let first = run ()
        expectSameBits $"{way}, again" first (run ())
        let threads = [| for _ in 1..2 -> Task.Run run |]

        for thread in threads do
            expectSameBits $"{way}, on two threads" first thread.Result)

let private otherSeed (tally: Tally) case =
    tally.Count()

    let run seed =
        after 2 (session { case with Seed = seed })

    if Array.forall2 sameBits (run case.Seed) (run (case.Seed + 1)) then
        tally.Idle()

// ---- what holds weights -------------------------------------------------------------------------

/// Masks, signs and bounds after every trial; and whether a weight was clipped to 0, and whether one grew back.
type private Watch(case: Case, limits: Limits) =
    let drawn =
        case.Circuit.Projections
        |> List.map (fun one -> one, draw case.Circuit one)
        |> Array.ofList

    let clipped = Array.map (fun _ -> Collections.Generic.HashSet<int>()) drawn
    member val HasClipped = false with get, set
    member val HasRegrown = false with get, set

    member this.Look(session: Session, way) =
        for index in 0 .. drawn.Length - 1 do
            let projection, arrays = drawn[index]
            let columns = Array2D.length2 arrays.Weights

            let places = [|
                for i in 0 .. Array2D.length1 arrays.Exists - 1 do
                    for j in 0 .. columns - 1 do
                        if arrays.Exists[i, j] || projection.Layout = Dense then
                            i, j
            |]

            let signs = signsOf limits projection arrays
            let weights = session.Weights(ProjectionId index)

            for k in 0 .. weights.Length - 1 do
                let i, j = places[k]
                let w = weights[k]

                if not arrays.Exists[i, j] then
                    Expect.isTrue (sameBits [| w |] [| 0.0 |]) $"{way}: absent weight {w}"
                elif projection.Plastic && not (Double.IsNaN w) then
                    match signs with
                    | Some signs ->
                        Expect.isTrue (float signs[j] * w >= 0.0) $"{way}: sign of {w}"

                        if w = 0.0 then
                            clipped[index].Add k |> ignore
                            this.HasClipped <- true
                        elif clipped[index].Contains k then
                            this.HasRegrown <- true
                    | None -> ()

                    Expect.isTrue (w >= limits.Lower && w <= limits.Upper) $"{way}: bounds of {w}"

let private held limits (clipping: Tally) (regrowth: Tally) =
    AllRules.someOf 15 AllRules.all (fun form case ->
        let setup = {
            AllRules.learningAs form 0.2 with
                Limits = limits
        }

        let watch = Watch(case, limits)
        let session = sessionWith setup case
        let trials = if form.Schedule.IsStepwise then 50 else 200
        let mutable status = session.Run 1

        while status.End = RunEnd.Completed && session.TrialsDone < trials do
            watch.Look(session, form.Name)
            status <- session.Run 1

        clipping.Count()
        regrowth.Count()

        if not watch.HasClipped then
            clipping.Idle()

        if not watch.HasRegrown then
            regrowth.Idle())

/// One weight from the constant 1 to a readout: arithmetic that can be done by hand.
let private oneWeight plasticity limits start target =
    let builder = GraphBuilder()

    let area =
        AreaSpec(Name = "area", Units = 1, Alpha = [| 1.0 |], InitialRates = [| 0.0 |])
        |> builder.AddArea

    ignore area
    let readout = builder.AddReadout(ReadoutSpec(Name = "readout", Outputs = 1))

    let id =
        ProjectionSpec(
            Name = "offset",
            Source = Source.One,
            Target = Target.Readout readout,
            Synapses = Synapses.Dense [| start |],
            Plasticity = plasticity,
            Lower = limits.Lower,
            Upper = limits.Upper,
            Decay = limits.Decay
        )
        |> builder.AddProjection

    let task = Networks.Given([||], Array.create 4 [| target |], (fun _ -> 4))
    Session.Create(builder.Build(), task, 1L), id

let private only (session: Session) id = Array.exactlyOne (session.Weights id)

let private decays schedule expected =
    let limits = { unlimited with Decay = 0.5 }
    let plasticity = Plasticity(Rules.rflo, 0.1, schedule)
    let session, id = oneWeight plasticity limits 2.0 2.0
    session.Run 1 |> ignore
    Expect.floatClose Accuracy.veryHigh (only session id) expected "weight after a trial"

let private bounded bound target =
    let limits = {
        unlimited with
            Lower = -bound
            Upper = bound
    }

    let plasticity = Plasticity(Rules.rflo, 0.5, UpdateSchedule.TrialEnd)
    let session, id = oneWeight plasticity limits 0.0 target
    session.Run 20 |> ignore
    Expect.equal (only session id) (Math.Clamp(target, -bound, bound)) "weight"

// ---- gates --------------------------------------------------------------------------------------

/// Every projection between areas waits for an event that never happens.
type private NoEvent(inner: ITask) =
    interface ITask with
        member _.Inputs = inner.Inputs
        member _.Outputs = inner.Outputs
        member _.MaxSteps = inner.MaxSteps
        member _.Events = 2

        member _.Fill(trial, stream, into) =
            let own = Trial(inner.MaxSteps, inner.Inputs, inner.Outputs, inner.Events)
            inner.Fill(trial, stream, own)
            into.Steps <- own.Steps
            own.Inputs.CopyTo(into.Inputs, 0)
            own.Targets.CopyTo(into.Targets, 0)
            own.Mask.CopyTo(into.Mask, 0)

            for t in 0 .. own.Steps - 1 do
                into.Events[2 * t] <- own.EventKinds > 0 && own.Events[t * own.EventKinds]
                into.Events[2 * t + 1] <- false

let private shut case =
    let isAreas (projection: ProjectionCase) =
        match projection.Source, projection.Target with
        | Rates _, Onto _ -> true
        | _ -> false

    let close (projection: ProjectionCase) =
        if isAreas projection then
            {
                projection with
                    Gate = Gate.AtEvent 1
            }
        else
            projection

    let closed = {
        case with
            Circuit.Projections = List.map close case.Circuit.Projections
    }

    let session =
        Session.Create(graph closed.Circuit, NoEvent(WhiteNoise closed), int64 case.Seed)

    let loss = (session.Replay 0).Loss

    for index, projection in List.indexed closed.Circuit.Projections do
        if isAreas projection then
            for rule in AllRules.rules do
                if
                    projection.Plastic
                    && not (AllRules.needsNoise rule.Rule)
                    && not (AllRules.forgets rule.Rule)
                then
                    let learned = (session.Increments(0, rule.Rule, UpdateTime.TrialEnd))[index]
                    Expect.equal (norm (nonNull learned)) 0.0 $"{rule.Name} learns nothing"

            let weights = session.Weights(ProjectionId index)
            session.SetWeights(ProjectionId index, Array.map (fun w -> 5.0 * w + 1.0) weights)

    Expect.isTrue (sameBits [| loss |] [| (session.Replay 0).Loss |]) "passes nothing"

let private many count check =
    forAll (cases count (20 * count)) RandomCircuits.anyCircuit check

[<Tests>]
let tests =
    testList "laws" [
        test "a learning rate of 0 changes nothing, bit for bit" { many 60 rateZero }
        test "frozen weights stay as they are, bit for bit" { many 60 frozen }
        test "looking at a run changes nothing of it, bit for bit" { many 60 looking }
        test "a trial that is replayed is what training would show, bit for bit" {
            many 100 testing
        }
        test "the same seed gives the same bits, on any thread" { many 40 sameSeed }

        test "another seed gives other numbers" {
            let tally = Tally()
            many 60 (otherSeed tally)
            tally.Demand 0.2
        }

        test "absent weights stay 0, and Dale's signs never flip; a clipped weight can grow back" {
            let clipping, regrowth = Tally(), Tally()
            many 20 (held { unlimited with Dale = true } clipping regrowth)
            clipping.Demand 0.9
            regrowth.Demand 0.97
        }

        test "weights stay within their bounds" {
            many
                10
                (held
                    {
                        unlimited with
                            Lower = -4.0
                            Upper = 4.0
                    }
                    (Tally())
                    (Tally()))
        }

        test "L2 decay at the end of a trial takes rate * decay * weight" {
            decays UpdateSchedule.TrialEnd (2.0 * (1.0 - 0.1 * 0.5))
        }

        test "L2 decay after every second trial takes it once" {
            let limits = { unlimited with Decay = 0.5 }
            let plasticity = Plasticity(Rules.rflo, 0.1, UpdateSchedule(UpdateTime.TrialEnd, 2))
            let session, id = oneWeight plasticity limits 2.0 2.0
            session.Run 2 |> ignore
            Expect.floatClose Accuracy.veryHigh (only session id) 1.9 "weight"
        }

        test "L2 decay online takes a T-th of it in every step" {
            // Each step: w <- w (1 - 0.1 * 0.5 / 4) + 0.1 / 4 * (2 - w before).
            let expected =
                (2.0, [ 1..4 ])
                ||> List.fold (fun w _ -> w * (1.0 - 0.05 / 4.0) + 0.1 / 4.0 * (2.0 - w))

            decays UpdateSchedule.Online expected
        }

        test "whatever the rule, a trial's decay is shared out among its updates" {
            // Without targets there are no errors, so nothing but decay changes a weight.
            let steps, rate, decay = 9, 0.1, 0.5

            let area = RandomCircuits.one 4 (2.0, 8.0)

            let circuit = {
                area with
                    Projections = area.Projections @ [ RandomCircuits.plain Bias (Onto 0) 3 ]
            }

            let task = {
                new ITask with
                    member _.Inputs = 0
                    member _.Outputs = 1
                    member _.MaxSteps = steps
                    member _.Events = 0
                    member _.Fill(_, _, into) = into.Mask.AsSpan().Clear()
            }

            for form in AllRules.ways do
                if AllRules.asksForError form.Rule && not (AllRules.needsNoise form.Rule) then
                    let setup = {
                        AllRules.learningAs form rate with
                            Limits = { unlimited with Decay = decay }
                    }

                    let session = Session.Create(graphWith setup circuit, task, 1L)
                    let before = [ for k in 0..2 -> session.Weights(ProjectionId k) ]
                    session.Run 1 |> ignore

                    for k in 0..2 do
                        let updates =
                            match form.Rule with
                            | _ when not form.Schedule.IsStepwise -> 1
                            | :? TruncatedBpttRule as truncated when k <> 1 ->
                                (steps + truncated.Stride - 1) / truncated.Stride
                            | _ -> steps

                        let left = (1.0 - rate * decay / float updates) ** float updates

                        Numbers.isLessThan
                            (relative
                                (session.Weights(ProjectionId k))
                                (Array.map (fun weight -> left * weight) before[k]))
                            1e-12
                            $"{form.Name}, projection {k}"
        }

        test "bounds are exact, and a weight that is held can leave them again" {
            bounded 0.5 3.0
            bounded 0.5 -3.0
        }

        test "a shut gate passes nothing, and its projection learns nothing" { many 60 shut }
    ]

/// Readouts that learn by recursive least squares and by ridge regression, against the sums of squares that they minimise.
module Rflo.Core.Tests.LeastSquaresTests

open System
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.Circuits
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.LawTests
open Rflo.Core.Tests.Networks
open Rflo.Core.Tests.ReferenceDataTests

let private ontoReadout (projection: ProjectionCase) =
    match projection.Target with
    | Read readout -> Some readout
    | Onto _ -> None

let private byReadout rule =
    Plasticity(Rules.rflo, 1.0, UpdateSchedule.TrialEnd, Readout = rule)

/// Circuits of linear readouts, none fed back, in which nothing but readouts learns: what the readouts hear does not
/// depend on what they learn.
let private reservoir (case: Case) = {
    case with
        Circuit = {
            case.Circuit with
                Readouts =
                    case.Circuit.Readouts
                    |> List.map (fun readout -> {
                        readout with
                            Kind = OutputKind.Linear
                            Loss = None
                    })
                Projections =
                    case.Circuit.Projections
                    |> List.filter (fun p ->
                        match p.Source with
                        | Fed _ -> false
                        | _ -> true)
                    |> List.map (fun p -> {
                        p with
                            Plastic = p.Plastic && (ontoReadout p).IsSome
                    })
        }
}

let private sessionOf rule case =
    sessionWith
        {
            asDeclared with
                Plasticity = fun _ -> byReadout rule
        }
        case

// ---- the definition -----------------------------------------------------------------------------

/// Solves a small system by elimination with pivots.
let private solve (matrix: float[,]) (right: float[]) =
    let n = right.Length

    let rows =
        Array.init n (fun i ->
            Array.append [| for j in 0 .. n - 1 -> matrix[i, j] |] [| right[i] |])

    for k in 0 .. n - 1 do
        let pivot = Seq.maxBy (fun i -> abs (rows[i][k])) (seq { k .. n - 1 })
        let swapped = rows[k]
        rows[k] <- rows[pivot]
        rows[pivot] <- swapped

        for i in k + 1 .. n - 1 do
            let factor = rows[i][k] / rows[k][k]

            for j in k..n do
                rows[i][j] <- rows[i][j] - factor * rows[k][j]

    let found = Array.zeroCreate n

    for i in n - 1 .. -1 .. 0 do
        let known = Seq.sum (seq { for j in i + 1 .. n - 1 -> rows[i][j] * found[j] })
        found[i] <- (rows[i][n] - known) / rows[i][i]

    found

/// The connections of one output that exist: projection, row-major place among its weights as a session gives them,
/// and the signal of a step in a recording.
let private arriving (case: Case) readout output = [
    for index, projection in List.indexed case.Circuit.Projections do
        if ontoReadout projection = Some readout then
            let drawn = draw case.Circuit projection
            let mutable place = 0

            for i in 0 .. Array2D.length1 drawn.Exists - 1 do
                for j in 0 .. Array2D.length2 drawn.Exists - 1 do
                    let isKept = drawn.Exists[i, j] || projection.Layout = Dense

                    if drawn.Exists[i, j] && i = output then
                        let signal (recording: Recording) step =
                            match projection.Source with
                            | Rates(area, _) ->
                                let units = case.Circuit.Areas[area].Units

                                let unit =
                                    drawn.From |> Option.map (Array.item j) |> Option.defaultValue j

                                recording.Rates[area][step * units + unit]
                            | _ -> 1.0

                        index, place, projection.Plastic, signal

                    if isKept then
                        place <- place + 1
]

/// One step that counts: what is asked, how much it counts and what arrives.
type private Sample = {
    Asked: float
    Mask: float
    Recording: Recording
    Step: int
}

/// The weights of an output that minimise the sum of share * m |y* - W s|^2 over its samples, in order, plus
/// alpha |W - W0|^2, where both lose a factor with each later sample.
let private minimum forgetting alpha (toStart: bool) arriving (weights: float[][]) samples =
    let learned = arriving |> List.filter (fun (_, _, isPlastic, _) -> isPlastic)
    let frozen = arriving |> List.filter (fun (_, _, isPlastic, _) -> not isPlastic)
    let n = learned.Length

    let start = [|
        for index, place, _, _ in learned -> weights[index][place]
    |]

    let matrix = Array2D.init n n (fun i j -> if i = j then alpha else 0.0)

    let right =
        if toStart then
            Array.map ((*) alpha) start
        else
            Array.zeroCreate n

    for sample in samples do
        let signals = [|
            for _, _, _, signal in learned -> signal sample.Recording sample.Step
        |]

        let rest =
            sample.Asked
            - Seq.sum (
                seq {
                    for index, place, _, signal in frozen ->
                        weights[index][place] * signal sample.Recording sample.Step
                }
            )

        for i in 0 .. n - 1 do
            right[i] <- forgetting * right[i] + sample.Mask * rest * signals[i]

            for j in 0 .. n - 1 do
                matrix[i, j] <- forgetting * matrix[i, j] + sample.Mask * signals[i] * signals[j]

    solve matrix right

let private trials = 4

/// Every weight onto a readout is the minimum of what was collected in all trials; those that are frozen or do not
/// exist are as they were.
let private minimises name rule forgetting alpha toStart counts case =
    let case = reservoir case
    let session: Session = sessionOf rule case
    let before = allWeights session
    let recordings = ResizeArray<Recording>()

    for trial in 0 .. trials - 1 do
        recordings.Add(session.Replay trial)
        session.Run 1 |> ignore

    let after = allWeights session
    let expected = before |> Array.map Array.copy
    let mutable first = 0

    for readout, spec in List.indexed case.Circuit.Readouts do
        for output in 0 .. spec.Outputs - 1 do
            let arriving = arriving case readout output
            let all = session.Graph.Outputs

            let samples = [
                for recording in recordings do
                    for step in 0 .. recording.Steps - 1 do
                        let at = step * all + first + output

                        if recording.Mask[at] <> 0.0 && counts (step + 1) then
                            {
                                Asked = recording.Targets[at]
                                Mask = recording.Mask[at]
                                Recording = recording
                                Step = step
                            }
            ]

            let found = minimum forgetting alpha toStart arriving before samples

            arriving
            |> List.filter (fun (_, _, isPlastic, _) -> isPlastic)
            |> List.iteri (fun k (index, place, _, _) -> expected[index][place] <- found[k])

        first <- first + spec.Outputs

    for index in 0 .. after.Length - 1 do
        Numbers.isLessThan
            (relative after[index] expected[index])
            1e-9
            $"{name}, projection {index}"

        if not case.Circuit.Projections[index].Plastic then
            Expect.isTrue (sameBits after[index] before[index]) $"{name}, frozen projection {index}"

let private onMany check =
    forAll (cases 60 2000) RandomCircuits.anyCircuit check

// ---- laws ---------------------------------------------------------------------------------------

/// Between two solutions weights stay as they are, and each solution is that of all trials before it.
let private solvesEvery (tally: Tally) case =
    let case = reservoir case
    let random = Random case.Seed
    let every, washout = random.Next(2, 5), random.Next 3

    /// The weights before the first trial and after each, within one run, which solves for a last batch at its end alone.
    let weights every =
        let session: Session = sessionOf (RidgeReadout(0.5, washout, every)) case
        let seen = ResizeArray [ allWeights session ]
        session.Run(7, (fun _ _ -> seen.Add(allWeights session))) |> ignore
        seen

    let always, sometimes = weights 1, weights every
    Expect.equal sometimes.Count 8 "trials"
    tally.Count()

    if Array.forall2 sameBits always[0] always[1] then
        tally.Idle()

    for trial in 0..7 do
        expectSameBits
            $"after trial {trial}, solved after every {every}"
            sometimes[trial]
            always[trial / every * every]

let private withoutWeights (session: Session) =
    for index in 0 .. session.Graph.Projections.Count - 1 do
        let spec = session.Graph.Projections[index]

        if spec.Target.IsReadout && not (isNull spec.Plasticity) then
            let id = ProjectionId index
            session.SetWeights(id, Array.map (fun _ -> 0.0) (session.Weights id))

/// From weights of 0, recursive least squares that forget nothing are ridge regression after every trial.
let private agrees (tally: Tally) case =
    let case = reservoir case
    let recursive: Session = sessionOf (RlsReadout 0.5) case
    let ridge: Session = sessionOf (RidgeReadout 0.5) case
    withoutWeights recursive
    withoutWeights ridge
    tally.Count()

    for trial in 1..6 do
        recursive.Run 1 |> ignore
        ridge.Run 1 |> ignore

        let mutable moved = false

        for index in plastic case do
            let a, b = recursive.Weights(ProjectionId index), ridge.Weights(ProjectionId index)
            moved <- moved || norm a > 0.0
            // Both are sums in different orders; the scale is that of numbers of order 1.
            Numbers.isLessThan
                (norm (Array.map2 (-) a b))
                (1e-12 * (1.0 + norm a))
                $"after {trial} trials"

        if not moved && trial = 6 then
            tally.Idle()

/// A step is better told after it was learned than before.
let private improves (tally: Tally) case =
    let case = reservoir case

    let case = {
        case with
            Task = { case.Task with Lengths = [ 1 ] }
            Circuit = {
                case.Circuit with
                    Areas =
                        case.Circuit.Areas
                        |> List.map (fun area -> {
                            area with
                                Start = InitialPolicy.Reset
                        })
            }
    }

    let session: Session = sessionOf (RlsReadout(0.5, 0.95)) case

    for trial in 0..5 do
        let before = (session.Replay trial).Loss
        session.Run 1 |> ignore
        let after = (session.Replay trial).Loss
        tally.Count()

        if after = before then
            tally.Idle()

        if Double.IsNaN before then
            Expect.isTrue (Double.IsNaN after) "no error where no target counts"
            tally.Idle()
        else
            Numbers.isLessThanOrEqual after before "the error of the step that was learned"

// ---- golden -------------------------------------------------------------------------------------

let private goldenRls rule =
    let network = {
        golden with
            Readout = Array2D.zeroCreate 2 3
            Offset = [||]
    }

    let plasticity name : Plasticity | null =
        if name = "readout" then byReadout rule else null

    let graph, projections = graph plasticity network
    let inputs, targets = goldenTask
    let session = Session.Create(graph, Given(inputs, targets, (fun _ -> 4)), 1L)
    session.Run 1 |> ignore
    session.Weights(List.last projections)

let private printed = [|
    0.362091823507
    0.052733863477
    -0.513801823559
    -0.173909091328
    -0.172940899117
    -0.372743491750
|]

// ---- the matrix P -------------------------------------------------------------------------------

let private symmetric rule case =
    let case = reservoir case

    let setup = {
        asDeclared with
            Plasticity = fun _ -> byReadout rule
    }

    let task: ITask = WhiteNoise case

    let network =
        Network<float32>(graphWith setup case.Circuit, task.MaxSteps, task.Events, int64 case.Seed)

    let learners = Learners.ForTraining network

    for trial in 0..3 do
        task.Fill(trial, RandomStream.OfTrial(int64 case.Seed, "task", int64 trial), network.Trial)
        network.Begin(int64 trial, 0)
        learners.Begin(trial, network.Trial.Steps)

        for step in 1 .. network.Trial.Steps do
            network.Step step
            learners.Step step

        learners.End network.Trial.Steps

    for learner in learners.Learners do
        for problem in (learner :?> LeastSquares<float32>).Problems do
            let matrix = problem.Matrix

            for i in 0 .. matrix.Size - 1 do
                for j in 0 .. i - 1 do
                    let a, b =
                        matrix.Span[i * matrix.Stride + j], matrix.Span[j * matrix.Stride + i]

                    Expect.isTrue (sameBits [| a |] [| b |]) $"[{i}, {j}]"

[<Tests>]
let tests =
    testList "least squares" [
        test "recursive least squares are the minimum of what was asked so far" {
            onMany (minimises "RLS" (RlsReadout 0.5) 1.0 0.5 true (fun _ -> true))
        }

        test "with forgetting, the minimum of what was asked lately" {
            onMany (minimises "RLS" (RlsReadout(0.5, 0.9)) 0.9 0.5 true (fun _ -> true))
        }

        test "every second step only" {
            onMany (
                minimises "RLS" (RlsReadout(0.5, 1.0, 2)) 1.0 0.5 true (fun step -> step % 2 = 0)
            )
        }

        test "ridge regression is the minimum of what was collected" {
            onMany (minimises "ridge" (RidgeReadout 0.5) 1.0 0.5 false (fun _ -> true))
        }

        test "without the washout of every trial, and solved every fourth trial" {
            onMany (
                minimises "ridge" (RidgeReadout(0.5, 3, 4)) 1.0 0.5 false (fun step -> step > 3)
            )
        }

        test "ridge regression moves no weight but in every k-th trial" {
            let tally = Tally()
            onMany (solvesEvery tally)
            tally.Demand 0.3
        }

        test "recursive least squares that forget nothing are ridge regression, after every trial" {
            let tally = Tally()
            onMany (agrees tally)
            tally.Demand 0.3
        }

        test "a step is told no worse after it was learned" {
            let tally = Tally()
            onMany (improves tally)
            tally.Demand 0.3
        }

        test "the golden weights" {
            for rule in [ RlsReadout 1.0 :> ReadoutRule; RidgeReadout 1.0 ] do
                Array.iter2
                    (fun (a: float) b -> Numbers.isLessThan (abs (a - b)) 1e-11 (string rule))
                    (goldenRls rule)
                    printed
        }

        test "P and the Gram matrix are symmetric to the bit, also in a run of single precision" {
            onMany (symmetric (RlsReadout(0.01, 0.97)))
            onMany (symmetric (RidgeReadout 0.01))
        }

        test "where rounding hides alpha, ridge regression gives the smallest weights that fit" {
            // Three units that are one, at 2^10: the Gram matrix is 2^20 everywhere, and its second pivot exactly 0.
            let network = {
                golden with
                    Alpha = Array.create 3 0.5
                    Start = Array.create 3 2048.0
                    Recurrent = Array2D.zeroCreate 3 3
                    Input = Array2D.zeroCreate 3 0
                    Bias = Array.zeroCreate 3
                    Offset = [||]
            }

            let plasticity name : Plasticity | null =
                if name = "readout" then
                    byReadout (RidgeReadout 1e-13)
                else
                    null

            let graph, projections = graph plasticity network
            let task = Given([||], [| [| 1024.0; -3072.0 |] |], (fun _ -> 1))
            let session = Session.Create(graph, task, 1L)
            session.Run 1 |> ignore

            Numbers.isLessThan
                (relative (session.Weights(List.last projections)) [|
                    for share in [ 1.0; -3.0 ] do
                        for _ in 1..3 -> share / 3.0
                |])
                1e-9
                "weights"
        }
    ]

/// The core against numbers computed by others: a public implementation, the author's notebook, and vectors that
/// anybody can rebuild.
module Rflo.Core.Tests.ReferenceDataTests

open System
open System.IO
open System.Text.Json
open Expecto
open Rflo.Core
open Rflo.Core.Tests.Checking
open Rflo.Core.Tests.InCore
open Rflo.Core.Tests.Networks

let read name =
    let folder = Path.Combine(AppContext.BaseDirectory, "data")
    (JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, name)))).RootElement

let at (path: string) (json: JsonElement) =
    path.Split '/'
    |> Array.fold (fun (one: JsonElement) name -> one.GetProperty name) json

let list (json: JsonElement) = Array.ofSeq (json.EnumerateArray())
let vector json = list json |> Array.map _.GetDouble()
let rows json = list json |> Array.map vector
let matrix json = array2D (rows json)
let number path json = (at path json).GetDouble()
let private none = Array2D.zeroCreate<float> 0 0

let anyRate = Plasticity(ThreeFactorRule.Rflo(), 1.0, UpdateSchedule.TrialEnd)

/// Every projection's numbers, one after the other.
let private together (blocks: float[] seq) = Array.concat blocks

// ---- per-step gradients of a public implementation ----------------------------------------------

/// Blocks of a row [W | W_in | b] or [W_out | b_out] of all units, in the order of our projections.
let private split (widths: int list) (gradient: float[][]) =
    (0, widths)
    ||> List.mapFold (fun from width ->
        together [ for row in gradient -> row[from .. from + width - 1] ], from + width)
    |> fst

let private perStepGradients rule name time =
    let data = read "gradients.json"
    let units, channels = int (number "n" data), int (number "n_in" data)
    let steps = int (number "T" data)

    let network = {
        Alpha = Array.create units (1.0 / number "tau" data)
        Start = vector (at "h0" data)
        Recurrent = matrix (at "weights/W_rec" data)
        Input = matrix (at "weights/W_in" data)
        Bias = vector (at "weights/b_rec" data)
        Readout = matrix (at "weights/W_out" data)
        Offset = vector (at "weights/b_out" data)
        Feedback = matrix (at "B" data)
    }

    // Trial k has k + 1 steps, so differences of trials are single steps; the file has gradients, not updates.
    let task =
        Given(rows (at "x" data), rows (at "ystar" data), (fun trial -> trial + 1))

    let graph, _ = graph (fun _ -> anyRate) network
    let session = Session.Create(graph, task, 1L)

    let sums =
        Array.init steps (fun trial -> [
            for block in session.Increments(trial, rule, time) ->
                nonNull block |> Array.map (fun g -> -g * float (trial + 1))
        ])

    let recurrent = list (at $"gradients/{name}/rec" data)
    let readout = list (at $"gradients/{name}/out" data)

    for t in 0 .. steps - 1 do
        let expected =
            split [ units; channels; 1 ] (rows recurrent[t])
            @ split [ units; 1 ] (rows readout[t])

        let ours =
            if t = 0 then
                sums[0]
            else
                List.map2 (Array.map2 (-)) sums[t] sums[t - 1]

        for index, (a, b) in List.indexed (List.zip ours expected) do
            Numbers.isLessThan (relative a b) 1e-10 $"{name}, step {t + 1}, projection {index}"

// ---- the author's notebook ----------------------------------------------------------------------

/// The notebook counts t = 0 and divides by T where T - 1 steps are made: rates and losses are converted.
let private notebook file schedule =
    let data = read file
    let units, steps = int (number "n" data), int (number "T" data)
    let share = float (steps - 1) / float steps

    let wave t =
        let phase = 2.0 * Math.PI * float t / float steps
        sin phase + 0.5 * sin (2.0 * phase) + 0.25 * sin (4.0 * phase)

    let network = {
        Alpha = Array.create units (1.0 / number "tau" data)
        Start = Array.create units (number "h0" data)
        Recurrent = matrix (at "initial/W" data)
        Input = none
        Bias = [||]
        Readout = matrix (at "initial/W_out" data)
        Offset = [||]
        Feedback = matrix (at "initial/B" data)
    }

    let rate name =
        Plasticity(
            ThreeFactorRule.Rflo(),
            share * number (if name = "readout" then "eta_W_out" else "eta_W") data,
            schedule
        )

    let graph, projections = graph rate network
    let targets = [| for t in 1 .. steps - 1 -> [| wave t |] |]
    let session = Session.Create(graph, Given([||], targets, (fun _ -> steps - 1)), 1L)
    let trials = int (number "trials" data)
    let status = session.Run trials
    Expect.equal status.End RunEnd.Completed (string status)

    let close what (ours: float[]) expected =
        Numbers.isLessThan (relative ours expected) 1e-9 what

        Array.iter2
            (fun a b ->
                Numbers.isLessThan (abs (a - b)) (1e-9 * (1.0 + abs b)) $"{what}, one by one")
            ours
            expected

    close "losses" (Array.map ((*) share) (session.Metrics.CopyLosses())) (vector (at "loss" data))
    close "alignments" (session.Metrics.CopyAlignments 0) (vector (at "alignment" data))
    close "final W" (session.Weights projections[0]) (flat (matrix (at "final/W" data)))
    close "final W_out" (session.Weights projections[1]) (flat (matrix (at "final/W_out" data)))
    Numbers.isGreaterThan (session.Alignment 0) 0.5 "it has aligned"

// ---- vectors without a file ---------------------------------------------------------------------

let golden = {
    Alpha = [| 0.2; 0.5; 0.9 |]
    Start = Array.init 3 (fun i -> 0.1 * float (i + 1))
    Recurrent = Array2D.init 3 3 (fun i j -> 0.9 * sin (float (1 + 2 * i + 3 * j)))
    Input = Array2D.init 3 2 (fun i j -> 0.7 * cos (float (1 + i + 2 * j)))
    Bias = Array.init 3 (fun i -> 0.1 * float (i - 1))
    Readout = Array2D.init 2 3 (fun k j -> 0.8 * sin (float (2 + k + 2 * j)))
    Offset = [| 0.05; -0.05 |]
    Feedback = Array2D.init 3 2 (fun i k -> cos (float (3 * i - 2 * k + 1)))
}

/// Inputs and targets of its four steps.
let goldenTask =
    Array.init 4 (fun s -> Array.init 2 (fun j -> sin (float (1 + s + 2 * j)))),
    Array.init 4 (fun s -> Array.init 2 (fun k -> cos (0.5 * float s + float k)))

let goldenGiven () =
    let inputs, targets = goldenTask
    Given(inputs, targets, (fun _ -> 4))

let goldenSession () =
    Session.Create(fst (graph (fun _ -> anyRate) golden), goldenGiven (), 1L)

/// The sum over the four steps, without 1/T, of a rule's gradient: [W | W_in | b] and [W_out | b_out].
let goldenGradient rule =
    let blocks =
        goldenSession().Increments(0, rule, UpdateTime.TrialEnd)
        |> Seq.map (fun block -> nonNull block |> Array.map (fun g -> -4.0 * g))
        |> List.ofSeq

    let row width i (block: float[]) =
        block[i * width .. i * width + width - 1]

    [|
        for i in 0..2 -> together [ row 3 i blocks[0]; row 2 i blocks[1]; row 1 i blocks[2] ]
    |],
    [|
        for k in 0..1 -> together [ row 3 k blocks[3]; row 1 k blocks[4] ]
    |]

/// Printed with twelve decimals.
let private asPrinted what (ours: float[][]) (printed: float list list) =
    for i, row in List.indexed printed do
        for j, value in List.indexed row do
            Numbers.isLessThan (abs (ours[i][j] - value)) 1e-11 $"{what} [{i}, {j}]"

let private exact = [
    [
        -0.054861355564
        -0.046005854338
        0.004437440205
        -0.334681945100
        0.120838885095
        -0.443775030766
    ]
    [
        0.033942115557
        0.093074164049
        0.087910199075
        0.986964429532
        -0.062615443921
        0.683526373575
    ]
    [
        0.051183205138
        0.010602402362
        -0.057676101788
        -0.357709251141
        -0.032107468842
        0.079400633000
    ]
]

let private exactReadout = [
    [
        -0.325412254056
        -0.027327697843
        0.551801030890
        -1.758374457109
    ]
    [
        0.071074120518
        0.232900907545
        0.815603372903
        0.013634065092
    ]
]

let private byRflo = [
    [
        0.005303195235
        -0.030608201332
        -0.064576971015
        -0.247202428956
        -0.060291204947
        -0.112253293120
    ]
    [
        0.043493931139
        0.081375144241
        0.055817068570
        0.727104211267
        -0.062331430837
        0.598754039727
    ]
    [
        -0.106275263663
        -0.077505409505
        0.082519795129
        -0.908654693847
        0.351430518441
        -0.972310058047
    ]
]

/// S1, the sum of all entries, and S2, each times its row and column counted from 1.
let goldenSums (gradient: float[][]) =
    let sum weight =
        Seq.sum (
            seq {
                for i in 0..2 do
                    for j in 0..5 -> weight i j * gradient[i][j]
            }
        )

    [|
        sum (fun _ _ -> 1.0)
        sum (fun i j -> float ((i + 1) * (j + 1)))
    |]

/// A trace that remembers by the unit's own Jacobian.
let private snap path : LearningRule =
    ThreeFactorRule(path, Memory = TraceMemory.OwnJacobian)

/// No trace at all: each step's own product.
let private noMemory: LearningRule =
    ThreeFactorRule(ErrorPath.Symmetric, Memory = TraceMemory.None)

[<Tests>]
let tests =
    testList "reference data" [
        for time, rule, name in
            [
                for time in [ UpdateTime.Online; UpdateTime.TrialEnd ] do
                    time, Rules.rflo, "rflo"
                    time, Rules.local, "local-symmetric"
                    time, Rules.rtrl, "rtrl"
                    time, Rules.rtrlByFeedback, "rtrl-random-feedback"
                UpdateTime.TrialEnd, Rules.bpttByFeedback, "rtrl-random-feedback"
            ] do
            test $"{Rules.name rule}, {time}, takes the published steps of {name}" {
                perStepGradients rule name time
            }

        test "300 trials of the notebook, updated at their ends" {
            notebook "notebook-rflo-trial-end.json" UpdateSchedule.TrialEnd
        }

        test "300 trials of the notebook, updated online" {
            notebook "notebook-rflo-online.json" UpdateSchedule.Online
        }

        test "the golden forward pass" {
            let trial = goldenSession().Replay 0
            Expect.floatClose Accuracy.veryHigh (4.0 * trial.Loss) 1.2443404912084852 "loss"

            asPrinted "rates at the end" [| trial.Rates[0][9..] |] [
                [ 0.191415223052; 0.212989799873; 0.430573929942 ]
            ]

            asPrinted "outputs at the end" [| trial.Outputs[6..] |] [
                [ -0.035957497111; 0.034522184156 ]
            ]
        }

        for rule in [ Rules.bptt; Rules.rtrl ] do
            test $"the golden gradient, by {Rules.name rule}" {
                let ours, readout = goldenGradient rule
                asPrinted "gradient" ours exact
                asPrinted "readout" readout exactReadout
            }

        test "the golden steps of RFLO" {
            let ours, readout = goldenGradient Rules.rflo
            asPrinted "gradient" ours byRflo
            asPrinted "readout" readout exactReadout
        }

        for name, rule, first, second in
            [
                "RFLO with symmetric feedback", Rules.local, 0.711735535792, 8.582713352779
                "SnAp-1 with symmetric feedback",
                snap ErrorPath.Symmetric,
                0.643145647593,
                7.538985510689
                "SnAp-1 with B", snap ErrorPath.Feedback, -0.211006358693, -5.499922095518
                "SnAp-0", noMemory, 0.753169879232, 7.960024397218
                "truncated BPTT, every error over one step",
                TruncatedBpttRule(1, 1),
                0.753169879232,
                7.960024397218
                "truncated BPTT, every error over two steps",
                TruncatedBpttRule(2, 1),
                0.920972495263,
                9.442726541895
                "truncated BPTT, window after window of two steps",
                TruncatedBpttRule(2, 2),
                0.986185378763,
                10.533250423978
            ] do
            test $"the golden sums of {name}" {
                let ours, _ = goldenGradient rule
                asPrinted "sums" [| goldenSums ours |] [ [ first; second ] ]
            }
    ]

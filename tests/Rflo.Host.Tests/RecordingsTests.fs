/// Activity of many trials in files of numpy, and tasks from them.
module Rflo.Host.Tests.RecordingsTests

open System
open System.IO
open Expecto
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Host
open Rflo.Runs
open Rflo.Host.Tests.Processes

let private ok result =
    match result with
    | Ok found -> found
    | Error problems -> failtest (problems |> List.map Problem.text |> String.concat "\n")

let private cortex =
    area "cortex" 5 |> tau 10.0<ms> |> units (UnitModel.lif 1.0) |> recordStates

let private x = input "x" 3
let private y, z = readout "y" 2, readout "z" 1

let private network =
    Circuit.empty
    |> areas [ cortex; area "motor" 2 ]
    |> inputs [ x ]
    |> readouts [ y ]
    |> projections [
        x --> cortex
        cortex --> area "motor" 2
        cortex --> y |> learningRate 0.01
    ]

/// Trials of several lengths.
let private decision =
    experiment "decision" network (Task.perceptualDecision PerceptualDecision.standard)
    |> trials 2

let private shown =
    lazy
        (let initial = (ok (Run.train { decision with Trials = 0 })).Initial
         ok (Run.performWith initial decision decision.Task 6))

let private same (a: Activity list) (b: Activity list) =
    let matrix (m: Matrix<float>) = m.ToArray()

    let all (parts: Map<string, Matrix<float>>) =
        parts |> Map.map (fun _ m -> m.ToArray())

    Expect.equal b.Length a.Length "trials"

    for one, other in List.zip a b do
        Expect.equal other.Loss one.Loss "loss"
        Expect.equal (other.Performance.ToString "R") (one.Performance.ToString "R") "performance"
        Expect.equal other.Conditions one.Conditions "conditions"
        Expect.equal (matrix other.Inputs) (matrix one.Inputs) "inputs"
        Expect.equal (matrix other.Targets) (matrix one.Targets) "targets"
        Expect.equal (matrix other.Mask) (matrix one.Mask) "mask"
        Expect.equal other.Rewards one.Rewards "rewards"
        Expect.isNonEmpty one.Events "there are events"
        Expect.equal other.Events one.Events "events"
        Expect.equal (all other.Outputs) (all one.Outputs) "outputs"
        Expect.equal (all other.Rates) (all one.Rates) "rates"
        Expect.isNonEmpty one.States "there are states"
        Expect.equal (all other.States) (all one.States) "states"
        Expect.equal other.Readouts one.Readouts "readouts"

let private fails (words: string) (body: unit -> unit) =
    let said =
        try
            body ()
            "nothing"
        with error ->
            error.Message

    Expect.stringContains said words ""

[<Tests>]
let tests =
    testList "recordings" [
        test "come back as they were saved, each trial of its length" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "r.npz")
                let lengths = shown.Value |> List.map _.Inputs.RowCount |> List.distinct
                Numbers.isGreaterThan lengths.Length 1 "lengths"
                Recordings.save file shown.Value
                same shown.Value (Recordings.load decision file)
                Recordings.save file []
                Expect.equal (Recordings.load decision file) [] "none")
        }

        test "are arrays of trials, steps and units for numpy" {
            inFolder (fun folder ->
                Recordings.save (Path.Combine(folder, "r.npz")) shown.Value
                let lengths = shown.Value |> List.map _.Inputs.RowCount
                let first, last = List.head shown.Value, List.last shown.Value

                let printed =
                    numpy
                        folder
                        "r = np.load('r.npz'); s = r['steps']; h = r['rates/cortex']\n\
                         print(s.tolist(), h.shape, r['outputs/y'].shape, r['rewards'].shape)\n\
                         print(all(np.isfinite(h[k, :n]).all() and np.isnan(h[k, n:]).all() for k, n in enumerate(s)))\n\
                         print(all((r['mask'][k, n:] == 0).all() for k, n in enumerate(s)))\n\
                         e = r['events/decision']; print(e.dtype, e.shape, [np.flatnonzero(row).tolist()[:2] for row in e] == \
                         [[int(np.flatnonzero(row)[0]), int(np.flatnonzero(row)[0]) + 1] for row in r['events/decision.onset']])\n\
                         print(repr(float(h[0, 3, 1])), repr(float(h[5, s[5] - 1, 4])))"

                let n = List.max lengths
                let list = lengths |> List.map string |> String.concat ", "
                // As Python writes it: a whole number has its .0.
                let number (value: float) =
                    let text = value.ToString "R"

                    if text.Contains '.' || text.Contains 'E' then
                        text
                    else
                        text + ".0"

                let rate (trial: Activity) t i = number trial.Rates["cortex"].[t, i]
                let ends = $"{rate first 3 1} {rate last (lengths[5] - 1) 4}"

                Expect.equal
                    (printed.ReplaceLineEndings "\n")
                    $"[{list}] (6, {n}, 5) (6, {n}, 2) (6, {n})\nTrue\nTrue\nbool (6, {n}) True\n{ends}"
                    "what numpy reads")
        }

        test "numpy's arrays are a task, trial by trial and round again" {
            inFolder (fun folder ->
                numpy
                    folder
                    "x = np.arange(24.).reshape(2, 4, 3); y = -np.arange(16.).reshape(2, 4, 2)\n\
                     m = np.ones((2, 4, 2)); m[0, 1] = 0; y[0, 1] = np.nan\n\
                     np.savez('t.npz', inputs=x, targets=y, mask=m, steps=np.array([4, 3]))"
                |> ignore

                let task = Recordings.task (Path.Combine(folder, "t.npz")) 1.0<ms>
                Expect.equal task.Name "t" "name"
                let initial = (ok (Run.train { decision with Trials = 0 })).Initial
                let made = ok (Run.performWith initial decision task 3)
                Expect.equal (made |> List.map _.Inputs.RowCount) [ 4; 3; 4 ] "steps"

                Expect.equal
                    (made[1].Inputs.ToArray())
                    (Array2D.init 3 3 (fun t i -> float (12 + 3 * t + i)))
                    "inputs"

                Expect.equal
                    (made[1].Targets.ToArray())
                    (Array2D.init 3 2 (fun t i -> -float(8 + 2 * t + i)))
                    "targets"

                Expect.equal (made[0].Mask.Row(1).ToArray()) [| 0.0; 0.0 |] "mask"
                Expect.equal (made[2].Inputs.ToArray()) (made[0].Inputs.ToArray()) "round again"
                ok (Run.train { decision with Task = task }) |> ignore)
        }

        test "what was saved can be a task" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "r.npz")
                Recordings.save file shown.Value
                let initial = (ok (Run.train { decision with Trials = 0 })).Initial
                let again = ok (Run.performWith initial decision (Recordings.task file 1.0<ms>) 6)

                same [ for one in shown.Value -> { one with Performance = nan } ] again)
        }

        test "a script that names no recording ends with one line" {
            inFolder (fun folder ->
                let path =
                    write
                        folder
                        "read.fsx"
                        "let session = Nwb.read \"missing.nwb\"\nprintfn \"after\"\n"

                let ended = script folder path []
                Expect.equal ended.Code 1 "exit code"
                Expect.stringContains ended.Errors "missing.nwb: is not there. " "message"
                Expect.isFalse (ended.Errors.Contains "   at ") "no stack trace"
                Expect.isFalse (ended.Output.Contains "after") "it ended")
        }

        test "shapes that do not fit are said" {
            inFolder (fun folder ->
                let file = Path.Combine(folder, "w.npz")

                let write (arrays: NamedArray list) = Npz.Write(file, arrays)

                let array name (shape: int list) =
                    NamedArray(name, Array.ofList shape, Array.zeroCreate (List.fold (*) 1 shape))

                let task () = Recordings.task file 1.0<ms> |> ignore

                write [ array "targets" [ 2; 4 ] ]
                fails "the shape of targets is (2, 4); it must be (trials, steps, outputs)" task
                write [ array "targets" [ 2; 4; 1 ]; array "inputs" [ 3; 4; 1 ] ]

                fails
                    "the shape of inputs is (3, 4, 1); it must be (trials, steps, width), with the 2 trials"
                    task

                write [ array "targets" [ 2; 4; 1 ]; array "steps" [ 2 ] ]
                fails "steps must be 2 numbers in 1 .. 4, one a trial" task
                write [ array "targets" [ 2; 4; 1 ]; array "events/go" [ 2; 3 ] ]

                fails
                    "the shape of events/go is (2, 3); it must be (trials, steps), with the 2 trials"
                    task

                write [
                    array "targets" [ 2; 4; 1 ]
                    array "conditions/side" [ 3 ]
                ]

                fails
                    "the shape of conditions/side is (3); it must be (2), one number a trial"
                    task

                write [ array "inputs" [ 2; 4; 1 ] ]
                fails "targets" task)
        }
    ]

/// Activity of many trials in files of numpy and h5py, and tasks from them.
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

let private hasH5py =
    lazy (hasNumpy.Value && (run "/" python [ "-c"; "import h5py" ]).Code = 0)

let private h5py folder (program: string) =
    if not hasH5py.Value then
        skiptest $"{python} has no h5py (Debian: python3-h5py)"

    (numpy folder ("import h5py\n" + program)).ReplaceLineEndings "\n"

/// Trials with any numbers, of any sizes, and an experiment with readouts of those names.
let private drawn (random: Random) : Activity list =
    let any rows columns =
        Matrix<float>
            .Build.Dense(
                rows,
                columns,
                fun _ _ ->
                    match random.Next 5 with
                    | 0 -> nan
                    | 1 -> -0.0
                    | 2 -> BitConverter.Int64BitsToDouble(random.NextInt64())
                    | _ -> random.NextDouble() - 0.5
            )

    let names (choices: string list) = [
        for name in choices do
            if random.Next 3 > 0 then
                name, random.Next(1, 4)
    ]

    let areas, readouts =
        names [ "cortex"; "a b"; "Größe"; "part/of" ], names [ "y"; "z/1" ]

    let states = names [ "cortex v"; "motor x/y" ]
    let channels, outputs = random.Next 3, random.Next(1, 3)

    let events =
        [ "go"; "delay.onset"; "by/hand" ] |> List.filter (fun _ -> random.Next 2 = 0)

    [
        for _ in 1 .. random.Next 5 do
            let steps = random.Next(1, 6)

            let all parts =
                Map.ofList [ for name, width in parts -> name, any steps width ]

            let one: Activity = {
                Loss = random.NextDouble()
                Performance = if random.Next 2 = 0 then nan else 1.0
                Conditions =
                    Map.ofList [
                        for name in [ "side"; "coherence/of dots" ] do
                            if random.Next 2 = 0 then
                                name, random.NextDouble()
                    ]
                Inputs = any steps channels
                Readouts = network.Readouts
                Targets = any steps outputs
                Mask = any steps outputs
                Rewards = (any 1 steps).Row(0).ToArray()
                Events =
                    Map.ofList [
                        for name in events ->
                            name, [ 1..steps ] |> List.filter (fun _ -> random.Next 2 = 0)
                    ]
                Outputs = all readouts
                Rates = all areas
                States = all states
            }

            one
    ]

/// All of a recording as bits.
let private bitsOf (trials: Activity list) =
    let matrix (m: Matrix<float>) =
        (m.RowCount, m.ColumnCount),
        List.ofArray (Array.map BitConverter.DoubleToInt64Bits (m.ToRowMajorArray()))

    let all (parts: Map<string, Matrix<float>>) = parts |> Map.map (fun _ m -> matrix m)

    [
        for one in trials ->
            [ matrix one.Inputs; matrix one.Targets; matrix one.Mask ],
            [ all one.Outputs; all one.Rates; all one.States ],
            List.ofArray (Array.map BitConverter.DoubleToInt64Bits one.Rewards),
            List.map BitConverter.DoubleToInt64Bits [ one.Loss; one.Performance ],
            one.Conditions,
            one.Events
    ]

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
        for ending in [ "npz"; "h5"; "HDF5" ] do
            test $"come back as they were saved, each trial of its length, from {ending}" {
                inFolder (fun folder ->
                    let file = Path.Combine(folder, "r." + ending)
                    let lengths = shown.Value |> List.map _.Inputs.RowCount |> List.distinct
                    Numbers.isGreaterThan lengths.Length 1 "lengths"
                    Recordings.save file shown.Value
                    same shown.Value (Recordings.load decision file)
                    Recordings.save file []
                    Expect.equal (Recordings.load decision file) [] "none"
                    Expect.equal (Directory.GetFiles folder) [| file |] "no other file")
            }

            test $"come back to the bit, whatever they hold, from {ending}" {
                inFolder (fun folder ->
                    let file = Path.Combine(folder, "r." + ending)

                    for seed in 1..60 do
                        let trials = drawn (Random seed)
                        Recordings.saveFor decision file trials

                        Expect.equal
                            (bitsOf (Recordings.load decision file))
                            (bitsOf trials)
                            $"{seed}")
            }

            test $"say how long a step is, and refuse another, in {ending}" {
                inFolder (fun folder ->
                    let file = Path.Combine(folder, "r." + ending)
                    Recordings.saveFor decision file shown.Value
                    same shown.Value (Recordings.load decision file)
                    Recordings.task file 1.0<ms> |> ignore
                    let words = "dt is 1 ms in the file and 2 ms here; take steps of 1 ms"
                    fails words (fun () -> Recordings.task file 2.0<ms> |> ignore)

                    fails words (fun () ->
                        Recordings.load { decision with Dt = 2.0<ms> } file |> ignore))
            }

        test "are groups of datasets for h5py" {
            inFolder (fun folder ->
                Recordings.saveFor decision (Path.Combine(folder, "r.h5")) shown.Value
                let lengths = shown.Value |> List.map _.Inputs.RowCount
                let n, list = List.max lengths, lengths |> List.map string |> String.concat ", "

                let printed =
                    h5py
                        folder
                        "f = h5py.File('r.h5'); s = f['steps'][()]; h = f['rates/cortex'][()]; e = f['events/decision']\n\
                         print(f.attrs['format'], f['dt'][()], f['dt'].attrs['unit'], s.dtype, s.tolist())\n\
                         print(sorted(f), sorted(f['rates']), sorted(f['outputs']))\n\
                         print(h.shape, f['rates/cortex'].attrs['axes'], f['inputs'].attrs['axes'], f['outputs/y'].attrs['axes'])\n\
                         print(all(np.isfinite(h[k, :n]).all() and np.isnan(h[k, n:]).all() for k, n in enumerate(s)), e.dtype, e.shape, e.attrs['axes'])"

                Expect.equal
                    printed
                    $"Rflo recordings 1.0 ms int32 [{list}]\n\
                      ['conditions', 'dt', 'events', 'inputs', 'loss', 'mask', 'outputs', 'performance', 'rates', 'rewards', 'states', 'steps', 'targets'] ['cortex', 'motor'] ['y']\n\
                      (6, {n}, 5) trial, step, unit trial, step, channel trial, step, output\n\
                      True bool (6, {n}) trial, step"
                    "what h5py reads")
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

        for ending, saving in
            [
                "npz", "np.savez('t.npz', inputs=x, targets=y, mask=m, steps=np.array([4, 3]))"
                "h5",
                "import h5py\n\
                 with h5py.File('t.h5', 'w') as f:\n\
                 \x20   f.create_dataset('inputs', data=x.astype('f4'), compression='gzip', chunks=(1, 2, 3))\n\
                 \x20   f['targets'] = y; f['mask'] = m > 0; f['steps'] = np.array([4, 3], 'u1')\n\
                 \x20   f['more/of/it'] = 'a text'"
            ] do
            test $"arrays of Python are a task, trial by trial and round again, from {ending}" {
                inFolder (fun folder ->
                    if ending = "h5" && not hasH5py.Value then
                        skiptest $"{python} has no h5py (Debian: python3-h5py)"

                    numpy
                        folder
                        ("x = np.arange(24.).reshape(2, 4, 3); y = -np.arange(16.).reshape(2, 4, 2)\n\
                     m = np.ones((2, 4, 2)); m[0, 1] = 0; y[0, 1] = np.nan\n"
                         + saving)
                    |> ignore

                    let task = Recordings.task (Path.Combine(folder, $"t.{ending}")) 1.0<ms>
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

                    Expect.equal
                        (made[2].Inputs.ToArray())
                        (made[0].Inputs.ToArray())
                        "round again"

                    ok (Run.train { decision with Task = task }) |> ignore)
            }

        for ending in [ "npz"; "h5" ] do
            test $"what was saved can be a task, from {ending}" {
                inFolder (fun folder ->
                    let file = Path.Combine(folder, "r." + ending)
                    Recordings.save file shown.Value
                    let initial = (ok (Run.train { decision with Trials = 0 })).Initial

                    let again =
                        ok (Run.performWith initial decision (Recordings.task file 1.0<ms>) 6)

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

        for ending in [ "npz"; "h5" ] do
            test $"shapes that do not fit are said, of {ending}" {
                inFolder (fun folder ->
                    let file = Path.Combine(folder, "w." + ending)

                    let write (arrays: NamedArray list) =
                        if ending = "h5" then
                            Hdf5.Write(file, arrays)
                        else
                            Npz.Write(file, arrays)

                    let array name (shape: int list) =
                        NamedArray(
                            name,
                            Array.ofList shape,
                            Array.zeroCreate (List.fold (*) 1 shape)
                        )

                    let task () = Recordings.task file 1.0<ms> |> ignore

                    write [ array "targets" [ 2; 4 ] ]

                    fails
                        "the shape of targets is (2, 4); it must be (trials, steps, outputs)"
                        task

                    write [ array "targets" [ 2; 4; 1 ]; array "inputs" [ 3; 4; 1 ] ]

                    fails
                        "the shape of inputs is (3, 4, 1); it must be (trials, steps, width), with the 2 trials"
                        task

                    write [ array "targets" [ 2; 4; 1 ]; array "steps" [ 2 ] ]

                    fails
                        "steps has the number 0; it must have whole numbers in 1 .. 4, one a trial"
                        task

                    write [
                        array "targets" [ 2; 4; 1 ]
                        NamedArray("steps", [| 1 |], [| 4.0 |])
                    ]

                    fails "steps has 1 numbers; it must have 2, one a trial" task

                    write [
                        array "targets" [ 2; 4; 1 ]
                        NamedArray("steps", [| 2 |], [| 1.5; 4.0 |])
                    ]

                    fails "steps has the number 1.5" task
                    write [ array "targets" [ 2; 4; 1 ]; array "dt" [ 2 ] ]
                    fails "the shape of dt is (2); it must be one number, in ms" task
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
                    fails "'targets': there is no such" task
                    let load () = Recordings.load decision file |> ignore
                    let steps = NamedArray("steps", [| 2 |], [| 4.0; 3.0 |])

                    let whole = [
                        steps
                        array "loss" [ 2 ]
                        array "performance" [ 2 ]
                        array "inputs" [ 2; 4; 1 ]
                        array "targets" [ 2; 4; 1 ]
                        array "mask" [ 2; 4; 1 ]
                        array "rewards" [ 2; 4 ]
                    ]

                    write whole
                    load ()

                    let replaced (other: NamedArray) =
                        write [
                            for one in whole -> if one.Name = other.Name then other else one
                        ]

                    replaced (array "loss" [ 3 ])
                    fails "the shape of loss is (3); it must be (2), one number a trial" load
                    replaced (array "performance" [])
                    fails "the shape of performance is (); it must be (2), one number a trial" load
                    replaced (array "rewards" [ 2; 3 ])

                    fails
                        "the shape of rewards is (2, 3); it must be (trials, steps), with the 2 trials"
                        load

                    replaced (array "steps" [ 2; 1 ])
                    fails "the shape of steps is (2, 1); it must be (trials)" load
                    replaced (NamedArray("steps", [| 2 |], [| -1.0; 3.0 |]))

                    fails
                        "steps has the number -1; it must have whole numbers of at least 0, one a trial"
                        load

                    write whole.Tail
                    fails "'steps': there is no such" load)
            }
    ]

namespace Rflo.Host

open System
open System.Collections.Generic
open System.IO
open MathNet.Numerics.LinearAlgebra
open Rflo.Dsl
open Rflo.Runs

/// Activity of many trials as one file, and tasks from arrays of Python: HDF5 (h5py) where its name ends in .h5 or .hdf5, else .npz (numpy).
[<RequireQualifiedAccess>]
module Recordings =

    /// Arrays by their names, and the file that has them.
    type private Source = {
        File: string
        Names: string list
        Read: string -> NamedArray
    }

    let private sourceOf (file: string) =
        if Hdf5.IsName file then
            {
                File = file
                Names = List.ofSeq (Hdf5.Names file)
                Read = fun name -> Hdf5.ReadArray(file, name)
            }
        else
            {
                File = file
                Names = List.ofSeq (Npz.Names file)
                Read = fun name -> Npz.ReadArray(file, name)
            }

    /// What HDF5 says beside an array: its axes, and a unit where it has one.
    let private attributesOf (name: string) : IReadOnlyDictionary<string, string> =
        let text =
            match name, name.Split('/')[0] with
            | "", _ -> [ "format", "Rflo recordings" ]
            | "dt", _ -> [ "unit", "ms" ]
            | ("steps" | "loss" | "performance"), _
            | _, "conditions" -> [ "axes", "trial" ]
            | "rewards", _
            | _, "events" -> [ "axes", "trial, step" ]
            | "inputs", _ -> [ "axes", "trial, step, channel" ]
            | ("targets" | "mask"), _
            | _, "outputs" -> [ "axes", "trial, step, output" ]
            | _ -> [ "axes", "trial, step, unit" ]

        readOnlyDict text

    let private write file (arrays: NamedArray list) =
        if Hdf5.IsName file then
            Hdf5.Write(file, arrays, attributesOf)
        else
            Npz.Write(file, arrays)

    /// One array of (trials, longest, width), behind the end of a trial filled up.
    let private padded name fill longest width (trials: Matrix<float> list) =
        let values = Array.create (trials.Length * longest * width) fill

        for k, trial in List.indexed trials do
            for t in 0 .. trial.RowCount - 1 do
                for i in 0 .. width - 1 do
                    values[(k * longest + t) * width + i] <- trial[t, i]

        NamedArray(name, [| trials.Length; longest; width |], values)

    /// The steps, counted from 1, that an array of an event marks.
    let internal marked (marks: float[]) = [
        for t in 0 .. marks.Length - 1 do
            if marks[t] <> 0.0 then
                t + 1
    ]

    let private widthOf (trials: Matrix<float> list) =
        match trials with
        | first :: _ -> first.ColumnCount
        | [] -> 0

    /// The arrays of trials, as `save` writes them, with a prefix before their names.
    let internal arrays (prefix: string) (activities: Activity list) =
        let steps = activities |> List.map (fun one -> one.Inputs.RowCount)
        let longest = List.fold max 0 steps

        let all fill name (part: Activity -> Matrix<float>) =
            let trials = List.map part activities
            padded (prefix + name) fill longest (widthOf trials) trials

        let named kind (parts: Activity -> Map<string, Matrix<float>>) = [
            match activities with
            | [] -> ()
            | first :: _ ->
                for name in (parts first).Keys do
                    all nan $"{kind}/{name}" (fun one -> (parts one)[name])
        ]

        let conditions = [
            for name in
                activities
                |> List.collect (fun one -> List.ofSeq one.Conditions.Keys)
                |> List.distinct do
                let values = [|
                    for one in activities ->
                        Map.tryFind name one.Conditions |> Option.defaultValue nan
                |]

                NamedArray($"{prefix}conditions/{name}", [| values.Length |], values)
        ]

        let events = [
            for name in
                activities
                |> List.collect (fun one -> List.ofSeq one.Events.Keys)
                |> List.distinct do
                let marks = Array.zeroCreate (activities.Length * longest)

                for k, one in List.indexed activities do
                    for step in Map.tryFind name one.Events |> Option.defaultValue [] do
                        marks[k * longest + step - 1] <- 1.0

                NamedArray(
                    $"{prefix}events/{name}",
                    [| activities.Length; longest |],
                    marks,
                    NpzType.Flag
                )
        ]

        let performance = [| for one in activities -> one.Performance |]
        let rewards = Array.create (activities.Length * longest) nan

        for k, one in List.indexed activities do
            one.Rewards.CopyTo(rewards, k * longest)

        [
            NamedArray(
                $"{prefix}steps",
                [| activities.Length |],
                [| for count in steps -> float count |],
                NpzType.Index
            )
            NamedArray(
                $"{prefix}loss",
                [| activities.Length |],
                [| for one in activities -> one.Loss |]
            )
            NamedArray($"{prefix}performance", [| activities.Length |], performance)
            yield! conditions
            all nan "inputs" _.Inputs
            all nan "targets" _.Targets
            all 0.0 "mask" _.Mask
            NamedArray($"{prefix}rewards", [| activities.Length; longest |], rewards)
            yield! events
            yield! named "outputs" _.Outputs
            yield! named "rates" _.Rates
            yield! named "states" _.States
        ]

    /// `Recordings.save "runs/recordings.npz" trials` writes the trials of an evaluation: `steps`, `loss`, `performance` and by name `conditions/coherence` of each trial, `inputs`, `targets`,
    /// `mask`, and by name `outputs/choice` and `rates/cortex`, each of shape (trials, steps of the longest trial, channels, outputs or units),
    /// and `rewards` and by name `events/delay`, true in the steps in which the event happens, (trials, steps). Behind the end of a shorter trial there is NaN, the mask is 0, and no event happens.
    /// Under a name that ends in .h5 or .hdf5 it is a file of HDF5, with a group each for `conditions`, `events`, `outputs`, `rates` and `states`, and the axes of each dataset as its attribute `axes`.
    let save (file: string) (activities: Activity list) = write file (arrays "" activities)

    /// `Recordings.saveFor decision "runs/recordings.h5" trials` also writes `dt`, the duration of a step of that experiment in ms: `load` and `task` then refuse another one.
    let saveFor (experiment: Experiment) (file: string) (activities: Activity list) =
        write file (NamedArray("dt", [||], [| float experiment.Dt |]) :: arrays "" activities)

    let private wrong file (message: string) : 'a =
        raise (ArgumentException $"{file}: {message}")

    /// The shape of an array as text.
    let internal shapeOf (array: NamedArray) =
        let lengths = array.Shape |> Array.map string |> String.concat ", "
        $"({lengths})"

    /// The trials of an array of (trials, longest, width), each of its steps.
    let private trialsOf file (steps: int[]) (array: NamedArray) =
        match array.Shape with
        | [| trials; longest; width |] when
            trials = steps.Length && Array.forall (fun count -> count <= longest) steps
              ->
              [
                  for k in 0 .. trials - 1 ->
                      Matrix<float>
                          .Build.Dense(
                              steps[k],
                              width,
                              fun t i -> array.Values[(k * longest + t) * width + i]
                          )
              ]
        | _ ->
            wrong
                file
                $"the shape of {array.Name} is {shapeOf array}; it must be (trials, steps, width), with the {steps.Length} trials of steps and room for the longest"

    /// An array with a number for each of so many trials.
    let private perTrial source trials name =
        let array = source.Read name

        if array.Shape <> [| trials |] then
            wrong
                source.File
                $"the shape of {name} is {shapeOf array}; it must be ({trials}), one number a trial"

        array.Values

    /// The steps of each trial, each a whole number from `least`; with `most`, up to it.
    let private stepsOf source least most =
        let array = source.Read "steps"

        if array.Shape.Length <> 1 then
            wrong source.File $"the shape of steps is {shapeOf array}; it must be (trials)"

        for count in array.Values do
            if not (count >= least && count <= most && count = Math.Floor count) then
                let range =
                    if most < float Array.MaxLength then
                        $"in {string least} .. {string most}"
                    else
                        $"of at least {string least}"

                wrong
                    source.File
                    $"steps has the number {string count}; it must have whole numbers {range}, one a trial"

        Array.map int array.Values

    /// Refuses a file that states another duration of a step.
    let private checkDt source (dt: float<ms>) =
        if Seq.contains "dt" source.Names then
            match source.Read "dt" with
            | array when array.Values.Length <> 1 ->
                wrong
                    source.File
                    $"the shape of dt is {shapeOf array}; it must be one number, in ms"
            | array when array.Values[0] <> float dt ->
                wrong
                    source.File
                    $"dt is {string array.Values[0]} ms in the file and {string (float dt)} ms here; take steps of {string array.Values[0]} ms"
            | _ -> ()

    /// The steps of each event in each trial, by name.
    let private eventsOf source (steps: int[]) : (string * int list[]) list = [
        for name in source.Names do
            if name.StartsWith("events/", StringComparison.Ordinal) then
                let marks = source.Read name

                match marks.Shape with
                | [| trials; longest |] when
                    trials = steps.Length && Array.forall (fun count -> count <= longest) steps
                    ->
                    name.Substring "events/".Length,
                    [|
                        for k in 0 .. trials - 1 ->
                            marked marks.Values[k * longest .. k * longest + steps[k] - 1]
                    |]
                | _ ->
                    wrong
                        source.File
                        $"the shape of {name} is {shapeOf marks}; it must be (trials, steps), with the {steps.Length} trials of steps and room for the longest"
    ]

    let private activitiesOf source readouts : Activity list =
        let names = source.Names
        let steps = stepsOf source 0.0 (float Array.MaxLength)
        let losses = perTrial source steps.Length "loss"
        let performance = perTrial source steps.Length "performance"

        let conditions = [
            for name in names do
                if name.StartsWith("conditions/", StringComparison.Ordinal) then
                    name.Substring "conditions/".Length, perTrial source steps.Length name
        ]

        let trials name =
            trialsOf source.File steps (source.Read name) |> Array.ofList

        let inputs, targets, mask = trials "inputs", trials "targets", trials "mask"
        let rewards = source.Read "rewards"
        let longest = if steps.Length = 0 then 0 else Array.max steps

        let room =
            match rewards.Shape with
            | [| trials; room |] when trials = steps.Length && room >= longest -> room
            | _ ->
                wrong
                    source.File
                    $"the shape of rewards is {shapeOf rewards}; it must be (trials, steps), with the {steps.Length} trials of steps and room for the longest"

        let named (prefix: string) = [
            for name in names do
                if name.StartsWith(prefix + "/", StringComparison.Ordinal) then
                    name.Substring(prefix.Length + 1), trials name
        ]

        let events = eventsOf source steps
        let outputs, rates, states = named "outputs", named "rates", named "states"

        [
            for k in 0 .. steps.Length - 1 ->
                {
                    Loss = losses[k]
                    Performance = performance[k]
                    Conditions =
                        Map.ofList [
                            for name, values in conditions do
                                if not (Double.IsNaN values[k]) then
                                    name, values[k]
                        ]
                    Inputs = inputs[k]
                    Readouts = readouts
                    Targets = targets[k]
                    Mask = mask[k]
                    Rewards = rewards.Values[k * room .. k * room + steps[k] - 1]
                    Events = Map.ofList [ for name, all in events -> name, all[k] ]
                    Outputs = Map.ofList [ for name, all in outputs -> name, all[k] ]
                    Rates = Map.ofList [ for name, all in rates -> name, all[k] ]
                    States = Map.ofList [ for name, all in states -> name, all[k] ]
                }
        ]

    /// The trials of arrays that `arrays` made, by their names without the prefix; the file is for messages.
    let internal ofArrays file readouts names read =
        activitiesOf
            {
                File = file
                Names = names
                Read = read
            }
            readouts

    /// `Recordings.load decision "runs/recordings.npz"` are the trials that `Recordings.save` wrote of that experiment's circuit.
    let load (experiment: Experiment) (file: string) : Activity list =
        let source = sourceOf file
        checkDt source experiment.Dt
        activitiesOf source experiment.Circuit.Readouts

    let private rowsOf source steps name =
        if source.Names |> Seq.contains name then
            trialsOf source.File steps (source.Read name)
            |> List.map _.ToArray()
            |> Array.ofList
            |> Some
        else
            None

    /// `Recordings.task "task.npz" 1.0<ms>`, or of "task.h5", is the task of the arrays of that file, in steps of 1 ms: `inputs` and `targets` of shape (trials, steps,
    /// channels or outputs), and where they are there `mask`, of the shape of the targets, `steps`, the steps of each trial, `events/go`, true where the
    /// event happens, (trials, steps), and `conditions/coherence`, a number a trial; a condition that is NaN in a trial is left out. Trial k of a run is
    /// number k of the file, and behind the last the first again. What `Recordings.save` writes can be read so too.
    let task (file: string) (dt: float<ms>) : Task =
        let source = sourceOf file
        checkDt source dt
        let targets = source.Read "targets"

        let trials, longest =
            match targets.Shape with
            | [| trials; longest; _ |] when trials > 0 && longest > 0 -> trials, longest
            | _ ->
                wrong
                    file
                    $"the shape of targets is {shapeOf targets}; it must be (trials, steps, outputs), with one or more of each"

        let steps =
            if source.Names |> Seq.contains "steps" then
                stepsOf source 1.0 (float longest)
            else
                Array.create trials longest

        if steps.Length <> trials then
            wrong file $"steps has {steps.Length} numbers; it must have {trials}, one a trial"

        let asked = (rowsOf source steps "targets").Value

        let shown =
            rowsOf source steps "inputs"
            |> Option.defaultWith (fun () -> [| for count in steps -> Array2D.zeroCreate count 0 |])

        let mask = rowsOf source steps "mask"
        let events = eventsOf source steps

        let conditions = [
            for name in source.Names do
                if name.StartsWith("conditions/", StringComparison.Ordinal) then
                    let values = perTrial source trials name

                    // Trials of a task have all the same conditions.
                    if Array.forall Double.IsFinite values then
                        name.Substring "conditions/".Length, values
        ]

        Task.ofTrials (float longest * dt) (fun trial _ ->
            let k = trial % trials

            {
                Inputs = shown[k]
                Targets = asked[k]
                Mask = mask |> Option.map (fun all -> all[k])
                Events = [ for name, all in events -> name, all[k] ]
                Rewards = None
                Conditions = [ for name, values in conditions -> name, values[k] ]
            })
        |> Task.named (nonNull (Path.GetFileNameWithoutExtension file))

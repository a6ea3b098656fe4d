namespace Rflo.Host

open System
open System.IO
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Pictures
open Rflo.Runs

/// Everything that a run folder holds; the report is made from it, after a run or from a saved folder.
type internal RunRecord = {
    Manifest: RunManifest
    /// metrics.csv by column: trial (from 0), loss (empty where the trial had no target), seconds, steps (where trials differ in
    /// length), an alignment for each feedback, and the values of probes: NaN,
    /// and an empty field of the file, where nothing was measured.
    Metrics: (string * float[]) list
    /// weights.npz: initial/NAME, final/NAME, best/NAME (where kept), the same of "tau AREA" (in ms) and "start AREA" (initial states), where learned, and
    /// feedback/READOUT->AREA, shape (post, pre). Where some connections do not exist, NAME/exists marks those that do; of a sparse
    /// projection there are NAME/row, /column and /value of those that exist, and /shape, instead.
    Weights: NamedArray list
    /// activity.npz: before/ and after/ training, each with targets, mask, inputs, outputs/READOUT, rates/AREA and states/AREA STATE (where recorded),
    /// shape (steps, ...), and the conditions of the trial, conditions/NAME, its loss, and rewards and performance, where it has them. Of a training under
    /// perturbations also test trials as `Recordings.save` has them, without rates: contrast/control/ and contrast/WORDS/ of each perturbation.
    Activity: NamedArray list
    /// The script's text.
    Script: string option
    /// circuit.svg.
    Picture: string option
}

/// Makes, writes and reads records.
[<RequireQualifiedAccess>]
module internal RunRecord =

    let private dense name (matrix: Matrix<float>) =
        NamedArray(name, [| matrix.RowCount; matrix.ColumnCount |], matrix.ToRowMajorArray())

    /// An array that was read as a matrix; one of one axis as a column.
    let matrixOf (array: NamedArray) : Matrix<float> =
        let columns = if array.Shape.Length > 1 then array.Shape[1] else 1
        Matrix<float>.Build.DenseOfRowMajor(array.Shape[0], columns, array.Values)

    /// All learned parameters of a run before or after training: weights in the order of their declaration, then time constants
    /// and initial states.
    let private learned (trained: Trained) moment (matrices: Map<string, Matrix<float>>) = [
        for name in trained.Experiment.Circuit.Projections |> List.map Projection.name do
            match Map.tryFind name matrices with
            | Some matrix ->
                yield!
                    WeightFiles.arrays (trained.Compressed.Contains name) $"{moment}/{name}" matrix
            | None -> ()

        for name in
            [
                for area in trained.TimeConstants.Keys -> $"tau {area}"
                for area in trained.InitialStates.Keys -> $"start {area}"
            ] do
            match Map.tryFind name matrices with
            | Some column ->
                NamedArray($"{moment}/{name}", [| column.RowCount |], column.ToRowMajorArray())
            | None -> ()
    ]

    let private weights (trained: Trained) = [
        yield! learned trained "initial" trained.Initial
        yield! learned trained "final" trained.Final
        yield! learned trained "best" trained.Best

        for KeyValue((readout, area), matrix) in trained.Feedback do
            dense $"feedback/{readout}->{area}" matrix
    ]

    let private activity (circuit: Circuit) (moment: string) (activity: Activity) = [
        dense $"{moment}/targets" activity.Targets
        dense $"{moment}/mask" activity.Mask

        if not circuit.Inputs.IsEmpty then
            dense $"{moment}/inputs" activity.Inputs

        for KeyValue(name, value) in activity.Conditions do
            NamedArray($"{moment}/conditions/{name}", [| 1 |], [| value |])

        NamedArray($"{moment}/loss", [| 1 |], [| activity.Loss |])

        if activity.Rewards |> Array.exists (fun reward -> reward <> 0.0) then
            NamedArray($"{moment}/rewards", [| activity.Rewards.Length |], activity.Rewards)

        if not (System.Double.IsNaN activity.Performance) then
            NamedArray($"{moment}/performance", [| 1 |], [| activity.Performance |])

        for KeyValue(name, steps) in activity.Events do
            let marks = Array.zeroCreate activity.Targets.RowCount
            steps |> List.iter (fun step -> marks[step - 1] <- 1.0)
            NamedArray($"{moment}/events/{name}", [| marks.Length |], marks, NpzType.Flag)

        for readout in circuit.Readouts do
            dense $"{moment}/outputs/{readout.Name}" activity.Outputs[readout.Name]

        for area in circuit.Areas do
            dense $"{moment}/rates/{area.Name}" activity.Rates[area.Name]

        for KeyValue(name, states) in activity.States do
            dense $"{moment}/states/{name}" states
    ]

    /// The values of probes: a number a trial, NaN where nothing was measured.
    let probes (trained: Trained) = [
        for KeyValue(name, series) in trained.Probes do
            let values = Array.create trained.Losses.Length nan
            Array.iter2 (fun trial value -> values[trial] <- value) series.Trials series.Values
            name, values
    ]

    let private metrics (trained: Trained) = [
        "trial", Array.init trained.Losses.Length float
        "loss", trained.Losses
        "seconds", trained.Seconds
        // Without this column a report assumes that all trials have the length of the one that it shows.
        if trained.Steps |> Array.exists ((<>) trained.After.Targets.RowCount) then
            "steps", Array.map float trained.Steps
        if trained.Rewards |> Array.exists (fun reward -> reward <> 0.0) then
            "reward", trained.Rewards
        for KeyValue((readout, area), alignments) in trained.Alignments do
            $"alignment {readout}->{area}", alignments
        yield! probes trained
    ]

    /// The commit that was checked out when the run began.
    let private commit (sessions: RunSession seq) =
        match Seq.tryHead sessions with
        | Some session -> session.Commit
        | None -> null

    let private recordOf
        (started: DateTimeOffset)
        sessions
        settings
        (measured: (string * Result<float, string>) list)
        overrides
        script
        picture
        contrasts
        (trained: Trained)
        =
        let experiment = trained.Experiment
        let ended = DateTimeOffset.UtcNow

        {
            Manifest =
                RunManifest(
                    Name = experiment.Name,
                    Description = Describe.text experiment,
                    Experiment = ExperimentJson.ofExperiment experiment,
                    Seed = experiment.Seed,
                    Precision = experiment.Precision.ToString().ToLowerInvariant(),
                    Settings = readOnlyDict settings,
                    Overrides = readOnlyDict overrides,
                    Measures =
                        readOnlyDict [
                            for name, result in measured do
                                match result with
                                | Ok value -> name, value
                                | Error _ -> ()
                        ],
                    MeasureFailures =
                        readOnlyDict [
                            for name, result in measured do
                                match result with
                                | Ok _ -> ()
                                | Error reason -> name, reason
                        ],
                    Commit = commit sessions,
                    Started = started,
                    Ended = ended,
                    ElapsedSeconds = (ended - started).TotalSeconds,
                    Trials = trained.Losses.Length,
                    Sessions = Array.ofSeq sessions,
                    Status = trained.Status.End,
                    StatusText = string trained.Status,
                    FinalLoss = FinalLoss.ofRun trained
                )
            Metrics = metrics trained
            Weights = weights trained
            Activity =
                activity experiment.Circuit "before" trained.Before
                @ activity experiment.Circuit "after" trained.After
                @ Contrasts.arrays contrasts
            Script = script
            Picture = picture
        }

    /// The record of a run that has just ended, with its picture, for programs that write no run folder.
    let ofTrained (started: DateTimeOffset) overrides (script: string option) (trained: Trained) =
        let picture = Picture.svg trained.Experiment.Circuit
        let contrasts = Contrasts.ofRun trained
        recordOf started [] [] [] overrides script (Some picture) contrasts trained

    /// The record of a run that has just ended, whose folder was begun before. Its picture is drawn after the numbers are
    /// written.
    let ofFolder (folder: RunFolder) overrides (trained: Trained) =
        let script = Option.ofObj folder.Script |> Option.filter File.Exists
        let started = (Seq.head folder.Sessions).Started

        recordOf
            started
            folder.Sessions
            []
            []
            overrides
            (Option.map File.ReadAllText script)
            None
            (Contrasts.ofRun trained)
            trained

    /// The record of a point of a sweep, with its measures: without the script and the picture, which are the same for thousands of them.
    let ofPoint settings measured (started: DateTimeOffset) overrides (trained: Trained) =
        recordOf started [] settings measured overrides None None [] trained

    /// The record of a saved run folder.
    let ofSaved (saved: SavedRun) =
        let table = saved.ReadMetrics()

        {
            Manifest = saved.Manifest
            Metrics = [ for name in table.Columns -> name, table.Column name ]
            Weights = List.ofSeq (saved.ReadWeights())
            Activity = List.ofSeq (saved.ReadActivity())
            Script = Option.ofObj (saved.ReadScript())
            Picture = Option.ofObj (saved.ReadPicture())
        }

    let private writeMetrics (folder: RunFolder) isDiverged (columns: (string * float[]) list) =
        let names, values = List.unzip columns
        let last = values.Head.Length - 1

        // NaN was not measured, such as the loss of a trial without a target, except the loss with which a run
        // diverged.
        let isMeasured name trial value =
            not (Double.IsNaN value) || (isDiverged && name = "loss" && trial = last)

        let writer = folder.OpenMetrics(List.toArray names)
        let row = Array.create names.Length (Nullable<float>())

        for k in 0..last do
            for column, (name, numbers) in List.indexed columns do
                row[column] <-
                    if isMeasured name k numbers[k] then
                        Nullable numbers[k]
                    else
                        Nullable()

            writer.Append row

    /// Writes the numbers of a record into a run folder, and then the manifest, which makes them complete.
    let writeNumbers (folder: RunFolder) record =
        writeMetrics folder (record.Manifest.Status = RunEnd.Diverged) record.Metrics
        folder.WriteWeights record.Weights
        folder.WriteActivity record.Activity
        folder.Seal record.Manifest

    /// Writes the numbers of a record into a run folder and moves it into place; returns its place.
    let write (folder: RunFolder) record =
        writeNumbers folder record
        folder.Commit record.Manifest

namespace Rflo.Host

open System
open System.IO
open MathNet.Numerics.LinearAlgebra
open Rflo.Core
open Rflo.Dsl
open Rflo.Runs

/// Everything that a run folder holds; the report is made of it, whether the run has just ended or lies on a disk.
type RunRecord = {
    Manifest: RunManifest
    /// metrics.csv by column: trial (from 0), loss, seconds, an alignment for each feedback, and what probes measured: NaN,
    /// and an empty field of the file, where they did not.
    Metrics: (string * float[]) list
    /// weights.npz: initial/NAME, final/NAME, best/NAME (where kept), final/tau AREA (in ms, where learned) and feedback/READOUT->AREA, shape (post, pre). A sparse projection has
    /// three arrays instead, /row, /column and /value.
    Weights: NamedArray list
    /// activity.npz: before/ and after/ training, each with targets, mask, inputs, outputs/READOUT and rates/AREA,
    /// shape (steps, ...).
    Activity: NamedArray list
    /// The script's text.
    Script: string option
    /// circuit.svg.
    Picture: string option
}

/// Makes, writes and reads records.
[<RequireQualifiedAccess>]
module RunRecord =

    let private dense name (matrix: Matrix<float>) =
        NamedArray(name, [| matrix.RowCount; matrix.ColumnCount |], matrix.ToRowMajorArray())

    let private block name (matrix: Matrix<float>) =
        if matrix.Storage.IsDense then
            [ dense name matrix ]
        else
            let entries =
                matrix.EnumerateIndexed Zeros.AllowSkip
                |> Seq.sortBy (fun struct (i, j, _) -> i, j)
                |> Array.ofSeq

            let part suffix chosen =
                NamedArray($"{name}/{suffix}", [| entries.Length |], Array.map chosen entries)

            [
                part "row" (fun struct (i, _, _) -> float i)
                part "column" (fun struct (_, j, _) -> float j)
                part "value" (fun struct (_, _, value) -> value)
            ]

    let private weights (trained: Trained) = [
        for name in trained.Experiment.Circuit.Projections |> List.map Projection.name do
            yield! block $"initial/{name}" trained.Initial[name]

        for name in trained.Experiment.Circuit.Projections |> List.map Projection.name do
            yield! block $"final/{name}" trained.Final[name]

        for KeyValue(area, taus) in trained.TimeConstants do
            NamedArray($"final/tau {area}", [| taus.Length |], taus)

        for KeyValue(area, taus) in trained.BestTimeConstants do
            NamedArray($"best/tau {area}", [| taus.Length |], taus)

        for KeyValue(name, matrix) in trained.Best do
            yield! block $"best/{name}" matrix

        for KeyValue((readout, area), matrix) in trained.Feedback do
            dense $"feedback/{readout}->{area}" matrix
    ]

    let private activity (circuit: Circuit) (moment: string) (activity: Activity) = [
        dense $"{moment}/targets" activity.Targets
        dense $"{moment}/mask" activity.Mask

        if not circuit.Inputs.IsEmpty then
            dense $"{moment}/inputs" activity.Inputs

        for readout in circuit.Readouts do
            dense $"{moment}/outputs/{readout.Name}" activity.Outputs[readout.Name]

        for area in circuit.Areas do
            dense $"{moment}/rates/{area.Name}" activity.Rates[area.Name]
    ]

    /// What probes measured: a number a trial, NaN where they did not.
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
        if trained.Rewards |> Array.exists (fun reward -> reward <> 0.0) then
            "reward", trained.Rewards
        for KeyValue((readout, area), alignments) in trained.Alignments do
            $"alignment {readout}->{area}", alignments
        yield! probes trained
    ]

    let private lastOr otherwise values =
        values |> Array.tryLast |> Option.defaultValue otherwise

    let private recordOf
        (started: DateTimeOffset)
        sessions
        settings
        overrides
        script
        picture
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
                    Commit = (script |> Option.map GitCommit.Find |> Option.defaultValue null),
                    Started = started,
                    Ended = ended,
                    ElapsedSeconds = (ended - started).TotalSeconds,
                    Trials = trained.Losses.Length,
                    Sessions = Array.ofSeq sessions,
                    Status = trained.Status.End,
                    StatusText = string trained.Status,
                    FinalLoss = lastOr nan trained.Losses
                )
            Metrics = metrics trained
            Weights = weights trained
            Activity =
                activity experiment.Circuit "before" trained.Before
                @ activity experiment.Circuit "after" trained.After
            Script = script |> Option.filter File.Exists |> Option.map File.ReadAllText
            Picture = picture
        }

    /// The record of a run that has just ended.
    let ofTrained (started: DateTimeOffset) overrides (script: string option) (trained: Trained) =
        let picture = Picture.svg trained.Experiment.Circuit
        recordOf started [] [] overrides script (Some picture) trained

    /// The record of a run that has just ended, and that these processes worked on.
    let ofSessions (sessions: RunSession seq) overrides (script: string option) (trained: Trained) =
        let picture = Picture.svg trained.Experiment.Circuit
        recordOf (Seq.head sessions).Started sessions [] overrides script (Some picture) trained

    /// The record of a point of a sweep: without the script and the picture, which are the same for thousands of them.
    let ofPoint settings (started: DateTimeOffset) overrides (trained: Trained) =
        recordOf started [] settings overrides None None trained

    /// The record that lies in a run folder.
    let ofSaved (saved: SavedRun) =
        let table = saved.ReadMetrics()

        {
            Manifest = saved.Manifest
            Metrics = [ for name in table.Columns -> name, table.Column name ]
            Weights = List.ofSeq (saved.ReadWeights())
            Activity = List.ofSeq (saved.ReadActivity())
            Script = saved.Script |> Option.ofObj |> Option.map File.ReadAllText
            Picture = saved.Picture |> Option.ofObj |> Option.map File.ReadAllText
        }

    let private writeMetrics (folder: RunFolder) (columns: (string * float[]) list) =
        let names, values = List.unzip columns

        // A loss that is no number was measured; an angle that is none was not.
        let everyTrial = [ "trial"; "loss"; "seconds"; "reward" ]
        let writer = folder.OpenMetrics(List.toArray names)
        let row = Array.create names.Length (Nullable<float>())

        for k in 0 .. values.Head.Length - 1 do
            for column, (name, numbers) in List.indexed columns do
                row[column] <-
                    if Double.IsNaN numbers[k] && not (List.contains name everyTrial) then
                        Nullable()
                    else
                        Nullable numbers[k]

            writer.Append row

    /// Writes a record into a run folder and moves it into place; where it lies then.
    let write (folder: RunFolder) (script: string option) (report: string option) record =
        writeMetrics folder record.Metrics
        folder.WriteWeights record.Weights
        folder.WriteActivity record.Activity
        Option.iter folder.CopyScript (script |> Option.filter File.Exists)
        Option.iter folder.WritePicture record.Picture
        Option.iter folder.WriteReport report
        folder.Commit record.Manifest

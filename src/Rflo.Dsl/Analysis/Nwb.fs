namespace Rflo.Dsl

open Rflo.Analysis

/// Recorded neurons from files of Neurodata Without Borders (NWB 2, HDF5): `let session = Nwb.read "session.nwb"`. Counts and rates are what
/// `Population` takes, like those of a circuit. What a file does not have, or has wrong, raises an NwbException of one line.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Nwb =

    /// `Nwb.read "session.nwb"` is the units of that file, with areas and spike times, and its trials.
    let read (file: string) = NwbRecording.Read file

    /// `Nwb.readAreas [ "M1"; "PMd" ] "session.nwb"` reads the units of those areas only.
    let readAreas (areas: string list) (file: string) =
        NwbRecording.Read(file, NwbOptions(Areas = areas))

    /// `session |> Nwb.unitsWhere (fun unit -> unit.SpikeTimes.Length > 100)` is the session with those units.
    let unitsWhere (keep: NwbUnit -> bool) (recording: NwbRecording) =
        recording.WhereUnits(fun number -> keep recording.Units[number])

    /// `session |> Nwb.unitsOf "quality" "good"` is the session with the units that have that value in a column of the table of units.
    let unitsOf (column: string) (value: string) (recording: NwbRecording) =
        let rows = set (recording.UnitTable.RowsOf(column, value))
        recording.WhereUnits(fun number -> rows.Contains number)

    /// `session |> Nwb.trialsWhere "contrast" (fun contrast -> contrast > 0.1)` is the session with the trials in which a column of numbers is so.
    let trialsWhere (column: string) (keep: float -> bool) (recording: NwbRecording) =
        let values = recording.Trials.Numbers column
        recording.WhereTrials(fun row -> keep values[row])

    /// `session |> Nwb.trialsOf "outcome" "correct"` is the session with the trials that have that value in a column.
    let trialsOf (column: string) (value: string) (recording: NwbRecording) =
        let rows = set (recording.Trials.RowsOf(column, value))
        recording.WhereTrials(fun row -> rows.Contains row)

    /// `session |> Nwb.align "go_cue_time" -200.0<ms> 600.0<ms>` is a window around an event of each trial, from 200 ms before it to 600 ms after it.
    /// `Nwb.trials` are the rows of the trials that have the event; those without it (NaN) are left out.
    let align (event: string) (first: float<ms>) (last: float<ms>) (recording: NwbRecording) =
        recording.Align(event, float first, float last)

    /// The trials of a window: their rows in the table of trials.
    let trials (aligned: AlignedSpikes) = List.ofSeq aligned.Rows

    /// `window |> Nwb.counts 20.0<ms> "M1"` is the spikes of each unit of that area in steps of 20 ms, shape (trials, steps, units).
    let counts (dt: float<ms>) (area: string) (aligned: AlignedSpikes) =
        aligned.Counts(area, float dt)

    /// `window |> Nwb.rates 10.0<ms> 25.0<ms> "M1"` is the firing rates in spikes a second, in steps of 10 ms, smoothed by a Gaussian with a standard
    /// deviation of 25 ms (0 for none); shape (trials, steps, units).
    let rates (dt: float<ms>) (smoothing: float<ms>) (area: string) (aligned: AlignedSpikes) =
        aligned.Rates(area, float dt, float smoothing)

    /// `window |> Nwb.labels "direction"` is a number for each trial, from 0, by the value of a column: what `Population.decode` and `pcaOf` take.
    let labels (column: string) (aligned: AlignedSpikes) = aligned.Labels column

    /// `window |> Nwb.levels "direction"` is the values of a column, in the order of their labels.
    let levels (column: string) (aligned: AlignedSpikes) = List.ofArray (aligned.Levels column)

    /// `window |> Nwb.values "coherence"` is the number of each trial in a column: what `Population.regress` and `targeted` take.
    let values (column: string) (aligned: AlignedSpikes) = aligned.Values column

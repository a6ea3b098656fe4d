namespace Rflo.Host

open System
open Rflo.Core
open Rflo.Runs

/// The results of a point that has ended, for a report.
type internal PointResult = {
    Id: string
    Settings: Map<string, string>
    /// The loss at some of its trials; NaN after its end.
    Curve: float[]
    /// The mean over its last trials, as `FinalLoss` has it; NaN where it diverged.
    FinalLoss: float
    /// What it is ranked by: its last validation, or its final loss.
    Score: RunScore
    /// Its measures that have a value.
    Measures: Map<string, float>
    /// Wall time of its trials.
    Seconds: float
    /// Why it failed, if it did.
    Failure: string option
}

/// The points of a sweep as far as they have ended.
type internal SweepResults = {
    Description: SweepDescription
    /// Points of the sweep.
    Points: int
    Results: PointResult[]
    /// Points without a readable run folder: their settings, and the reason.
    Refused: (string * string)[]
    /// The trials of the curves, from 1.
    Trials: int[]
}

/// Reads the results of sweeps.
[<RequireQualifiedAccess>]
module internal SweepResults =

    /// The most points that a report reads, for a limited size of the page and of memory.
    [<Literal>]
    let Most = 20_000

    /// Trials of a curve.
    [<Literal>]
    let private Longest = 120

    /// Trials at equal distances in the logarithm, of so many; all of them where there are few.
    let trials count =
        if count <= Longest then
            [| 1..count |]
        else
            Array.init Longest (fun k ->
                int (Math.Round(float count ** (float k / float (Longest - 1)))))
            |> Array.distinct

    let private result (folder: SweepFolder) (shown: int[]) id =
        let saved = RunFolder.Open(folder.PlaceOf id)
        let table = saved.ReadMetrics()
        let losses = table.Column "loss"
        let row = PointRow.Of(id, saved.Manifest, table)

        {
            Id = id
            Settings =
                Map.ofSeq [
                    for pair in saved.Manifest.Settings -> pair.Key, pair.Value
                ]
            Curve =
                shown
                |> Array.map (fun trial ->
                    if trial <= losses.Length then losses[trial - 1] else nan)
            FinalLoss = saved.Manifest.FinalLoss
            Score = row.Score
            Measures =
                Map.ofSeq [
                    for pair in saved.Manifest.Measures -> pair.Key, pair.Value
                ]
            Seconds = row.Seconds
            Failure =
                match saved.Manifest.Status with
                | RunEnd.Completed
                | RunEnd.Stopped
                | RunEnd.Cancelled -> None
                | _ -> Some saved.Manifest.StatusText
        }

    /// Every k-th of many, so that all parts of a grid are included.
    let private some (ids: string[]) =
        let every = 1 + (ids.Length - 1) / Most

        ids
        |> Array.indexed
        |> Array.filter (fun (k, _) -> k % every = 0)
        |> Array.map snd

    let private tryRead work =
        try
            Ok(work ())
        with :? RunFileException as e ->
            Error e.Message

    let private label (folder: SweepFolder) id =
        match [ for pair in folder.SettingsOf id -> pair.Key, pair.Value ] with
        | [] -> id
        | settings -> Rflo.Dsl.Sweep.label settings

    /// The points of a sweep that have ended so far. A point that cannot be read is listed with the reason.
    let read (folder: SweepFolder) =
        let ids = Array.ofSeq (folder.ReadPoints())

        let states =
            some ids
            |> Array.map (fun id -> id, folder.StateOf id, IO.Directory.Exists(folder.PlaceOf id))

        let there =
            states
            |> Array.filter (fun (_, state, isThere) ->
                isThere && state.Stage <> PointStage.Damaged)
            |> Array.map (fun (id, _, _) -> id)

        let longest =
            there
            |> Array.map (fun id ->
                tryRead (fun () -> (RunFolder.Open(folder.PlaceOf id)).Manifest.Trials)
                |> Result.defaultValue 1)
            |> Array.fold max 1

        let shown = trials longest

        let results =
            there |> Array.map (fun id -> id, tryRead (fun () -> result folder shown id))

        {
            Description = folder.Description
            Points = ids.Length
            Results = results |> Array.choose (snd >> Result.toOption)
            Trials = shown
            Refused = [|
                for id, state, isThere in states do
                    if
                        state.Stage = PointStage.Damaged
                        || (state.Stage = PointStage.Failed && not isThere)
                    then
                        label folder id, state.Reason

                for id, result in results do
                    match result with
                    | Error reason -> label folder id, reason
                    | Ok _ -> ()
            |]
        }

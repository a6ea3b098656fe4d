namespace Rflo.Host

open System
open System.Diagnostics
open System.IO
open Rflo.Dsl
open Rflo.Runs

/// The files, bytes and time of a sweep, estimated from its first point.
type internal SweepCosts = {
    /// Files of a point, with their folder.
    FilesOfPoint: int
    BytesOfPoint: float
    /// Seconds of one processor for a point.
    SecondsOfPoint: float
    /// Seconds to compute the name of a point: a process that runs a part names the points of the part, a submission all.
    SecondsOfName: float
}

/// Measures costs by training a few trials of the first point.
[<RequireQualifiedAccess>]
module internal SweepCosts =

    [<Literal>]
    let private Trials = 20

    [<Literal>]
    let private Names = 200

    /// Bytes of a file at a number of trials, from its sizes at two smaller ones.
    let private extrapolate (short: int, small: int64) (long: int, large: int64) trials =
        if long = short then
            float large
        else
            let perTrial = float (large - small) / float (long - short)
            float large + perTrial * float (trials - long)

    let private sizes (place: string) =
        DirectoryInfo(place).GetFiles()
        |> Array.map (fun file -> file.Name, file.Length)
        |> Map.ofArray

    /// The costs of a point of this sweep, or what is wrong with its first.
    let measure (settings: SweepSettings) (sweep: Sweep) : Result<SweepCosts, string> =
        let first = sweep.At 0

        match Overrides.onto first.Experiment settings.Given with
        | Error mistakes -> Error(mistakes |> List.map Mistake.text |> String.concat "; ")
        | Ok experiment ->
            let folder = Directory.CreateTempSubdirectory "rflo-costs-"

            let run trials =
                let settings = {
                    Sweeps.into (Path.Combine(folder.FullName, string trials)) with
                        Quiet = true
                        Jobs = 1
                }

                Sweep.ofExperiment (Experiment.trials trials experiment) |> Sweeps.run settings

            try
                let long = min experiment.Trials Trials
                let short = long / 2

                match run short, run long with
                | Ok [ small ], Ok [ large ] when large.State.Stage = PointStage.Finished ->
                    let before, after = sizes small.Place, sizes large.Place
                    let seconds = (RunFolder.Open large.Place).ReadMetrics().Column "seconds"
                    let names = min sweep.Count Names

                    let name () =
                        for k in 0 .. names - 1 do
                            let point = sweep.At k
                            SweepPoints.id point.Settings point.Experiment |> ignore

                    // The first calls are slow, since they are compiled.
                    name ()
                    let clock = Stopwatch.StartNew()
                    name ()

                    Ok {
                        FilesOfPoint = after.Count
                        BytesOfPoint =
                            after
                            |> Map.toSeq
                            |> Seq.sumBy (fun (name, size) ->
                                extrapolate (short, before[name]) (long, size) experiment.Trials)
                        SecondsOfPoint =
                            (if seconds.Length = 0 then
                                 0.0
                             else
                                 Array.average (Array.skip (seconds.Length / 2) seconds))
                            * float experiment.Trials
                        SecondsOfName = clock.Elapsed.TotalSeconds / float names
                    }
                | Ok [ _ ], Ok [ large ] ->
                    Error $"the first point has failed: {large.State.Reason}"
                | _ -> Error "the first point cannot be run"
            finally
                folder.Delete true

    let private duration (seconds: float) =
        if seconds < 100.0 then $"%.2g{seconds} s"
        elif seconds < 6000.0 then $"%.1f{seconds / 60.0} minutes"
        else $"%.1f{seconds / 3600.0} hours"

    /// The costs of a whole sweep, a line each.
    let lines (points: int) (costs: SweepCosts) = [
        let count = float points
        let letters = min 256 points
        $"  files      {int64 points * int64 costs.FilesOfPoint} in {points} folders of {costs.FilesOfPoint}, about {max 1 (points / letters)} of which lie in each of {letters} folders"
        $"  bytes      {Problem.bytes (count * costs.BytesOfPoint)}, {Problem.bytes costs.BytesOfPoint} a point"
        $"  time       {duration (count * costs.SecondsOfPoint)} of one processor, {duration costs.SecondsOfPoint} a point, by a few trials of the first"
        $"  names      {duration (count * costs.SecondsOfName)} of one processor, before the first point runs"
    ]

namespace Rflo.Host

open System
open Rflo.Dsl

/// Checkpoints, time limit and cores of a run.
type internal Guard = {
    /// Trials between checkpoints.
    EveryTrials: int option
    /// Time between checkpoints.
    Every: TimeSpan
    /// Time after which the run ends with a checkpoint, to be resumed later.
    MaxTime: TimeSpan option
    /// Whether a completed run keeps its last checkpoint, so that more trials can follow.
    KeepsLast: bool
    /// Cores, at least 1; all of them by default, divided among the runs at once.
    Threads: int option
}

/// Reads guards from a command line.
[<RequireQualifiedAccess>]
module internal Guards =

    /// A checkpoint every five minutes, and none of a run that is complete.
    let usual = {
        EveryTrials = None
        Every = TimeSpan.FromMinutes 5.0
        MaxTime = None
        KeepsLast = false
        Threads = None
    }

    /// Cores of each of so many runs at once.
    let threads jobs (guard: Guard) =
        guard.Threads
        |> Option.defaultWith (fun () -> max 1 (Environment.ProcessorCount / max 1 jobs))

    let private longest = TimeSpan.FromDays 3650.0

    let private trials option (text: string) =
        match Overrides.whole text with
        | Some count when count >= 1L && count <= int64 Int32.MaxValue -> Ok(int count)
        | _ -> Error(BadValue(option, text, "a whole number, at least 1"))

    let private minutes option (text: string) =
        match Overrides.number text with
        | Some minutes when minutes > 0.0 && minutes <= longest.TotalMinutes ->
            Ok(TimeSpan.FromMinutes minutes)
        | _ -> Error(BadValue(option, text, "a number of minutes, more than 0"))

    let private cores option (text: string) =
        match Overrides.whole text with
        | Some count when count >= 1L && count <= 1024L -> Ok(int count)
        | _ -> Error(BadValue(option, text, "a whole number from 1 to 1024"))

    let private each read option given =
        match given with
        | None -> Ok None
        | Some text -> read option text |> Result.map Some

    /// The guard of a request, or its mistakes.
    let ofRequest (request: Request) : Result<Guard, Mistake list> =
        let everyTrials = each trials "--checkpoint-every" request.CheckpointEvery
        let every = each minutes "--checkpoint-minutes" request.CheckpointMinutes
        let maxTime = each minutes "--max-minutes" request.MaxMinutes
        let threads = each cores "--threads" request.Threads

        match everyTrials, every, maxTime, threads with
        | Ok everyTrials, Ok every, Ok maxTime, Ok threads ->
            Ok {
                EveryTrials = everyTrials
                Every = every |> Option.defaultValue usual.Every
                MaxTime = maxTime
                KeepsLast = everyTrials.IsSome || every.IsSome
                Threads = threads
            }
        | _ ->
            let wrong given =
                match given with
                | Error mistake -> [ mistake ]
                | Ok _ -> []

            Error(wrong everyTrials @ wrong every @ wrong maxTime @ wrong threads)

namespace Rflo.Host

open System
open Rflo.Dsl

/// What guards a long run.
type Guard = {
    /// Trials between checkpoints.
    EveryTrials: int option
    /// Time between checkpoints.
    Every: TimeSpan
    /// Time after which the run ends with a checkpoint, to go on later.
    MaxTime: TimeSpan option
    /// Whether a run that ends where it should keeps its last checkpoint, so that more trials can follow.
    KeepsLast: bool
}

/// How many cores a run takes.
[<RequireQualifiedAccess>]
module ThreadCount =

    /// The most that may be asked for.
    let private most = 1024L

    /// What a request asks for, none where it leaves it open, or what is wrong with it.
    let asked (request: Request) : Result<int option, Mistake list> =
        match request.Threads with
        | None -> Ok None
        | Some text ->
            match Overrides.whole text with
            | Some count when count >= 1L && count <= most -> Ok(Some(int count))
            | _ ->
                Error [
                    BadValue("--threads", text, $"a whole number from 1 to {most}")
                ]

    /// The same for a run that has the machine to itself: all cores where it is left open.
    let ofRequest request =
        asked request |> Result.map (Option.defaultValue Environment.ProcessorCount)

    /// Cores of each of several runs at once.
    let each jobs =
        max 1 (Environment.ProcessorCount / max 1 jobs)

/// Reads guards from a command line.
[<RequireQualifiedAccess>]
module Guards =

    /// A checkpoint every five minutes, and none of a run that is complete.
    let usual = {
        EveryTrials = None
        Every = TimeSpan.FromMinutes 5.0
        MaxTime = None
        KeepsLast = false
    }

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

    let private each read option given =
        match given with
        | None -> Ok None
        | Some text -> read option text |> Result.map Some

    /// The guards that a request asks for, or what is wrong with them.
    let ofRequest (request: Request) : Result<Guard, Mistake list> =
        let everyTrials = each trials "--checkpoint-every" request.CheckpointEvery
        let every = each minutes "--checkpoint-minutes" request.CheckpointMinutes
        let maxTime = each minutes "--max-minutes" request.MaxMinutes

        match everyTrials, every, maxTime with
        | Ok everyTrials, Ok every, Ok maxTime ->
            Ok {
                EveryTrials = everyTrials
                Every = every |> Option.defaultValue usual.Every
                MaxTime = maxTime
                KeepsLast = everyTrials.IsSome || every.IsSome
            }
        | _ ->
            let wrong given =
                match given with
                | Error mistake -> [ mistake ]
                | Ok _ -> []

            Error(wrong everyTrials @ wrong every @ wrong maxTime)

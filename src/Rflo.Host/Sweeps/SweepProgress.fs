namespace Rflo.Host

open System
open System.Diagnostics
open System.Threading
open Rflo.Runs

/// The progress of a sweep, which its threads write and its display reads.
type internal SweepProgress(points: int, jobs: int) =
    let clock = Stopwatch.StartNew()
    /// The share that is done of the current point of each thread.
    let inHand = Array.zeroCreate<float> jobs
    let mutable trained = 0
    let mutable found = 0
    let mutable failed = 0
    let mutable elsewhere = 0

    /// Sets the share that a thread has done of its current point.
    member _.Hear(job, share: float) = Volatile.Write(&inHand[job], share)

    /// Records that a thread has ended a point: it was trained here, or had ended before.
    member _.Ended(job, wasTrained, stage: PointStage) =
        Volatile.Write(&inHand[job], 0.0)

        if wasTrained then
            Interlocked.Increment &trained |> ignore
        else
            Interlocked.Increment &found |> ignore

        match stage with
        | PointStage.Failed -> Interlocked.Increment &failed |> ignore
        | PointStage.Running -> Interlocked.Increment &elsewhere |> ignore
        | _ -> ()

    /// The share of the sweep that is done.
    member _.Share = (float (trained + found) + Array.sum inHand) / float (max 1 points)

    /// One line.
    member _.Line =
        let ended = trained + found
        let work = float trained + Array.sum inHand

        let left =
            if work = 0.0 then
                "?"
            else
                let seconds = clock.Elapsed.TotalSeconds * (float (points - found) / work - 1.0)
                string (TimeSpan.FromSeconds(ceil (max 0.0 seconds)))

        let failures = if failed = 0 then "" else $"  {failed} failed"
        let others = if elsewhere = 0 then "" else $"  {elsewhere} elsewhere"
        let running = inHand |> Array.filter (fun share -> share > 0.0) |> Array.length
        $"{ended} of {points} points{failures}  {left} left{others}  {running} running"

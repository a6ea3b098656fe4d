namespace Rflo.Dsl

open System
open Rflo.Core

/// What is called the final loss of a run: one definition for the console, reports, comparisons, manifests and sweeps.
[<RequireQualifiedAccess>]
module FinalLoss =

    /// Trials of the mean.
    [<Literal>]
    let Trials = 200

    /// What it is, in words.
    let meaning =
        $"mean over the last {Trials} trials that have a target, or over all of them where there are fewer"

    /// Of these losses, NaN where a trial had no target; NaN where none had.
    let ofLosses (losses: float[]) =
        let counted = losses |> Array.filter (Double.IsNaN >> not)

        if counted.Length = 0 then
            nan
        else
            counted |> Array.skip (max 0 (counted.Length - Trials)) |> Array.average

    /// `FinalLoss.ofRun trained`: NaN of a run that diverged, which has none.
    let ofRun (trained: Trained) =
        if trained.Status.End = RunEnd.Diverged then
            nan
        else
            ofLosses trained.Losses

namespace Rflo.Dsl

open System
open Rflo.Core

/// The final loss of a run, as in the console, reports, comparisons, manifests and sweeps.
[<RequireQualifiedAccess>]
module FinalLoss =

    /// Trials of the mean.
    [<Literal>]
    let Trials = 200

    /// Its definition in words.
    let meaning =
        $"mean over the last {Trials} trials that have a target, or over all of them where there are fewer"

    /// The final loss of these losses, which are NaN in trials without a target; NaN where no trial has one.
    let ofLosses (losses: float[]) =
        let counted = losses |> Array.filter (Double.IsNaN >> not)

        if counted.Length = 0 then
            nan
        else
            counted |> Array.skip (max 0 (counted.Length - Trials)) |> Array.average

    /// `FinalLoss.ofRun trained`; NaN for a run that diverged.
    let ofRun (trained: Trained) =
        if trained.Status.End = RunEnd.Diverged then
            nan
        else
            ofLosses trained.Losses

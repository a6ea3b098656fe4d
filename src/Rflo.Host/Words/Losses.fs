namespace Rflo.Host

open System
open Rflo.Core
open Rflo.Dsl

/// Losses of a run in words.
[<RequireQualifiedAccess>]
module internal Losses =

    let private short (value: float) = $"%.4g{value}"

    /// The number of losses in the mean of a final loss.
    let averaged (losses: float[]) =
        losses
        |> Seq.filter (Double.IsNaN >> not)
        |> Seq.truncate FinalLoss.Trials
        |> Seq.length

    /// The final loss with the number of trials of its mean.
    let final (losses: float[]) (value: float) =
        match averaged losses with
        | 1 -> short value
        | count -> $"{short value} (mean of the last {count})"

    /// The first loss of a run and the final one; none where the run diverged in its first trial, whose loss is not finite.
    let firstAndFinal (trained: Trained) =
        let losses, value = trained.Losses, FinalLoss.ofRun trained

        match losses |> Array.tryFind (Double.IsNaN >> not) with
        | Some first when Double.IsNaN value -> Some $"loss {short first} in the first trial"
        | Some first -> Some $"loss {short first} -> {final losses value}"
        | None when losses.Length > 0 && trained.Status.End <> RunEnd.Diverged ->
            Some "no trial had a target"
        | None -> None

    /// The loss that a readout sets, unless it is that of its nonlinearity, such as cross-entropy of a sigmoid.
    let named (readout: Readout) =
        readout.Loss |> Option.filter (fun loss -> loss <> Loss.Natural readout.Output)

    /// A readout's loss in words: the kind of its outputs, as `Output` names it; or the loss that it sets, with its formula.
    let ofReadout (readout: Readout) =
        match named readout with
        | Some loss -> loss.Description, Some loss.Formula
        | None -> string readout.Output, None

    /// The definition of the loss, from the losses of the readouts in words.
    let definition (readouts: (string * string option) list) =
        let term (kind: string, formula: string option) =
            match formula, kind with
            | Some formula, _ -> formula
            | None, "Sigmoid" ->
                "the binary cross-entropy of its outputs, m(t) (log(1 + e^s(t)) − y*(t) s(t))"
            | None, "Softmax" -> "the cross-entropy −Σ m(t) y*(t) log y(t)"
            | None, "Exponential" -> (PoissonLoss()).Formula
            | None, _ -> (SquaredError()).Formula

        match List.distinct readouts with
        | []
        | [ "Linear", None ] -> "L = 1/(2T) Σ m(t) |y*(t) − y(t)|² of each trial while it ran."
        | [ readout ] -> $"L = 1/T Σ over the steps of {term readout}, of each trial while it ran."
        | several ->
            let terms =
                several
                |> List.map (fun readout -> $"{(fst readout).ToLowerInvariant()}: {term readout}")
                |> String.concat "; "

            $"L = 1/T Σ over the steps and readouts of each trial while it ran ({terms})."

namespace Rflo.Host

open System
open Rflo.Dsl

/// What is said of the losses of a run.
[<RequireQualifiedAccess>]
module Losses =

    let private short (value: float) = $"%.4g{value}"

    /// How many of a run's losses a final loss is the mean of.
    let averaged (losses: float[]) =
        losses
        |> Seq.filter (Double.IsNaN >> not)
        |> Seq.truncate FinalLoss.Trials
        |> Seq.length

    /// The final loss with what it is the mean of.
    let final (losses: float[]) (value: float) =
        match averaged losses with
        | 1 -> short value
        | count -> $"{short value} (mean of the last {count})"

    /// The first loss and the final one; none where no trial had a target.
    let firstAndFinal (losses: float[]) (value: float) =
        match losses |> Array.tryFind (Double.IsNaN >> not) with
        | Some first when Double.IsNaN value -> Some $"loss {short first} in the first trial"
        | Some first -> Some $"loss {short first} -> {final losses value}"
        | None when losses.Length > 0 -> Some "no trial had a target"
        | None -> None

    /// The loss that readouts of these kinds have, as `Output` names them.
    let definition (kinds: string list) =
        let term kind =
            match kind with
            | "Sigmoid" ->
                "the binary cross-entropy of its outputs, m(t) (log(1 + e^s(t)) − y*(t) s(t))"
            | "Softmax" -> "the cross-entropy −Σ m(t) y*(t) log y(t)"
            | _ -> "½ Σ m(t) (y*(t) − y(t))²"

        match List.distinct kinds with
        | []
        | [ "Linear" ] -> "L = 1/(2T) Σ m(t) |y*(t) − y(t)|² of each trial while it ran."
        | [ kind ] -> $"L = 1/T Σ over the steps of {term kind}, of each trial while it ran."
        | several ->
            let terms =
                several
                |> List.map (fun kind -> $"{kind.ToLowerInvariant()}: {term kind}")
                |> String.concat "; "

            $"L = 1/T Σ over the steps and readouts of each trial while it ran ({terms})."

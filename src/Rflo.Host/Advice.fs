namespace Rflo.Host

open Rflo.Core
open Rflo.Dsl

/// What to do about a run that did not end as it should.
[<RequireQualifiedAccess>]
module Advice =

    let private listed chosen (experiment: Experiment) =
        experiment.Circuit.Projections
        |> List.choose (fun p ->
            chosen p |> Option.map (fun (value: float) -> $"{Projection.name p} {value}"))
        |> String.concat ", "

    let private rate (projection: Projection) =
        match projection.Plasticity with
        | Frozen -> None
        | Learning rate
        | LearningBy(rate, _) -> Some rate

    let private gain (projection: Projection) =
        match projection.Weights with
        | Gaussian gain -> Some gain
        | _ -> None

    /// What to try after a run that diverged, with the values as they are.
    let private calmer experiment =
        let gains =
            match listed gain experiment with
            | "" -> ""
            | gains -> $", or the gain ({gains})"

        $"lower the learning rate ({listed rate experiment}){gains}; --learning-rate RATE does it from the command line"

    /// How a run ended and, where something is to be mended, what.
    let ofRun (trained: Trained) =
        match trained.Status.End with
        | RunEnd.Diverged -> $"{trained.Status}; {calmer trained.Experiment}"
        | RunEnd.Failed -> $"{trained.Status}; fix that code, and run again"
        | _ -> string trained.Status

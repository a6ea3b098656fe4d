/// An experiment whose random draws are given as values, so that a single value can be changed.
module internal Rflo.Testing.Explicit

open Rflo.Core
open Rflo.Dsl

let private checked' experiment =
    match Check.experiment experiment with
    | Ok ready -> ready
    | Error problems ->
        Problem.report "an experiment of a law" problems
        |> String.concat "\n"
        |> invalidOp

/// Draws nothing in a trial and nothing unit by unit; units without competition, which breaks ties by their order.
let still (experiment: Experiment) =
    let settle (area: Area) = {
        area with
            Dynamics =
                if area.Dynamics.IsWinnerTakeAll then
                    Leaky
                else
                    area.Dynamics
            Initial =
                match area.Initial with
                | RandomStart(mean, _)
                | DrawnOnce(mean, _) -> Reset mean
                | other -> other
    }

    {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Areas = List.map settle experiment.Circuit.Areas
            }
            Precision = Precision.Double
    }

/// The same experiment, whose weights, masks and feedback are given as the matrices that it has drawn.
let ofDrawn (experiment: Experiment) =
    let ready = checked' experiment
    let compiled = Compile.experiment ready
    let learner = Learner.ofCore ready
    let weights = learner.Weights()

    let write k (projection: Projection) = {
        projection with
            Weights = Given weights[k]
            Connectivity =
                if learner.Exists[k] |> Seq.cast<bool> |> Seq.forall id then
                    Dense
                else
                    Mask learner.Exists[k]
            SelfConnections = true
            Balanced = false
    }

    let tell (declared: Feedback) (spec: FeedbackSpec) =
        match spec.Matrix with
        | null -> declared
        | values ->
            let units = compiled.Graph.Areas[spec.Area.Index].Units
            let outputs = values.Length / units

            {
                declared with
                    Through =
                        GivenFeedback(
                            Array2D.init units outputs (fun i r -> values[i * outputs + r])
                        )
            }

    {
        experiment with
            Circuit = {
                experiment.Circuit with
                    Projections = List.mapi write experiment.Circuit.Projections
                    Feedback =
                        List.map2
                            tell
                            experiment.Circuit.Feedback
                            (List.ofSeq compiled.Graph.Feedbacks)
            }
    }

/// The activity of the first trial of the training, with learning off.
let firstTrial (experiment: Experiment) =
    let compiled = Compile.experiment (checked' experiment)
    Run.replay compiled (Run.session compiled) 0

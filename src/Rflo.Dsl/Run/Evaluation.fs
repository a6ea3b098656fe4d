namespace Rflo.Dsl

/// The trials of an evaluation, and their random parts. Nothing learns in them.
[<RequireQualifiedAccess>]
type Evaluation = {
    /// Whether its trials are those of the training, with the same inputs, targets, noise and exploration. Otherwise its trials draw
    /// from other streams, and none of them is a trial of the training.
    TrainingTrials: bool
    /// Number of the first trial, from 0.
    First: int
    /// Whether areas have their declared noise.
    Noise: bool
    /// Whether winner-take-all areas explore.
    Exploration: bool
    /// The perturbations in these trials; perturbations of the training do not act.
    Perturbations: Perturbation list
}

/// Ways to evaluate.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Evaluation =

    /// Test trials from number 0, with the model's noise and without exploration. `{ Evaluation.standard with Noise = false }` has none.
    let standard: Evaluation = {
        TrainingTrials = false
        First = 0
        Noise = true
        Exploration = false
        Perturbations = []
    }

    /// The trials of the training from number 0, without exploration: performance on trained trials.
    let onTrainingTrials = { standard with TrainingTrials = true }

/// A trial as the circuit runs it, and the same trial perturbed: inputs, targets, noise and initial states are the same.
type Contrast = {
    Control: Activity
    Perturbed: Activity
}

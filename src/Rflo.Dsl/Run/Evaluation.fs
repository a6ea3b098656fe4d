namespace Rflo.Dsl

/// Which trials an evaluation shows, and what of them stays random. Nothing learns in any of them.
[<RequireQualifiedAccess>]
type Evaluation = {
    /// Whether it shows trials of the training: the same inputs, targets, noise and exploration. Otherwise its trials draw from
    /// streams of their own, and are none that training has shown.
    TrainingTrials: bool
    /// Number of the first trial, from 0.
    First: int
    /// Whether areas have the noise that they were declared with.
    Noise: bool
    /// Whether winner-take-all areas explore.
    Exploration: bool
    /// What is done to the circuit in these trials; perturbations of the training are none of them.
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

    /// The trials of the training from number 0, without exploration: how well what was practiced is done.
    let onTrainingTrials = { standard with TrainingTrials = true }

/// A trial as the circuit runs it, and the same trial perturbed: inputs, targets, noise and initial states are the same.
type Contrast = {
    Control: Activity
    Perturbed: Activity
}

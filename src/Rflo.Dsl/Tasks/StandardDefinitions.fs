namespace Rflo.Dsl

/// The definitions of standard tasks.
[<RequireQualifiedAccess>]
module StandardTasks =

    let internal definition =
        function
        | StandardTask.SineCommand task -> SignalDefinitions.sine task
        | StandardTask.FlipFlop task -> SignalDefinitions.flipFlop task
        | StandardTask.AddTask task -> SignalDefinitions.add task
        | StandardTask.SensorimotorMap task -> SignalDefinitions.sensorimotorMap task
        | StandardTask.DelayedMatch task -> DecisionDefinitions.delayedMatch task
        | StandardTask.DelayedDiscrimination task -> DecisionDefinitions.delayedDiscrimination task
        | StandardTask.PerceptualDecision task -> DecisionDefinitions.perceptualDecision task
        | StandardTask.ContextIntegration task -> DecisionDefinitions.contextIntegration task
        | StandardTask.IntervalDiscrimination task ->
            DecisionDefinitions.intervalDiscrimination task
        | StandardTask.EvidenceAccumulation task -> DecisionDefinitions.evidenceAccumulation task

    /// Inputs and targets, in half a sentence.
    let summary task = (definition task).Summary

    /// The parameters by name, without the phases.
    let settings task = (definition task).Settings

    let internal phased (task: StandardTask) : Phased =
        let meaning = definition task

        {
            Inputs = meaning.Inputs
            Outputs = meaning.Outputs
            Phases = task.Phases
            Conditions = meaning.Conditions
            Make = meaning.Make
        }

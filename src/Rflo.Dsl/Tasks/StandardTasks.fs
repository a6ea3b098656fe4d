namespace Rflo.Dsl

/// A standard task of phases.
[<RequireQualifiedAccess>]
type StandardTask =
    | SineCommand of SineCommand
    | FlipFlop of FlipFlop
    | AddTask of AddTask
    | DelayedMatch of DelayedMatch
    | DelayedDiscrimination of DelayedDiscrimination
    | PerceptualDecision of PerceptualDecision
    | ContextIntegration of ContextIntegration
    | IntervalDiscrimination of IntervalDiscrimination
    | EvidenceAccumulation of EvidenceAccumulation
    | SensorimotorMap of SensorimotorMap

    /// Its phases, in order.
    member this.Phases =
        match this with
        | SineCommand task -> task.Phases
        | FlipFlop task -> task.Phases
        | AddTask task -> task.Phases
        | DelayedMatch task -> task.Phases
        | DelayedDiscrimination task -> task.Phases
        | PerceptualDecision task -> task.Phases
        | ContextIntegration task -> task.Phases
        | IntervalDiscrimination task -> task.Phases
        | EvidenceAccumulation task -> task.Phases
        | SensorimotorMap task -> task.Phases

    /// The score of its trials; none where the targets are a time course and not a choice.
    member this.Score =
        match this with
        | FlipFlop _ -> Some(Score.ShareWithin 0.5)
        | ContextIntegration { Report = SignAtEnd _ }
        | DelayedMatch _
        | DelayedDiscrimination _
        | PerceptualDecision _
        | IntervalDiscrimination _
        | EvidenceAccumulation _
        | SensorimotorMap _ -> Some Score.Decision
        | SineCommand _
        | AddTask _
        | ContextIntegration { Report = RunningSum _ } -> None

    /// Its name.
    member this.Name =
        match this with
        | SineCommand _ -> "sine"
        | FlipFlop _ -> "flip-flop"
        | AddTask _ -> "add"
        | DelayedMatch _ -> "delayed-match"
        | DelayedDiscrimination _ -> "delayed-discrimination"
        | PerceptualDecision _ -> "perceptual-decision"
        | ContextIntegration _ -> "context-integration"
        | IntervalDiscrimination _ -> "interval-discrimination"
        | EvidenceAccumulation _ -> "evidence-accumulation"
        | SensorimotorMap _ -> "sensorimotor-map"

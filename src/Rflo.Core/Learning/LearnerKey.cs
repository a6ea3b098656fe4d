namespace Rflo.Core;

/// <summary>Identifies a learner among those of a circuit, independently of other learners and their order.</summary>
/// <param name="Part">The part whose weights learn, such as "area"; "circuit" for a rule that goes through all of them.</param>
/// <param name="Index">Which part of its kind; -1 for the circuit.</param>
/// <param name="Plasticity">How, without the learning rate; null for a part that has one learner only.</param>
internal sealed record LearnerKey(string Part, int Index, (LearningRule Rule, UpdateSchedule Schedule, Optimizer? Optimizer, Clip Clip, LearningRateSchedule? Rates)? Plasticity)
{
    /// <summary>The key of a learner that is not one of a set.</summary>
    public static LearnerKey None { get; } = new("", -1, null);
}

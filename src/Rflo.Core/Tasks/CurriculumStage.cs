namespace Rflo.Core;

/// <summary>When a stage of a curriculum is passed: by the last trials of that stage, at least so many.</summary>
/// <param name="Trials">Trials of the stage that the means are over, at least 1; before so many were trained it is never passed.</param>
/// <param name="LossBelow">
/// It is passed only if the mean loss of the last so many that had a target is below this; infinity sets no limit. Trials without
/// a target have no loss and do not count.
/// </param>
/// <param name="RewardAbove">It is passed only if their mean reward (a trial's summed over its steps) is above this; minus infinity sets no limit.</param>
/// <param name="ValidationLossBelow">It is passed only by a validation with a mean loss below this; infinity sets no limit.</param>
/// <param name="PerformanceAbove">It is passed only by a validation with a mean performance above this; minus infinity sets no limit.</param>
public sealed record CurriculumStage(
    int Trials,
    double LossBelow = double.PositiveInfinity,
    double RewardAbove = double.NegativeInfinity,
    double ValidationLossBelow = double.PositiveInfinity,
    double PerformanceAbove = double.NegativeInfinity)
{
    /// <summary>Whether it is passed by test trials, and not by those that are trained.</summary>
    internal bool IsByValidation => !double.IsPositiveInfinity(ValidationLossBelow) || !double.IsNegativeInfinity(PerformanceAbove);
}

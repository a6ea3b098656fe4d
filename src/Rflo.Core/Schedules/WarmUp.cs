namespace Rflo.Core;

/// <summary>Warm-up: the first trials rise to the whole rate along a line, (trial + 1) / trials; then another schedule begins, whose first trial is the one after.</summary>
/// <param name="Trials">Trials of the rise, at least 1.</param>
/// <param name="Then">What follows.</param>
public sealed record WarmUp(int Trials, LearningRateSchedule Then) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override int Memory => Then.Memory;

    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"rising over {Trials} trials, then {Then.Description}");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => [.. OutOfRange.UnlessPositive("the number of trials in which rates rise", Trials), .. Then.Problems];

    /// <inheritdoc/>
    public override void Initialize(Span<double> memory) => Then.Initialize(memory);

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) =>
        trial < Trials ? (trial + 1.0) / Trials : Then.Factor(trial - Trials, memory);

    /// <inheritdoc/>
    public override void Observe(int trial, double loss, Span<double> memory)
    {
        if (trial >= Trials)
            Then.Observe(trial - Trials, loss, memory);
    }
}

namespace Rflo.Core;

/// <summary>
/// Reduced on a plateau: multiplied by a factor whenever the mean loss has not become smaller, by more than a thousandth of
/// itself, for so many trials. The mean is that over the window of the run, which early stopping uses as well.
/// </summary>
/// <param name="Multiplier">What a step multiplies by, in (0, 1).</param>
/// <param name="Patience">Trials without a smaller mean, at least 1.</param>
/// <param name="Least">The rate's factor never falls below this; at least 0.</param>
public sealed record PlateauRate(double Multiplier = 0.1, int Patience = 100, double Least = 0) : LearningRateSchedule
{
    private const double Smaller = 1 - 1e-3;
    private const int FactorNow = 0, Best = 1, Since = 2;

    /// <inheritdoc/>
    public override int Memory => 3;

    /// <inheritdoc/>
    public override string Description =>
        FormattableString.Invariant($"multiplied by {Multiplier} after {Patience} trials without a smaller mean loss, down to {Least}");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
    [
        .. Multiplier is > 0 and < 1 ? Array.Empty<OutOfRange>() : [new OutOfRange("the factor on a plateau", Multiplier, "in (0, 1)")],
        .. OutOfRange.UnlessPositive("the patience on a plateau", Patience),
        .. OutOfRange.UnlessNotNegative("the least factor of the rate", Least),
    ];

    /// <inheritdoc/>
    public override void Initialize(Span<double> memory) => (memory[FactorNow], memory[Best]) = (1, double.MaxValue);

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => memory[FactorNow];

    /// <inheritdoc/>
    public override void Observe(int trial, double loss, Span<double> memory)
    {
        if (double.IsNaN(loss))
            return;
        memory[Since]++;
        if (loss < memory[Best] * Smaller)
            (memory[Best], memory[Since]) = (loss, 0);
        if (memory[Since] < Patience)
            return;
        memory[FactorNow] = Math.Max(Least, memory[FactorNow] * Multiplier);
        memory[Since] = 0;
    }
}

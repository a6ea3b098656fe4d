namespace Rflo.Core;

/// <summary>Exponential: half as much every so many trials, 0.5^(trial / trials), without steps.</summary>
/// <param name="Trials">The half-life; more than 0.</param>
public sealed record HalvedRate(double Trials) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"halved every {Trials} trials");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => OutOfRange.UnlessPositive("the number of trials in which rates fall", Trials);

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => Math.Pow(0.5, trial / Trials);
}

/// <summary>Inverse: 1 / (1 + trial / trials).</summary>
/// <param name="Trials">When it is one half; more than 0.</param>
public sealed record InverseRate(double Trials) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"falling as 1 / (1 + trial / {Trials})");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => OutOfRange.UnlessPositive("the number of trials in which rates fall", Trials);

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => 1 / (1 + trial / Trials);
}

/// <summary>Steps: multiplied by a factor after every so many trials.</summary>
/// <param name="Trials">Trials between steps, at least 1.</param>
/// <param name="Multiplier">What a step multiplies by, more than 0.</param>
public sealed record SteppedRate(int Trials, double Multiplier) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"multiplied by {Multiplier} every {Trials} trials");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
        [.. OutOfRange.UnlessPositive("the number of trials between steps of the rate", Trials), .. OutOfRange.UnlessPositive("the factor of a step of the rate", Multiplier)];

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => Math.Pow(Multiplier, trial / Trials);
}

/// <summary>Half a cosine (Loshchilov and Hutter 2017): from 1 down to a last factor over so many trials, and that from then on.</summary>
/// <param name="Trials">Trials of the fall, more than 0.</param>
/// <param name="Last">The last factor, in [0, 1].</param>
public sealed record CosineRate(double Trials, double Last = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"falling to {Last} of itself over {Trials} trials as a cosine");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems =>
    [
        .. OutOfRange.UnlessPositive("the number of trials in which rates fall", Trials),
        .. Last is >= 0 and <= 1 ? Array.Empty<OutOfRange>() : [new OutOfRange("the last factor of the rates", Last, "in [0, 1]")],
    ];

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) =>
        Last + (1 - Last) * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, trial / Trials)));
}

namespace Rflo.Core;

/// <summary>The Huber loss (1964): half the squared error up to an error of delta, and a line from there, so that single targets far away count less.</summary>
/// <param name="Delta">Where the line begins, more than 0.</param>
public sealed record HuberLoss(double Delta = 1) : Loss
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"Huber loss ({Delta})");

    /// <inheritdoc/>
    public override string Formula => FormattableString.Invariant($"Σ m(t) H(y*(t) − y(t)), H(d) = ½ d² for |d| ≤ {Delta}, else {Delta} (|d| − {Delta}/2)");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => OutOfRange.UnlessPositive("the delta of the Huber loss", Delta);

    /// <inheritdoc/>
    public override double Value(double output, double target)
    {
        double distance = Math.Abs(target - output);
        return distance <= Delta ? 0.5 * distance * distance : Delta * (distance - 0.5 * Delta);
    }

    /// <inheritdoc/>
    public override double Slope(double output, double target) => Math.Clamp(output - target, -Delta, Delta);
}

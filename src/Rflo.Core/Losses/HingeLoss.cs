namespace Rflo.Core;

/// <summary>The hinge loss of a choice, max(0, margin - y* y) with y* = -1 or 1: an output that is right by the margin costs nothing.</summary>
/// <param name="Margin">The margin, more than 0.</param>
public sealed record HingeLoss(double Margin = 1) : Loss
{
    /// <inheritdoc/>
    public override string Description => FormattableString.Invariant($"hinge loss ({Margin})");

    /// <inheritdoc/>
    public override string Formula => FormattableString.Invariant($"Σ m(t) max(0, {Margin} − y*(t) y(t))");

    /// <inheritdoc/>
    public override IEnumerable<OutOfRange> Problems => OutOfRange.UnlessPositive("the margin of the hinge loss", Margin);

    /// <inheritdoc/>
    public override string? Targets => "-1 or 1";

    /// <inheritdoc/>
    public override bool Allows(double target) => target is -1 or 1;

    /// <inheritdoc/>
    public override double Value(double output, double target) => Math.Max(0, Margin - target * output);

    /// <inheritdoc/>
    public override double Slope(double output, double target) => Margin - target * output > 0 ? -target : 0;
}

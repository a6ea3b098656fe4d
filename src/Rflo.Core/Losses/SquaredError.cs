namespace Rflo.Core;

/// <summary>Half the squared error (Murray 2019, Eq 2).</summary>
public sealed record SquaredError : Loss
{
    /// <inheritdoc/>
    public override string Description => "squared error";

    /// <inheritdoc/>
    public override string Formula => "½ Σ m(t) (y*(t) − y(t))²";

    /// <inheritdoc/>
    public override double Value(double output, double target) => 0.5 * (target - output) * (target - output);

    /// <inheritdoc/>
    public override double Slope(double output, double target) => output - target;
}

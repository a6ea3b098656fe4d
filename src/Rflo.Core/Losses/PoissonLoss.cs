namespace Rflo.Core;

/// <summary>
/// Rates against counts: minus the log-likelihood of a count y* that is drawn from the Poisson distribution of mean y, without its
/// constant, y - y* log y. The natural loss of an exponential readout.
/// </summary>
public sealed record PoissonLoss : Loss
{
    /// <inheritdoc/>
    public override string Description => "Poisson loss";

    /// <inheritdoc/>
    public override string Formula => "Σ m(t) (y(t) − y*(t) log y(t))";

    /// <inheritdoc/>
    public override string? Targets => "a count, at least 0";

    /// <inheritdoc/>
    public override bool Allows(double target) => target >= 0;

    /// <inheritdoc/>
    public override IReadOnlyList<OutputKind>? Outputs => [OutputKind.Exponential, OutputKind.Softplus, OutputKind.Sigmoid, OutputKind.Softmax];

    /// <inheritdoc/>
    public override double Value(double output, double target) => output - (target == 0 ? 0 : target * Math.Log(output));

    /// <inheritdoc/>
    public override double Slope(double output, double target) => 1 - (target == 0 ? 0 : target / output);
}

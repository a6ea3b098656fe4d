namespace Rflo.Core;

/// <summary>
/// Cross-entropy, of a sigmoid or of a softmax. Readouts compute it from their sums, where it stays finite when an output
/// is 0 or 1 to rounding; a sigmoid's has the part of the other outcome too.
/// </summary>
public sealed record CrossEntropy : Loss
{
    /// <inheritdoc/>
    public override string Description => "cross-entropy";

    /// <inheritdoc/>
    public override string Formula => "−Σ m(t) y*(t) log y(t)";

    /// <inheritdoc/>
    public override string? Targets => "in [0, 1]";

    /// <inheritdoc/>
    public override bool Allows(double target) => target is >= -Rounding and <= 1 + Rounding;

    /// <inheritdoc/>
    public override IReadOnlyList<OutputKind>? Outputs => [OutputKind.Sigmoid, OutputKind.Softmax];

    /// <inheritdoc/>
    public override double Value(double output, double target) => target == 0 ? 0 : -target * Math.Log(output);

    /// <inheritdoc/>
    public override double Slope(double output, double target) => target == 0 ? 0 : -target / output;

    /// <summary>The tolerance of a check of targets: larger than rounding errors, smaller than a wrong target's distance.</summary>
    internal const double Rounding = 1e-6;
}

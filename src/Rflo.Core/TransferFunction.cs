namespace Rflo.Core;

/// <summary>The values and slopes of transfer functions, as sessions compute them.</summary>
public static class TransferFunction
{
    /// <summary>phi(u) and phi'(u) of many units. A kink has the slope of its left side.</summary>
    /// <param name="transfer">Which phi.</param>
    /// <param name="current">u, shape (n).</param>
    /// <param name="value">phi(u), shape (n). Overwritten; may be <paramref name="current"/> itself.</param>
    /// <param name="slope">phi'(u), shape (n). Overwritten; must not overlap the other two.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void Evaluate(Transfer transfer, ReadOnlySpan<double> current, Span<double> value, Span<double> slope) =>
        Kernels.TransferSlope(transfer, current, value, slope);
}

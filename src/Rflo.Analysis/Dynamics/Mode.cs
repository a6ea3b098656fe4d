using System.Numerics;

namespace Rflo.Analysis;

/// <summary>An eigenvalue of a Jacobian and its eigenvector: a direction in which the circuit returns, stays or leaves, and how fast.</summary>
/// <param name="Value">The eigenvalue of the map: its factor a step.</param>
/// <param name="Vector">The eigenvector, of length 1, shape (n).</param>
/// <param name="Dt">Duration of a step in ms.</param>
public sealed record Mode(Complex Value, Complex[] Vector, double Dt)
{
    /// <summary>Time in ms in which the mode's amplitude falls to 1/e: -dt / ln |eigenvalue|. Negative where it grows, infinite where it is constant.</summary>
    public double TimeConstant => Value.Magnitude == 1 ? double.PositiveInfinity : -Dt / Math.Log(Value.Magnitude);

    /// <summary>Frequency in cycles per second, at least 0: |arg eigenvalue| / (2 pi dt).</summary>
    public double Frequency => 1000 * Math.Abs(Value.Phase) / (2 * Math.PI * Dt);
}

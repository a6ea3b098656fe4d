namespace Rflo.Core;

/// <summary>The largest norm of the rules' increments in one update. Larger ones are scaled down to it; their direction stays.</summary>
/// <param name="Norm">The largest Euclidean norm, more than 0; infinite for no limit.</param>
/// <param name="Together">
/// Whether the norm is over all parameters of the circuit whose updates are applied at the same time with this limit, as in
/// PyTorch's clip_grad_norm_; otherwise over each projection, and the time constants of each area, separately.
/// </param>
public readonly record struct Clip(double Norm, bool Together)
{
    /// <summary>No limit; the default.</summary>
    public static Clip None => new(double.PositiveInfinity, false);

    /// <summary>Each projection by itself.</summary>
    public static Clip Each(double norm) => new(norm, false);

    /// <summary>All together.</summary>
    public static Clip All(double norm) => new(norm, true);

    /// <summary>Whether there is no limit.</summary>
    public bool IsNone => double.IsPositiveInfinity(Norm);

    /// <summary>The factor that brings an update of some norm down to the limit; 1 where it is below.</summary>
    internal double FactorOf(double norm) => norm > Norm ? Norm / norm : 1;
}

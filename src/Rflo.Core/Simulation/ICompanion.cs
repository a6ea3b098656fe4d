using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A second row that a target's weights are multiplied with, in the pass over them that makes the currents: weights are
/// read once for both.
/// </summary>
internal interface ICompanion<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The wide row that belongs to the signals of a step; asked for when that step is being made, with all before it complete.</summary>
    /// <param name="step">t.</param>
    ReadOnlySpan<T> Row(int step);

    /// <summary>Where the weights times that row are written, shape (padded units).</summary>
    Span<T> Product { get; }

    /// <summary>Tells that the product of a step is there.</summary>
    void Made(int step);
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A second right-hand side that a target's weights are multiplied with, in the pass over them that computes the currents: weights
/// are read once for both.
/// </summary>
internal interface ICompanion<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The wide row that belongs to the signals of a step. It is called while that step is computed, with all earlier steps complete.</summary>
    /// <param name="step">t.</param>
    ReadOnlySpan<T> Row(int step);

    /// <summary>Where the weights times that row are written, shape (padded units).</summary>
    Span<T> Product { get; }

    /// <summary>Called when <see cref="Product"/> has the values of a step.</summary>
    void Made(int step);
}

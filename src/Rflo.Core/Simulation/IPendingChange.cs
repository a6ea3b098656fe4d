using System.Numerics;

namespace Rflo.Core;

/// <summary>Deferred updates of a target's weights in the current trial: not yet in the weights, but included in all products.</summary>
internal interface IPendingChange<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Adds the product of the updates so far with a row, in a step.</summary>
    /// <param name="step">t.</param>
    /// <param name="row">A wide row: the signals of that step, or another.</param>
    /// <param name="product">The product of the weights with it, shape (padded units). Added to.</param>
    void AddTo(int step, ReadOnlySpan<T> row, Span<T> product);

    /// <summary><see cref="AddTo"/> for the signals of a step and for another row, in one pass.</summary>
    /// <param name="step">t.</param>
    /// <param name="signals">The wide row of signals of that step.</param>
    /// <param name="current">Currents, shape (padded units). Added to.</param>
    /// <param name="row">Another wide row.</param>
    /// <param name="product">The product of the weights with it, shape (padded units). Added to.</param>
    void AddToBoth(int step, ReadOnlySpan<T> signals, Span<T> current, ReadOnlySpan<T> row, Span<T> product);
}

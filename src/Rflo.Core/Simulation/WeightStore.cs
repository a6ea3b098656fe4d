using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Numbers in the shape of one target's weights: the weights themselves, their traces, or their gradients.
/// </summary>
internal sealed class WeightStore<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public WeightStore(int paddedRows, int denseStride, Segment[] segments)
    {
        Dense = new AlignedArray<T>(paddedRows, denseStride);
        Sparse = new T[segments.Length][];
        for (int k = 0; k < segments.Length; k++)
            Sparse[k] = segments[k].Sparse is null ? [] : Storage.New<T>(segments[k].Stored);
    }

    /// <summary>All dense blocks side by side, shape (padded rows, dense stride).</summary>
    public AlignedArray<T> Dense { get; }

    /// <summary>One array an entry for every sparse block, by segment; empty for dense ones.</summary>
    public T[][] Sparse { get; }

    /// <summary>Writes all numbers into a store of the same shape.</summary>
    public void CopyTo(WeightStore<T> other)
    {
        Dense.Span.CopyTo(other.Dense.Span);
        for (int k = 0; k < Sparse.Length; k++)
            Sparse[k].CopyTo(other.Sparse[k], 0);
    }

    public void Clear()
    {
        Dense.Span.Clear();
        foreach (T[] block in Sparse)
            block.AsSpan().Clear();
    }
}

using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>Which connections of a projection exist, and their weights at the start.</summary>
public abstract record Synapses
{
    private protected Synapses()
    {
    }

    /// <summary>Number of connections that exist.</summary>
    public abstract int Count { get; }

    /// <summary>The weights at the start, in the shape of the declaration.</summary>
    public abstract double[] Weights { get; }

    /// <summary>Whether only connections that exist are stored.</summary>
    internal virtual bool IsSparse => false;

    /// <summary>Number of connections that exist, which may be more than an array holds.</summary>
    internal virtual long Existing => Count;

    /// <summary>A full matrix of weights, kept as rows of a dense block. The arrays are copied.</summary>
    /// <param name="weights">Shape (post, pre), row-major.</param>
    /// <param name="exists">Which connections exist, same shape; all of them where null. A weight that does not exist stays 0.</param>
    public static Synapses Dense(double[] weights, bool[]? exists = null)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new DenseSynapses([.. weights], exists is null ? null : [.. exists]);
    }

    /// <summary>Compressed rows: only what exists is stored. The arrays are copied.</summary>
    /// <param name="rowStart">Shape (post + 1): row i holds entries rowStart[i] .. rowStart[i + 1] - 1.</param>
    /// <param name="columns">Presynaptic index of every entry, rising within a row.</param>
    /// <param name="weights">Weight of every entry.</param>
    public static Synapses Sparse(int[] rowStart, int[] columns, double[] weights)
    {
        ArgumentNullException.ThrowIfNull(rowStart);
        ArgumentNullException.ThrowIfNull(columns);
        ArgumentNullException.ThrowIfNull(weights);
        return new SparseSynapses([.. rowStart], [.. columns], [.. weights]);
    }

    /// <summary>Connections of which only the number is known, for the plan of a circuit whose weights are not drawn (<see cref="Plan.Of"/>). No session can be made of them.</summary>
    /// <param name="existing">How many exist.</param>
    /// <param name="isSparse">Whether only those are stored.</param>
    /// <param name="isMasked">Whether some of a full matrix do not exist.</param>
    public static Synapses OfSize(long existing, bool isSparse, bool isMasked) => new SizedSynapses(existing, isSparse, isMasked);
}

/// <summary>See <see cref="Synapses.OfSize"/>.</summary>
internal sealed record SizedSynapses : Synapses
{
    internal SizedSynapses(long existing, bool isSparse, bool isMasked) => (Existing, IsSparse, IsMasked) = (existing, isSparse, isMasked);

    /// <inheritdoc/>
    public override int Count => (int)Math.Min(Existing, int.MaxValue);

    /// <summary>None.</summary>
    public override double[] Weights => [];

    /// <summary>Whether some connections of a full matrix do not exist.</summary>
    internal bool IsMasked { get; }

    /// <inheritdoc/>
    internal override bool IsSparse { get; }

    /// <inheritdoc/>
    internal override long Existing { get; }
}

/// <summary>See <see cref="Synapses.Dense"/>.</summary>
public sealed record DenseSynapses : Synapses
{
    internal DenseSynapses(double[] weights, bool[]? exists) => (Weights, Exists) = (weights, exists);

    /// <summary>Shape (post, pre), row-major.</summary>
    public override double[] Weights { get; }

    /// <summary>Which connections exist; all of them where null.</summary>
    public bool[]? Exists { get; }

    /// <inheritdoc/>
    public override int Count => Exists is null ? Weights.Length : Exists.Count(present => present);
}

/// <summary>See <see cref="Synapses.Sparse"/>. The pattern cannot be changed: kernels index with it, and it is checked once, when it is added.</summary>
public sealed record SparseSynapses : Synapses
{
    internal SparseSynapses(ImmutableArray<int> rowStart, ImmutableArray<int> columns, double[] weights) => (RowStart, Columns, Weights) = (rowStart, columns, weights);

    /// <summary>Shape (post + 1).</summary>
    public ImmutableArray<int> RowStart { get; }

    /// <summary>Presynaptic index of every entry.</summary>
    public ImmutableArray<int> Columns { get; }

    /// <summary>Weight of every entry.</summary>
    public override double[] Weights { get; }

    /// <inheritdoc/>
    public override int Count => Columns.Length;

    /// <inheritdoc/>
    internal override bool IsSparse => true;

    /// <summary>The same connections with other weights, which are copied.</summary>
    /// <param name="weights">Weight of every entry.</param>
    public Synapses With(double[] weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        return new SparseSynapses(RowStart, Columns, [.. weights]);
    }

    /// <summary>The pattern for kernels, which only read it.</summary>
    internal SparseRows Pattern => new(ImmutableCollectionsMarshal.AsArray(RowStart)!, ImmutableCollectionsMarshal.AsArray(Columns)!);
}

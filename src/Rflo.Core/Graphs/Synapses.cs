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

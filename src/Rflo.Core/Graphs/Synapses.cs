namespace Rflo.Core;

/// <summary>Which connections of a projection exist, and their weights at the start.</summary>
public abstract record Synapses
{
    private protected Synapses()
    {
    }

    /// <summary>Number of connections that exist.</summary>
    public abstract int Count { get; }

    /// <summary>A full matrix of weights, kept as rows of a dense block.</summary>
    /// <param name="weights">Shape (post, pre), row-major.</param>
    /// <param name="exists">Which connections exist, same shape; all of them where null. A weight that does not exist is 0 for ever.</param>
    public static Synapses Dense(double[] weights, bool[]? exists = null) => new DenseSynapses(weights, exists);

    /// <summary>Compressed rows: only what exists is stored.</summary>
    /// <param name="rowStart">Shape (post + 1): row i holds entries rowStart[i] .. rowStart[i + 1] - 1.</param>
    /// <param name="columns">Presynaptic index of every entry, rising within a row.</param>
    /// <param name="weights">Weight of every entry.</param>
    public static Synapses Sparse(int[] rowStart, int[] columns, double[] weights) => new SparseSynapses(rowStart, columns, weights);
}

/// <summary>See <see cref="Synapses.Dense"/>.</summary>
public sealed record DenseSynapses : Synapses
{
    internal DenseSynapses(double[] weights, bool[]? exists) => (Weights, Exists) = (weights, exists);

    /// <summary>Shape (post, pre), row-major.</summary>
    public double[] Weights { get; }

    /// <summary>Which connections exist; all of them where null.</summary>
    public bool[]? Exists { get; }

    /// <inheritdoc/>
    public override int Count => Exists is null ? Weights.Length : Exists.Count(present => present);
}

/// <summary>See <see cref="Synapses.Sparse"/>.</summary>
public sealed record SparseSynapses : Synapses
{
    internal SparseSynapses(int[] rowStart, int[] columns, double[] weights) => (RowStart, Columns, Weights) = (rowStart, columns, weights);

    /// <summary>Shape (post + 1).</summary>
    public int[] RowStart { get; }

    /// <summary>Presynaptic index of every entry.</summary>
    public int[] Columns { get; }

    /// <summary>Weight of every entry.</summary>
    public double[] Weights { get; }

    /// <inheritdoc/>
    public override int Count => Columns.Length;
}

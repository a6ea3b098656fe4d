using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>
/// One projection's place among the presynaptic signals of its target. All projections onto a target lie side by
/// side in one wide row, so that a step of a dense target is one matrix-vector product.
/// </summary>
internal sealed class Segment
{
    private byte[]? _kept;

    public Segment(int projection, ProjectionSpec spec, int offset, int width, int targetUnits)
    {
        Projection = projection;
        Spec = spec;
        Offset = offset;
        Width = width;
        (Exists, Sparse) = Expand(spec, width, targetUnits);
        Stored = spec.Synapses.IsSparse ? spec.Synapses.Existing : (long)targetUnits * width;
    }

    /// <summary>Place of the projection in the graph.</summary>
    public int Projection { get; }

    public ProjectionSpec Spec { get; }

    public Source Source => Spec.Source;

    public Plasticity? Plasticity => Spec.Plasticity;

    /// <summary>First element in the wide row.</summary>
    public int Offset { get; }

    /// <summary>Number of presynaptic signals.</summary>
    public int Width { get; }

    /// <summary>Which connections of a dense block exist, over all units of the target, shape (units, width); null where all do.</summary>
    public bool[]? Exists { get; }

    /// <summary>The pattern of a sparse block over all units of the target; null where the block is dense.</summary>
    public SparseRows? Sparse { get; }

    /// <summary>How many numbers a store keeps of it, without the padding of rows: one an entry of a sparse block, one a pair of units of a dense one.</summary>
    public long Stored { get; }

    /// <summary>The connections that exist, where only their number is known; null where each is known.</summary>
    public long? CountOnly => Spec.Synapses is SizedSynapses sized ? sized.Existing : null;

    /// <summary>Whether weights must be constrained after an update.</summary>
    public bool IsConstrained =>
        Exists is not null || Spec.Signs is not null || double.IsFinite(Spec.Lower) || double.IsFinite(Spec.Upper);

    /// <summary>Row of the target that holds row <paramref name="row"/> of the projection's own matrix.</summary>
    public int TargetRow(int row) => Spec.Target.Units is { } units ? units[row] : row;

    /// <summary>Unit of the source, output or channel, that signal <paramref name="column"/> of the projection is.</summary>
    public int SourceUnit(int column) => Source.Units is { } units ? units[column] : column;

    /// <summary>Takes the projection's signals from those of its source: all of them, or those of some units.</summary>
    /// <param name="from">The source's signals.</param>
    /// <param name="signals">The projection's, shape (width). Overwritten.</param>
    public void Take<T>(ReadOnlySpan<T> from, Span<T> signals)
    {
        if (Source.Units is not { } units)
        {
            from[..signals.Length].CopyTo(signals);
            return;
        }

        for (int k = 0; k < units.Length; k++)
            signals[k] = from[units[k]];
    }

    /// <summary>Whether the connection from signal <paramref name="column"/> to unit <paramref name="row"/> of the target exists.</summary>
    public bool Has(int row, int column, int width) => Exists is null || Exists[row * width + column];

    /// <summary>Makes the mask that <see cref="ClearAbsent"/> needs, unless it was made before.</summary>
    public void KeepMask<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Exists is { } exists)
            _kept ??= Kept(exists, CountOnly is null ? exists.Length : Stored, Unsafe.SizeOf<T>());
    }

    /// <summary>
    /// Sets the elements of a row to 0 where no connection exists. It selects instead of multiplying by 0 or 1, since an element may be
    /// infinite or NaN.
    /// </summary>
    /// <param name="unit">Unit of the target.</param>
    /// <param name="row">Its row, shape (width). Updated.</param>
    public void ClearAbsent<T>(int unit, Span<T> row)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Exists is null)
            return;
        Span<byte> bytes = MemoryMarshal.AsBytes(row);
        TensorPrimitives.BitwiseAnd<byte>(bytes, _kept.AsSpan(unit * bytes.Length, bytes.Length), bytes);
    }

    /// <summary>A mask with all bits set where a connection exists, and no bits elsewhere.</summary>
    private static byte[] Kept(bool[] exists, long count, int size)
    {
        byte[] kept = Storage.New<byte>(count * size);
        for (int k = 0; k < exists.Length && !Storage.IsSketch; k++)
            if (exists[k])
                kept.AsSpan(k * size, size).Fill(byte.MaxValue);
        return kept;
    }

    /// <summary>Widens masks and sparse rows from a population to all units of the target.</summary>
    private static (bool[]? Exists, SparseRows? Sparse) Expand(ProjectionSpec spec, int width, int targetUnits)
    {
        int[]? population = spec.Target.Units;
        if (spec.Synapses is SizedSynapses sized)
        {
            return sized.IsSparse
                ? (null, new SparseRows(Storage.New<int>(targetUnits + 1L), Storage.New<int>(sized.Existing)))
                : (sized.IsMasked || population is not null ? Storage.New<bool>((long)targetUnits * width) : null, null);
        }

        if (spec.Synapses is SparseSynapses sparse)
        {
            if (population is null)
                return (null, sparse.Pattern);
            return (null, SparseOf(sparse, population, targetUnits));
        }

        bool[]? given = ((DenseSynapses)spec.Synapses).Exists;
        if (population is null)
            return (given, null);
        bool[] exists = new bool[targetUnits * width];
        for (int row = 0; row < population.Length; row++)
            for (int column = 0; column < width; column++)
                exists[population[row] * width + column] = given is null || given[row * width + column];
        return (exists, null);
    }

    private static SparseRows SparseOf(SparseSynapses sparse, int[] population, int targetUnits)
    {
        int[] start = new int[targetUnits + 1];
        for (int row = 0; row < population.Length; row++)
            start[population[row] + 1] = sparse.RowStart[row + 1] - sparse.RowStart[row];
        for (int row = 0; row < targetUnits; row++)
            start[row + 1] += start[row];
        int[] column = new int[sparse.Columns.Length];
        for (int row = 0; row < population.Length; row++)
        {
            int from = sparse.RowStart[row], count = sparse.RowStart[row + 1] - from;
            sparse.Columns.CopyTo(from, column, start[population[row]], count);
        }

        return new SparseRows(start, column);
    }
}

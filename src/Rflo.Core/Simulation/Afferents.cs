using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The presynaptic input of one target, an area or a readout: the wide rows of weights and the wide row of presynaptic signals of
/// every step.
/// </summary>
/// <remarks>
/// Dense blocks come first in a row, each padded to whole vectors (the padding is zero on both sides and stays so);
/// the signals of sparse blocks follow. Rows of signals before step 1 exist for targets that are read with a delay.
/// </remarks>
internal sealed class Afferents<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string ProjectionName = "projection";
    private readonly int _maxSteps;
    private readonly int _ownHistory;
    private AlignedArray<T> _signals;
    private int _history;

    /// <param name="graph">The graph.</param>
    /// <param name="isReadout">Whether the target is a readout.</param>
    /// <param name="index">Which area or readout.</param>
    /// <param name="units">Number of units or outputs.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="history">Rows of signals kept before step 1.</param>
    public Afferents(Graph graph, bool isReadout, int index, int units, int maxSteps, int history)
    {
        Rows = units;
        PaddedRows = Simd.Padded<T>(units);
        _history = _ownHistory = history;
        _maxSteps = maxSteps;
        var dense = new List<Segment>();
        var sparse = new List<Segment>();
        int offset = 0;
        foreach (bool isSparse in new[] { false, true })
        {
            for (int k = 0; k < graph.Projections.Count; k++)
            {
                ProjectionSpec spec = graph.Projections[k];
                if (spec.Target.IsReadout != isReadout || spec.Target.Index != index || spec.Synapses.IsSparse != isSparse)
                    continue;
                int width = graph.Presynaptic(spec);
                (isSparse ? sparse : dense).Add(new Segment(k, spec, offset, width, units));
                offset += Simd.Padded<T>(width);
            }

            if (!isSparse)
                DenseStride = offset;
        }

        int end = dense.Count == 0 ? 0 : dense[^1].Offset + dense[^1].Width;
        int lanes = Simd.NarrowCount<T>();
        DenseUsed = (end + lanes - 1) / lanes * lanes;
        Stride = offset;
        Segments = [.. dense, .. sparse];
        Weights = NewStore();
        _signals = new AlignedArray<T>(0);
        if (Storage.IsSketch)
            return;
        foreach (Segment segment in Segments)
            Load(segment, segment.Spec.Synapses.Weights);
    }

    /// <summary>The input of the same target in a parallel trial: the same weights, signals of its own.</summary>
    /// <param name="original">The instance that has the weights.</param>
    public Afferents(Afferents<T> original)
    {
        (Rows, PaddedRows, DenseStride, DenseUsed, Stride) = (original.Rows, original.PaddedRows, original.DenseStride, original.DenseUsed, original.Stride);
        (Segments, Weights) = (original.Segments, original.Weights);
        _maxSteps = original._maxSteps;
        _history = original._ownHistory;
        _ownHistory = original._ownHistory;
        _signals = new AlignedArray<T>(0);
    }

    public int Rows { get; }

    public int PaddedRows { get; }

    /// <summary>Rows rounded up to whole blocks of four, as the kernels take them; at most <see cref="PaddedRows"/>.</summary>
    public int BlockRows => (Rows + 3) / 4 * 4;

    /// <summary>Length of a row of dense weights, and of the dense part of a row of signals.</summary>
    public int DenseStride { get; }

    /// <summary>
    /// Length of a row of dense weights without the padding at its end, rounded up to a register of at most 256 bits: the length
    /// for a kernel that uses such registers where rows are padded for wider ones.
    /// </summary>
    public int DenseUsed { get; }

    /// <summary>Length of a row of signals.</summary>
    public int Stride { get; }

    public Segment[] Segments { get; }

    public WeightStore<T> Weights { get; }

    /// <summary>
    /// Whether the target receives one whole area only, so that its rows of signals are that area's rows of
    /// rates, without a copy.
    /// </summary>
    public bool IsShared { get; private set; }

    /// <summary>Why rows of rates cannot be rows of signals; null where they can.</summary>
    public string? SharingObstacle => Segments switch
    {
        [{ Source: { Kind: SignalKind.Area, Units: null }, Spec.Gate.Kind: GateKind.Always }] => null,
        [{ Source: { Kind: SignalKind.Area, Units: null } } gated] => $"{gated.Spec.Name} has a gate",
        [] => "no projection arrives",
        [var only] => $"{only.Spec.Name} does not come from a whole area",
        _ => "several projections arrive",
    };

    /// <summary>Finds the rows of signals, when all areas exist.</summary>
    /// <param name="areas">The areas.</param>
    /// <param name="share">Whether rows of rates may be rows of signals.</param>
    public void Connect(AreaState<T>[] areas, bool share = true)
    {
        if (share)
        {
            (Source source, ProjectionSpec spec) = (Segments[0].Source, Segments[0].Spec);
            IsShared = true;
            (_signals, int now) = areas[source.Index].RateRows;
            _history = now - (spec.Target.IsReadout ? 0 : source.Delay);
            return;
        }

        _signals = new AlignedArray<T>(_history + _maxSteps + 1, Math.Max(1, Stride));
    }

    /// <summary>Numbers of its own rows of signals; none where the rates of a source area are these rows.</summary>
    public long NumbersOfTrial => IsShared ? 0 : _signals.Length;

    /// <summary>A zeroed store of the same shape as the weights.</summary>
    public WeightStore<T> NewStore() => new(PaddedRows, DenseStride, Segments);

    /// <summary>The wide row of presynaptic signals that made the currents of step <paramref name="step"/>.</summary>
    public Span<T> Signals(int step) => _signals.Row(_history + step, Stride);

    /// <summary>The rows of signals from step <paramref name="step"/> on, each <see cref="Stride"/> long.</summary>
    public Span<T> SignalsFrom(int step) => _signals.From(_history + step, Stride);

    /// <summary>Deferred updates of the weights in this trial, which currents already include; null where there are none.</summary>
    public IPendingChange<T>? Pending { get; set; }

    /// <summary>The second right-hand side that is multiplied in the pass that computes the currents; null for none.</summary>
    public ICompanion<T>? Beside { get; set; }

    /// <summary>The step for which a learner has already computed the currents, of dense blocks at least; 0 for none.</summary>
    public int DenseAhead { get; set; }

    /// <summary>The step for which those currents include the sparse blocks.</summary>
    public int SparseAhead { get; set; }

    /// <summary>Currents of step <paramref name="step"/>: u = W s, over all blocks; <paramref name="current"/> has the padded length.</summary>
    public void Currents(int step, Span<T> current)
    {
        bool ahead = DenseAhead == step && step >= 1;
        if (!ahead && Beside is { } beside)
        {
            CurrentsBeside(step, current, beside);
            return;
        }

        if (!ahead)
            Product(Signals(step), current, backward: step % 2 == 0);
        else if (SparseAhead != step)
            AddSparse(Signals(step), current);
        Pending?.AddTo(step, Signals(step), current);
    }

    /// <summary>Currents, and the product of the same weights with another row, with each weight read once.</summary>
    private void CurrentsBeside(int step, Span<T> current, ICompanion<T> beside)
    {
        ReadOnlySpan<T> signals = Signals(step), row = beside.Row(step);
        Span<T> product = beside.Product;
        if (DenseStride > 0)
        {
            Kernels.MultiplyBoth(
                Weights.Dense.Span, signals[..DenseStride], row[..DenseStride], current[..BlockRows], product[..BlockRows], backward: step % 2 == 0);
        }

        int made = DenseStride > 0 ? BlockRows : 0;
        current[made..].Clear();
        product[made..].Clear();
        AddSparse(signals, current);
        AddSparse(row, product);
        Pending?.AddToBoth(step, signals, current, row, product);
        beside.Made(step);
    }

    /// <summary>The product of a step's weights, deferred updates included, with another row, after the network has computed the step.</summary>
    public void ProductBeside(int step, ReadOnlySpan<T> row, Span<T> product)
    {
        Product(row, product, backward: step % 2 == 0);
        Pending?.AddTo(step, row, product);
    }

    /// <summary>W times any wide row of signals, over all blocks; <paramref name="current"/> has the padded length. Rows in one order or the other.</summary>
    public void Product(ReadOnlySpan<T> signals, Span<T> current, bool backward = false)
    {
        if (DenseStride > 0)
            Kernels.Multiply(Weights.Dense.Span, signals[..DenseStride], current[..BlockRows], backward, padding: DenseStride - DenseUsed);
        current[(DenseStride > 0 ? BlockRows : 0)..].Clear();
        AddSparse(signals, current);
    }

    private void AddSparse(ReadOnlySpan<T> signals, Span<T> current)
    {
        for (int k = 0; k < Segments.Length; k++)
            if (Segments[k].Sparse is { } pattern)
                Kernels.MultiplySparse(pattern, Weights.Sparse[k], signals.Slice(Segments[k].Offset, Segments[k].Width), current);
    }

    /// <summary>The credit of the presynaptic signals from <paramref name="delta"/>, the credit of the currents: the transpose of <see cref="Product"/>.</summary>
    public void Transposed(ReadOnlySpan<T> delta, Span<T> signals)
    {
        if (DenseStride > 0)
            Kernels.MultiplyTransposed(Weights.Dense.Span, delta, signals[..DenseStride]);
        TransposedSparse(delta, signals);
    }

    /// <summary>The part of <see cref="Transposed"/> that sparse blocks contribute.</summary>
    public void TransposedSparse(ReadOnlySpan<T> delta, Span<T> signals)
    {
        signals[DenseStride..].Clear();
        for (int k = 0; k < Segments.Length; k++)
            if (Segments[k].Sparse is { } pattern)
                Kernels.MultiplyTransposedSparse(pattern, Weights.Sparse[k], delta, signals.Slice(Segments[k].Offset, Segments[k].Width));
    }

    /// <summary>Multiplies all weights of a projection.</summary>
    public void Multiply(Segment segment, double factor)
    {
        var keep = T.CreateTruncating(factor);
        if (segment.Sparse is not null)
        {
            Span<T> block = Weights.Sparse[Place(segment)];
            System.Numerics.Tensors.TensorPrimitives.Multiply(block, keep, block);
            return;
        }

        for (int i = 0; i < Rows; i++)
        {
            Span<T> row = Weights.Dense.Row(i, DenseStride).Slice(segment.Offset, segment.Width);
            System.Numerics.Tensors.TensorPrimitives.Multiply(row, keep, row);
        }
    }

    /// <summary>Writes a projection's weights, given in the shape of its declaration.</summary>
    public void Load(Segment segment, double[] given)
    {
        int at = Place(segment);
        if (segment.Spec.Synapses is SparseSynapses sparse)
        {
            T[] block = Weights.Sparse[at];
            for (int row = 0; row < sparse.RowStart.Length - 1; row++)
                for (int k = sparse.RowStart[row], to = segment.Sparse!.Start[segment.TargetRow(row)]; k < sparse.RowStart[row + 1]; k++, to++)
                    block[to] = T.CreateTruncating(given[k]);
            return;
        }

        int rows = given.Length / Math.Max(1, segment.Width);
        for (int row = 0; row < rows; row++)
        {
            int target = segment.TargetRow(row);
            Span<T> weights = Weights.Dense.Row(target, DenseStride).Slice(segment.Offset, segment.Width);
            for (int column = 0; column < segment.Width; column++)
                weights[column] = segment.Has(target, column, segment.Width)
                    ? T.CreateTruncating(given[row * segment.Width + column])
                    : T.Zero;
        }
    }

    /// <summary>
    /// A projection's numbers from a store, in the shape of its declaration: (post, pre) row-major, or one an entry
    /// where it is sparse. Connections that do not exist read as 0, whatever a kernel has left in their place.
    /// </summary>
    public double[] Read(Segment segment, WeightStore<T> store, int post)
    {
        int at = Place(segment);
        if (segment.Sparse is { } pattern)
        {
            var values = new List<double>(pattern.Entries);
            for (int row = 0; row < post; row++)
                for (int k = pattern.Start[segment.TargetRow(row)]; k < pattern.Start[segment.TargetRow(row) + 1]; k++)
                    values.Add(double.CreateTruncating(store.Sparse[at][k]));
            return [.. values];
        }

        double[] matrix = new double[post * segment.Width];
        for (int row = 0; row < post; row++)
        {
            int target = segment.TargetRow(row);
            Span<T> weights = store.Dense.Row(target, DenseStride).Slice(segment.Offset, segment.Width);
            for (int column = 0; column < segment.Width; column++)
                matrix[row * segment.Width + column] = segment.Has(target, column, segment.Width) ? double.CreateTruncating(weights[column]) : 0;
        }

        return matrix;
    }

    /// <summary>Saves or restores the numbers of some projections in a store, without the padding of rows, which depends on the machine.</summary>
    public void Visit(StateVisitor visitor, WeightStore<T> store, Segment[] segments)
    {
        foreach (Segment segment in segments)
        {
            if (segment.Sparse is not null)
                visitor.Visit<T>(ProjectionName, store.Sparse[Place(segment)], segment.Projection);
            else
                visitor.VisitColumns(ProjectionName, store.Dense.Span[segment.Offset..], DenseStride, Rows, segment.Width, segment.Projection);
        }
    }

    /// <summary>One weight: from signal <paramref name="column"/> of a projection to unit <paramref name="unit"/>; 0 where there is none.</summary>
    public T Weight(Segment segment, int unit, int column)
    {
        if (segment.Sparse is not { } pattern)
            return Weights.Dense.Row(unit, DenseStride)[segment.Offset + column];
        int at = Array.BinarySearch(pattern.Column, pattern.Start[unit], pattern.Start[unit + 1] - pattern.Start[unit], column);
        return at >= 0 ? Weights.Sparse[Place(segment)][at] : T.Zero;
    }

    /// <summary>Place of a segment among the segments.</summary>
    public int Place(Segment segment)
    {
        for (int k = 0; k < Segments.Length; k++)
            if (ReferenceEquals(Segments[k], segment))
                return k;
        return -1;
    }
}

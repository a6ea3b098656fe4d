using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The columns of the influence tensor: one for every existing weight that can change the state of the network, in
/// the order target, projection, unit, presynaptic signal, cut into panels of a few columns. Absent weights of a mask
/// have no column.
/// </summary>
internal sealed class InfluenceColumns<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The owner of columns that belong to no weight.</summary>
    public const int Free = -1;

    private readonly List<Row> _rows = [];
    private readonly List<List<Piece>> _pieces = [];
    private readonly List<int> _owners = [];
    private readonly List<int[]> _sized = [];
    private readonly List<(int Owner, long Panels)> _sizes = [];

    /// <summary>The weights of one unit in one projection: columns First .. First + Signals.Length - 1.</summary>
    /// <param name="Owner">Which target, areas first, then readouts.</param>
    /// <param name="Unit">Unit of the target.</param>
    /// <param name="Segment">The projection.</param>
    /// <param name="First">First column.</param>
    /// <param name="Signals">Place in the wide row of every column's signal.</param>
    /// <param name="SparseStart">First entry in the sparse block; -1 where the block is dense.</param>
    public readonly record struct Row(int Owner, int Unit, Segment Segment, int First, int[] Signals, int SparseStart);

    /// <summary>The part of a row that lies in one panel.</summary>
    /// <param name="Unit">Unit of the target.</param>
    /// <param name="Column">First column, counted in the panel.</param>
    /// <param name="Signals">Place in the wide row of every column's signal.</param>
    /// <param name="Contiguous">Whether those places follow each other.</param>
    public readonly record struct Piece(int Unit, int Column, int[] Signals, bool Contiguous);

    public List<Row> Rows => _rows;

    /// <summary>Number of columns, each target's share padded to whole panels.</summary>
    public long Count { get; private set; }

    public int Panels => _owners.Count;

    /// <summary>Further columns of which only the number is known, and their owner: those of a sketch.</summary>
    public IReadOnlyList<(int Owner, long Panels)> Sizes => _sizes;

    /// <summary>The target whose weights a panel's columns are: areas first, then readouts.</summary>
    public int Owner(int panel) => _owners[panel];

    /// <summary>The part of each unit's weights that lies in a panel.</summary>
    public List<Piece> Pieces(int panel) => _pieces[panel];

    public void Add(int owner, Afferents<T> afferents, Segment[] segments)
    {
        int width = Kernels.PanelColumns<T>(), firstRow = _rows.Count;
        if (Array.Exists(segments, segment => segment.CountOnly is not null))
        {
            AddSizes(owner, segments.Sum(segment => segment.CountOnly ?? segment.Spec.Synapses.Existing), width);
            return;
        }

        foreach (Segment segment in segments)
            for (int unit = 0; unit < afferents.Rows; unit++)
                AddRow(owner, segment, unit);
        Count = (Count + width - 1) / width * width;
        while (_owners.Count < Count / width)
        {
            _owners.Add(owner);
            _pieces.Add([]);
        }

        for (int k = firstRow; k < _rows.Count; k++)
            Cut(_rows[k], width);
    }

    /// <summary>Adds columns that belong to no weight: the directions of a stochastic rule's mixed influence.</summary>
    public void AddFree(int count)
    {
        int width = Kernels.PanelColumns<T>();
        Count += (count + width - 1) / width * width;
        while (_owners.Count < Count / width)
        {
            _owners.Add(Free);
            _pieces.Add([]);
        }
    }

    /// <summary>Adds a gradient over the columns to what the projections of a target have collected.</summary>
    public void Add(ReadOnlySpan<T> gradient, Plastic<T> plastic, int owner, int steps)
    {
        Afferents<T> afferents = plastic.Afferents;
        foreach (Row row in _rows)
        {
            // Two groups of one target may have different rules: each receives the columns of its own weights.
            if (row.Owner != owner || Array.IndexOf(plastic.Segments, row.Segment) < 0)
                continue;
            T scale = plastic.Scale(row.Segment.Plasticity!.LearningRate, steps);
            ReadOnlySpan<T> share = gradient.Slice(row.First, row.Signals.Length);
            if (row.SparseStart >= 0)
            {
                Kernels.AddScaled(plastic.Destination.Sparse[afferents.Place(row.Segment)].AsSpan(row.SparseStart, share.Length), scale, share);
                continue;
            }

            Span<T> weights = plastic.Destination.Dense.Row(row.Unit, afferents.DenseStride);
            if (row.Signals[^1] - row.Signals[0] == row.Signals.Length - 1)
                Kernels.AddScaled(weights.Slice(row.Signals[0], share.Length), scale, share);
            else
                for (int n = 0; n < share.Length; n++)
                    weights[row.Signals[n]] = T.FusedMultiplyAdd(scale, share[n], weights[row.Signals[n]]);
        }
    }

    /// <summary>Adds columns of which only the number is known: those of a sketch.</summary>
    private void AddSizes(int owner, long columns, int width)
    {
        long panels = (columns + width - 1) / width;
        _sizes.Add((owner, panels));
        Count += panels * width;

        // The place of every column's signal: in its row and in its piece.
        _sized.Add(Storage.New<int>(2 * columns));
    }

    private void AddRow(int owner, Segment segment, int unit)
    {
        int[] signals;
        int sparseStart = -1;
        if (segment.Sparse is { } pattern)
        {
            sparseStart = pattern.Start[unit];
            signals = [.. pattern.Column[sparseStart..pattern.Start[unit + 1]].Select(column => segment.Offset + column)];
        }
        else
        {
            signals = [.. Enumerable.Range(0, segment.Width).Where(column => segment.Has(unit, column, segment.Width)).Select(column => segment.Offset + column)];
        }

        if (signals.Length == 0)
            return;
        _rows.Add(new Row(owner, unit, segment, (int)Count, signals, sparseStart));
        Count += signals.Length;
    }

    private void Cut(in Row row, int width)
    {
        for (int done = 0; done < row.Signals.Length;)
        {
            int column = row.First + done, panel = column / width;
            int count = Math.Min(row.Signals.Length - done, (panel + 1) * width - column);
            int[] signals = row.Signals[done..(done + count)];
            _pieces[panel].Add(new Piece(row.Unit, column - panel * width, signals, signals[^1] - signals[0] == count - 1));
            done += count;
        }
    }
}

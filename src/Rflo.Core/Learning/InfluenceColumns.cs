using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The columns of the influence tensor: one for every existing weight that can change the state of the network, in
/// the order target, projection, unit, presynaptic signal. Absent weights of a mask have no column.
/// </summary>
internal sealed class InfluenceColumns<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Row> _rows = [];

    /// <summary>The weights of one unit in one projection: columns First .. First + Count - 1.</summary>
    /// <param name="Owner">Which target, areas first, then readouts.</param>
    /// <param name="Unit">Unit of the target.</param>
    /// <param name="Segment">The projection.</param>
    /// <param name="First">First column.</param>
    /// <param name="Signals">Place in the wide row of every column's signal.</param>
    /// <param name="SparseStart">First entry in the sparse block; -1 where the block is dense.</param>
    public readonly record struct Row(int Owner, int Unit, Segment Segment, int First, int[] Signals, int SparseStart);

    public IReadOnlyList<Row> Rows => _rows;

    /// <summary>Number of columns, each target's share padded to whole panels.</summary>
    public int Count { get; private set; }

    /// <summary>Which target owns each panel.</summary>
    public List<int> PanelOwners { get; } = [];

    public void Add(int owner, Afferents<T> afferents, IReadOnlyList<Segment> segments)
    {
        int panel = Kernels.PanelColumns<T>();
        foreach (Segment segment in segments)
            for (int unit = 0; unit < afferents.Rows; unit++)
                AddRow(owner, segment, unit);
        while (Count % panel != 0)
            Count++;
        while (PanelOwners.Count < Count / panel)
            PanelOwners.Add(owner);
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
        _rows.Add(new Row(owner, unit, segment, Count, signals, sparseStart));
        Count += signals.Length;
    }
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// What a direction in the state of a circuit brings to one area in a step: the wide row of its presynaptic part, and the
/// currents that the weights make of it. They are made beside the area's own currents where those are made by a product,
/// and by a product of their own where they are not: no gate of a winner-take-all area was open, or a learner had made
/// the currents ahead.
/// </summary>
internal sealed class TangentRow<T>(TangentState<T> tangent, AreaState<T> area, bool beside) : ICompanion<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _row = new(area.Afferents.Stride);
    private readonly AlignedArray<T> _currents = new(area.Padded);
    private int _made;

    public Span<T> Product => _currents.Span;

    /// <summary>Before the first step of a trial: asks to be multiplied beside the signals, unless somebody else has.</summary>
    public void Begin()
    {
        _made = 0;
        if (beside)
            area.Afferents.Beside ??= this;
    }

    public ReadOnlySpan<T> Row(int step)
    {
        foreach (Segment segment in area.Afferents.Segments)
            tangent.Gather(segment, step, _row.Span.Slice(segment.Offset, segment.Width));
        return _row.Span;
    }

    public void Made(int step) => _made = step;

    /// <summary>The currents of a step that the network has just made.</summary>
    public Span<T> Currents(int step)
    {
        if (_made != step)
            area.Afferents.ProductBeside(step, Row(step), Product);
        return Product;
    }
}

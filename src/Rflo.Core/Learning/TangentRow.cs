using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The tangent of one area's input in a step: the wide row of the presynaptic tangent, and its product with the weights. The
/// product is computed in the pass that computes the area's own currents, if there is one. Otherwise it is a product of its
/// own: where no gate of a winner-take-all area was open, or a learner has computed the currents in advance.
/// </summary>
internal sealed class TangentRow<T>(TangentState<T> tangent, AreaState<T> area, bool beside) : ICompanion<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<T> _row = new(area.Afferents.Stride);
    private readonly AlignedArray<T> _currents = new(area.Padded);
    private int _made;

    public Span<T> Product => _currents.Span;

    /// <summary>Before the first step of a trial: becomes the second right-hand side of the area's currents, unless there is one.</summary>
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

    /// <summary>The tangent of the currents of a step that the network has just computed.</summary>
    public Span<T> Currents(int step)
    {
        if (_made != step)
            area.Afferents.ProductBeside(step, Row(step), Product);
        return Product;
    }
}

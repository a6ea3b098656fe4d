using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The constraints of a projection's weights after an update: absent weights stay 0, Dale's signs hold (a weight that
/// would cross zero becomes exactly 0 and may grow back), bounds hold.
/// </summary>
/// <remarks>NaN stays NaN, so that a divergence is detected.</remarks>
internal sealed class Constraint<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Segment _segment;
    private readonly Afferents<T> _afferents;
    private readonly T[] _lower;
    private readonly T[] _upper;
    private readonly bool _isBounded;

    public Constraint(Segment segment, Afferents<T> afferents)
    {
        _segment = segment;
        _afferents = afferents;
        ProjectionSpec spec = segment.Spec;
        _lower = new T[segment.Width];
        _upper = new T[segment.Width];
        for (int j = 0; j < segment.Width; j++)
        {
            int sign = spec.Signs is { } signs ? signs[j] : 0;
            _lower[j] = T.CreateTruncating(sign > 0 ? Math.Max(0, spec.Lower) : spec.Lower);
            _upper[j] = T.CreateTruncating(sign < 0 ? Math.Min(0, spec.Upper) : spec.Upper);
        }

        segment.KeepMask<T>();
        _isBounded = spec.Signs is not null || double.IsFinite(spec.Lower) || double.IsFinite(spec.Upper);
    }

    /// <summary>Moves every weight to the nearest allowed value. Allocates nothing.</summary>
    public void Hold()
    {
        if (_segment.Sparse is { } pattern)
        {
            if (_isBounded)
                HoldSparse(pattern);
            return;
        }

        int width = _segment.Width;
        for (int i = 0; i < _afferents.Rows; i++)
        {
            Span<T> row = _afferents.Weights.Dense.Row(i, _afferents.DenseStride).Slice(_segment.Offset, width);
            if (_isBounded)
            {
                TensorPrimitives.Max<T>(row, _lower, row);
                TensorPrimitives.Min<T>(row, _upper, row);
            }

            _segment.ClearAbsent(i, row);
        }
    }

    private void HoldSparse(SparseRows pattern)
    {
        Span<T> block = _afferents.Weights.Sparse[_afferents.Place(_segment)];
        for (int k = 0; k < block.Length; k++)
            block[k] = T.Min(T.Max(block[k], _lower[pattern.Column[k]]), _upper[pattern.Column[k]]);
    }
}

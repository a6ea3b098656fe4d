using System.Numerics;

namespace Rflo.Core;

/// <summary>What an update may not do to the weights of a projection.</summary>
internal static class Constraint
{
    /// <summary>Holds every weight of a projection to its mask, Dale's sign of its presynaptic unit and its bounds.</summary>
    public static void Hold<T>(Segment segment, Afferents<T> afferents)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var lower = T.CreateTruncating(segment.Spec.Lower);
        var upper = T.CreateTruncating(segment.Spec.Upper);
        sbyte[]? signs = segment.Spec.Signs;
        if (segment.Sparse is { } pattern)
        {
            Span<T> block = afferents.Weights.Sparse[afferents.Place(segment)];
            for (int k = 0; k < block.Length; k++)
                block[k] = Held(block[k], signs is null ? (sbyte)0 : signs[pattern.Column[k]], lower, upper);
            return;
        }

        for (int i = 0; i < afferents.Rows; i++)
        {
            Span<T> row = afferents.Weights.Dense.Row(i, afferents.DenseStride).Slice(segment.Offset, segment.Width);
            for (int j = 0; j < row.Length; j++)
                row[j] = segment.Has(i, j, segment.Width) ? Held(row[j], signs is null ? (sbyte)0 : signs[j], lower, upper) : T.Zero;
        }
    }

    /// <summary>NaN passes through, so that a run that diverges is seen to.</summary>
    private static T Held<T>(T weight, sbyte sign, T lower, T upper)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (weight < lower)
            weight = lower;
        if (weight > upper)
            weight = upper;
        return (sign > 0 && weight < T.Zero) || (sign < 0 && weight > T.Zero) ? T.Zero : weight;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// A matrix times two vectors in one pass: <c>result[i] = sum over j of matrix[i, j] * vector[j]</c> and
    /// <c>besides[i] = sum over j of matrix[i, j] * beside[j]</c>.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <c>vector.Length</c> elements.</param>
    /// <param name="vector">Presynaptic signals, shape (pre).</param>
    /// <param name="beside">The other vector, shape (pre).</param>
    /// <param name="result">Currents, shape (post); its length is the number of rows. Overwritten.</param>
    /// <param name="besides">The other product, shape (post). Overwritten.</param>
    /// <param name="backward">Whether rows are taken from the last to the first, as in <see cref="Multiply"/>.</param>
    /// <exception cref="ArgumentException">The vectors or the products differ in length, or <paramref name="matrix"/> has fewer than post * pre elements.</exception>
    /// <remarks>
    /// Both have the bits of <see cref="Multiply"/>. Every weight is loaded once for two multiply-adds, four rows at a time,
    /// so that eight sums run beside each other. Allocates nothing; O(post * pre).
    /// </remarks>
    public static void MultiplyBoth<T>(
        ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, ReadOnlySpan<T> beside, Span<T> result, Span<T> besides, bool backward = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int columns = vector.Length, rows = result.Length;
        if (beside.Length != columns)
            ThrowHelper.ShapeMismatch(nameof(beside), beside.Length, columns, "(pre)");
        if (besides.Length != rows)
            ThrowHelper.ShapeMismatch(nameof(besides), besides.Length, rows, "(post)");
        if (matrix.Length < rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, rows * columns, "(post, pre)");

        if (Simd.IsWide)
            MultiplyRowsByBoth<T, Vector512<T>, Lanes512<T>>(matrix, vector, beside, result, besides, backward);
        else
            MultiplyRowsByBoth<T, Vector256<T>, Lanes256<T>>(matrix, vector, beside, result, besides, backward);
    }

    private static void MultiplyRowsByBoth<T, V, S>(
        ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, ReadOnlySpan<T> beside, Span<T> result, Span<T> besides, bool backward)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int columns = vector.Length, rows = result.Length;
        ref T w = ref MemoryMarshal.GetReference(matrix);
        ref T v = ref MemoryMarshal.GetReference(vector);
        ref T x = ref MemoryMarshal.GetReference(beside);
        int blocks = rows / 4;
        for (int k = 0; k < blocks; k++)
        {
            nint first = 4 * (backward ? blocks - 1 - k : k);
            DotFourRowsByBoth<T, V, S>(
                ref Unsafe.Add(ref w, first * columns), ref v, ref x, columns,
                ref Unsafe.Add(ref MemoryMarshal.GetReference(result), first), ref Unsafe.Add(ref MemoryMarshal.GetReference(besides), first));
        }

        for (int row = 4 * blocks; row < rows; row++)
        {
            result[row] = Dot<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref v, columns);
            besides[row] = Dot<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref x, columns);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DotFourRowsByBoth<T, V, S>(ref T w, ref T v, ref T x, int columns, ref T result, ref T besides)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int lanes = S.Count, k = 0;
        nint stride = columns;
        ref T r0 = ref w;
        ref T r1 = ref Unsafe.Add(ref w, stride);
        ref T r2 = ref Unsafe.Add(ref w, 2 * stride);
        ref T r3 = ref Unsafe.Add(ref w, 3 * stride);
        V s0 = S.Create(T.Zero), s1 = s0, s2 = s0, s3 = s0, p0 = s0, p1 = s0, p2 = s0, p3 = s0;
        for (; k + lanes <= columns; k += lanes)
        {
            nuint at = (nuint)k;
            V a = S.Load(ref v, at), b = S.Load(ref x, at);
            V weight = S.Load(ref r0, at);
            s0 = S.MultiplyAdd(weight, a, s0);
            p0 = S.MultiplyAdd(weight, b, p0);
            weight = S.Load(ref r1, at);
            s1 = S.MultiplyAdd(weight, a, s1);
            p1 = S.MultiplyAdd(weight, b, p1);
            weight = S.Load(ref r2, at);
            s2 = S.MultiplyAdd(weight, a, s2);
            p2 = S.MultiplyAdd(weight, b, p2);
            weight = S.Load(ref r3, at);
            s3 = S.MultiplyAdd(weight, a, s3);
            p3 = S.MultiplyAdd(weight, b, p3);
        }

        S.StoreSums(s0, s1, s2, s3, ref result);
        S.StoreSums(p0, p1, p2, p3, ref besides);
        for (; k < columns; k++)
        {
            T a = Unsafe.Add(ref v, k), b = Unsafe.Add(ref x, k);
            for (int i = 0; i < 4; i++)
            {
                T weight = Unsafe.Add(ref w, i * stride + k);
                Unsafe.Add(ref result, i) = T.FusedMultiplyAdd(weight, a, Unsafe.Add(ref result, i));
                Unsafe.Add(ref besides, i) = T.FusedMultiplyAdd(weight, b, Unsafe.Add(ref besides, i));
            }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// A matrix times a vector: <c>result[i] = sum over j of matrix[i, j] * vector[j]</c>.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <c>vector.Length</c> elements.</param>
    /// <param name="vector">Presynaptic signals, shape (pre).</param>
    /// <param name="result">Currents, shape (post); its length is the number of rows. Overwritten.</param>
    /// <param name="backward">
    /// Whether rows are taken from the last to the first. If calls alternate, the rows used last are still in the cache: most of a
    /// matrix that is slightly larger than the cache stays there.
    /// </param>
    /// <param name="padding">How many elements at the end of every row are 0 and may be skipped.</param>
    /// <exception cref="ArgumentException"><paramref name="matrix"/> has fewer than post * pre elements.</exception>
    /// <remarks>
    /// Rows are taken eight at a time, so that there are eight independent sums and each element of
    /// <paramref name="vector"/> is loaded once for eight rows. The order of every sum depends only on the length of
    /// the row and the vector width: the same machine gives the same bits. Allocates nothing; O(post * pre).
    /// </remarks>
    public static void Multiply<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result, bool backward = false, int padding = 0)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int columns = vector.Length, rows = result.Length;
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");

        if (Simd.Bits == 512)
            MultiplyRows<T, Vector512<T>, Lanes512<T>>(matrix, vector, result, backward, columns - padding);
        else if (Simd.Bits == 256)
            MultiplyRows<T, Vector256<T>, Lanes256<T>>(matrix, vector, result, backward, columns - padding);
        else
            MultiplyRows<T, Vector128<T>, Lanes128<T>>(matrix, vector, result, backward, columns - padding);
    }

    private static void MultiplyRows<T, V, S>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result, bool backward, int used)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int columns = vector.Length, rows = result.Length;
        ref T w = ref MemoryMarshal.GetReference(matrix);
        ref T v = ref MemoryMarshal.GetReference(vector);
        ref T u = ref MemoryMarshal.GetReference(result);
        if (columns == 7 * S.Count)
        {
            if (typeof(V) == typeof(Vector512<T>) && used <= 6 * S.Count + Vector256<T>.Count)
                DotShortRows<T, V, S, Vector256<T>, Lanes256<T>>(ref w, ref v, rows, backward, ref u);
            else
                DotShortRows<T, V, S, V, S>(ref w, ref v, rows, backward, ref u);
            return;
        }

        int blocks = rows / 8, row = 8 * blocks;
        for (int k = 0; k < blocks; k++)
        {
            nint first = 8 * (backward ? blocks - 1 - k : k);
            DotEightRows<T, V, S>(ref Unsafe.Add(ref w, first * columns), ref v, columns, ref Unsafe.Add(ref u, first));
        }

        for (; row + 4 <= rows; row += 4)
            DotFourRows<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref v, columns, ref Unsafe.Add(ref u, row));
        for (; row < rows; row++)
            result[row] = Dot<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref v, columns);
    }

    /// <summary>The inner product of two vectors of <paramref name="length"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Dot<T, V, S>(ref T a, ref T b, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int lanes = S.Count, k = 0;
        V sum = S.Create(T.Zero);
        for (; k + lanes <= length; k += lanes)
            sum = S.MultiplyAdd(S.Load(ref a, (nuint)k), S.Load(ref b, (nuint)k), sum);
        T total = S.Sum(sum);
        for (; k < length; k++)
            total = Simd.MultiplyAdd(Unsafe.Add(ref a, k), Unsafe.Add(ref b, k), total);
        return total;
    }

    /// <summary>
    /// Blocks of eight rows, then one of four, then what is left, each row seven registers, as 50 to 56 doubles are in wide ones: the vector stays
    /// in registers, so that only weights are loaded. Half of the last register suffices if the other half is padding.
    /// </summary>
    [MethodImpl(Innermost)]
    private static void DotShortRows<T, V, S, L, R>(ref T w, ref T v, int rows, bool backward, ref T result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
        where L : struct
        where R : ILanes<T, L>
    {
        nuint lane = (nuint)S.Count;
        nint stride = 7 * S.Count;
        int blocks = rows / 8;
        V v0 = S.Load(ref v, 0), v1 = S.Load(ref v, lane), v2 = S.Load(ref v, 2 * lane), v3 = S.Load(ref v, 3 * lane);
        V v4 = S.Load(ref v, 4 * lane), v5 = S.Load(ref v, 5 * lane);
        L v6 = R.Load(ref v, 6 * lane);
        for (int k = 0; k < blocks; k++)
        {
            nint first = 8 * (backward ? blocks - 1 - k : k);
            ref T row = ref Unsafe.Add(ref w, first * stride);
            V s0 = DotSeven<T, V, S, L, R>(ref row, v0, v1, v2, v3, v4, v5, v6);
            V s1 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, stride), v0, v1, v2, v3, v4, v5, v6);
            V s2 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 2 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s3 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 3 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s4 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 4 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s5 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 5 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s6 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 6 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s7 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 7 * stride), v0, v1, v2, v3, v4, v5, v6);
            S.StoreSums(s0, s1, s2, s3, s4, s5, s6, s7, ref Unsafe.Add(ref result, first));
        }

        if (rows % 8 >= 4)
        {
            ref T row = ref Unsafe.Add(ref w, 8 * blocks * stride);
            V s0 = DotSeven<T, V, S, L, R>(ref row, v0, v1, v2, v3, v4, v5, v6);
            V s1 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, stride), v0, v1, v2, v3, v4, v5, v6);
            V s2 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 2 * stride), v0, v1, v2, v3, v4, v5, v6);
            V s3 = DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref row, 3 * stride), v0, v1, v2, v3, v4, v5, v6);
            S.StoreSums(s0, s1, s2, s3, ref Unsafe.Add(ref result, 8 * blocks));
        }

        for (nint left = rows / 4 * 4; left < rows; left++)
            Unsafe.Add(ref result, left) = S.Sum(DotSeven<T, V, S, L, R>(ref Unsafe.Add(ref w, left * stride), v0, v1, v2, v3, v4, v5, v6));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V DotSeven<T, V, S, L, R>(ref T row, V v0, V v1, V v2, V v3, V v4, V v5, L v6)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
        where L : struct
        where R : ILanes<T, L>
    {
        nuint lane = (nuint)S.Count;
        V sum = S.MultiplyAdd(S.Load(ref row, 0), v0, S.Create(T.Zero));
        sum = S.MultiplyAdd(S.Load(ref row, lane), v1, sum);
        sum = S.MultiplyAdd(S.Load(ref row, 2 * lane), v2, sum);
        sum = S.MultiplyAdd(S.Load(ref row, 3 * lane), v3, sum);
        sum = S.MultiplyAdd(S.Load(ref row, 4 * lane), v4, sum);
        sum = S.MultiplyAdd(S.Load(ref row, 5 * lane), v5, sum);
        if (typeof(L) == typeof(V))
            return S.MultiplyAdd(S.Load(ref row, 6 * lane), (V)(object)v6, sum);

        // The same bits as with a whole register, whose second half would add zeros.
        Vector256<T> half = S.Lower(sum);
        return S.WithLower(sum, Lanes256<T>.MultiplyAdd(Lanes256<T>.Load(ref row, 6 * lane), R.Lower(v6), half));
    }

    [MethodImpl(Innermost)]
    private static void DotEightRows<T, V, S>(ref T w, ref T v, int columns, ref T result)
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
        ref T r4 = ref Unsafe.Add(ref w, 4 * stride);
        ref T r5 = ref Unsafe.Add(ref w, 5 * stride);
        ref T r6 = ref Unsafe.Add(ref w, 6 * stride);
        ref T r7 = ref Unsafe.Add(ref w, 7 * stride);
        V s0 = S.Create(T.Zero), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (; k + lanes <= columns; k += lanes)
        {
            nuint at = (nuint)k;
            V x = S.Load(ref v, at);
            s0 = S.MultiplyAdd(S.Load(ref r0, at), x, s0);
            s1 = S.MultiplyAdd(S.Load(ref r1, at), x, s1);
            s2 = S.MultiplyAdd(S.Load(ref r2, at), x, s2);
            s3 = S.MultiplyAdd(S.Load(ref r3, at), x, s3);
            s4 = S.MultiplyAdd(S.Load(ref r4, at), x, s4);
            s5 = S.MultiplyAdd(S.Load(ref r5, at), x, s5);
            s6 = S.MultiplyAdd(S.Load(ref r6, at), x, s6);
            s7 = S.MultiplyAdd(S.Load(ref r7, at), x, s7);
        }

        S.StoreSums(s0, s1, s2, s3, s4, s5, s6, s7, ref result);
        for (; k < columns; k++)
        {
            T x = Unsafe.Add(ref v, k);
            result = Simd.MultiplyAdd(Unsafe.Add(ref r0, k), x, result);
            Unsafe.Add(ref result, 1) = Simd.MultiplyAdd(Unsafe.Add(ref r1, k), x, Unsafe.Add(ref result, 1));
            Unsafe.Add(ref result, 2) = Simd.MultiplyAdd(Unsafe.Add(ref r2, k), x, Unsafe.Add(ref result, 2));
            Unsafe.Add(ref result, 3) = Simd.MultiplyAdd(Unsafe.Add(ref r3, k), x, Unsafe.Add(ref result, 3));
            Unsafe.Add(ref result, 4) = Simd.MultiplyAdd(Unsafe.Add(ref r4, k), x, Unsafe.Add(ref result, 4));
            Unsafe.Add(ref result, 5) = Simd.MultiplyAdd(Unsafe.Add(ref r5, k), x, Unsafe.Add(ref result, 5));
            Unsafe.Add(ref result, 6) = Simd.MultiplyAdd(Unsafe.Add(ref r6, k), x, Unsafe.Add(ref result, 6));
            Unsafe.Add(ref result, 7) = Simd.MultiplyAdd(Unsafe.Add(ref r7, k), x, Unsafe.Add(ref result, 7));
        }
    }

    [MethodImpl(Innermost)]
    private static void DotFourRows<T, V, S>(ref T w, ref T v, int columns, ref T result)
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
        V s0 = S.Create(T.Zero), s1 = s0, s2 = s0, s3 = s0;
        for (; k + lanes <= columns; k += lanes)
        {
            nuint at = (nuint)k;
            V x = S.Load(ref v, at);
            s0 = S.MultiplyAdd(S.Load(ref r0, at), x, s0);
            s1 = S.MultiplyAdd(S.Load(ref r1, at), x, s1);
            s2 = S.MultiplyAdd(S.Load(ref r2, at), x, s2);
            s3 = S.MultiplyAdd(S.Load(ref r3, at), x, s3);
        }

        S.StoreSums(s0, s1, s2, s3, ref result);
        for (; k < columns; k++)
        {
            T x = Unsafe.Add(ref v, k);
            result = Simd.MultiplyAdd(Unsafe.Add(ref r0, k), x, result);
            Unsafe.Add(ref result, 1) = Simd.MultiplyAdd(Unsafe.Add(ref r1, k), x, Unsafe.Add(ref result, 1));
            Unsafe.Add(ref result, 2) = Simd.MultiplyAdd(Unsafe.Add(ref r2, k), x, Unsafe.Add(ref result, 2));
            Unsafe.Add(ref result, 3) = Simd.MultiplyAdd(Unsafe.Add(ref r3, k), x, Unsafe.Add(ref result, 3));
        }
    }
}

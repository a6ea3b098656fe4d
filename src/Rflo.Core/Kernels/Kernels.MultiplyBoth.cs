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
    /// Both have the bits of <see cref="Multiply"/>. Every weight is loaded once for two multiply-adds: eight rows at a time
    /// where registers are wide and there are 32 of them, so that many cache lines are loaded concurrently, else four.
    /// Allocates nothing; O(post * pre).
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
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");

        if (Simd.Bits == 512)
            MultiplyRowsByBoth<T, Vector512<T>, Lanes512<T>>(matrix, vector, beside, result, besides, backward);
        else if (Simd.Bits == 256)
            MultiplyRowsByBoth<T, Vector256<T>, Lanes256<T>>(matrix, vector, beside, result, besides, backward);
        else
            MultiplyRowsByBoth<T, Vector128<T>, Lanes128<T>>(matrix, vector, beside, result, besides, backward);
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
        ref T u = ref MemoryMarshal.GetReference(result);
        ref T y = ref MemoryMarshal.GetReference(besides);
        int size = S.HasMany ? 8 : 4, blocks = rows / size, row = size * blocks;
        for (int k = 0; k < blocks; k++)
        {
            nint first = size * (backward ? blocks - 1 - k : k);
            if (S.HasMany)
                DotEightRowsByBoth<T, V, S>(ref Unsafe.Add(ref w, first * columns), ref v, ref x, columns, ref Unsafe.Add(ref u, first), ref Unsafe.Add(ref y, first));
            else
                DotFourRowsByBoth<T, V, S>(ref Unsafe.Add(ref w, first * columns), ref v, ref x, columns, ref Unsafe.Add(ref u, first), ref Unsafe.Add(ref y, first));
        }

        for (; row + 4 <= rows; row += 4)
            DotFourRowsByBoth<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref v, ref x, columns, ref Unsafe.Add(ref u, row), ref Unsafe.Add(ref y, row));
        for (; row < rows; row++)
        {
            result[row] = Dot<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref v, columns);
            besides[row] = Dot<T, V, S>(ref Unsafe.Add(ref w, (nint)row * columns), ref x, columns);
        }
    }

    [MethodImpl(Innermost)]
    private static void DotEightRowsByBoth<T, V, S>(ref T w, ref T v, ref T x, int columns, ref T result, ref T besides)
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
        V p0 = s0, p1 = s0, p2 = s0, p3 = s0, p4 = s0, p5 = s0, p6 = s0, p7 = s0;
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
            weight = S.Load(ref r4, at);
            s4 = S.MultiplyAdd(weight, a, s4);
            p4 = S.MultiplyAdd(weight, b, p4);
            weight = S.Load(ref r5, at);
            s5 = S.MultiplyAdd(weight, a, s5);
            p5 = S.MultiplyAdd(weight, b, p5);
            weight = S.Load(ref r6, at);
            s6 = S.MultiplyAdd(weight, a, s6);
            p6 = S.MultiplyAdd(weight, b, p6);
            weight = S.Load(ref r7, at);
            s7 = S.MultiplyAdd(weight, a, s7);
            p7 = S.MultiplyAdd(weight, b, p7);
        }

        S.StoreSums(s0, s1, s2, s3, s4, s5, s6, s7, ref result);
        S.StoreSums(p0, p1, p2, p3, p4, p5, p6, p7, ref besides);
        AddRest(ref w, ref v, ref x, k, columns, 8, ref result, ref besides);
    }

    [MethodImpl(Innermost)]
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
        AddRest(ref w, ref v, ref x, k, columns, 4, ref result, ref besides);
    }

    /// <summary>The products of the columns from <paramref name="k"/> on, which fill no register, with so many rows.</summary>
    private static void AddRest<T>(ref T w, ref T v, ref T x, int k, int columns, int rows, ref T result, ref T besides)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (; k < columns; k++)
        {
            for (int i = 0; i < rows; i++)
            {
                T weight = Unsafe.Add(ref w, (nint)i * columns + k);
                Unsafe.Add(ref result, i) = Simd.MultiplyAdd(weight, Unsafe.Add(ref v, k), Unsafe.Add(ref result, i));
                Unsafe.Add(ref besides, i) = Simd.MultiplyAdd(weight, Unsafe.Add(ref x, k), Unsafe.Add(ref besides, i));
            }
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// A matrix times several vectors: <c>results[b, i] = sum over j of matrix[i, j] * vectors[b, j]</c>, b one of the lanes.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <paramref name="columns"/> elements.</param>
    /// <param name="columns">Presynaptic signals, a multiple of the elements in a register.</param>
    /// <param name="vectors">Signals of every lane, shape (lanes, pre).</param>
    /// <param name="results">Currents of every lane, shape (lanes, post). Overwritten.</param>
    /// <param name="rows">Postsynaptic units, a multiple of four.</param>
    /// <param name="lanes">How many vectors.</param>
    /// <exception cref="ArgumentException">A span is too short, or rows or columns are no such multiple.</exception>
    /// <remarks>
    /// Each product has the bits of <see cref="Multiply"/>. Four rows of weights are used for all lanes before the next four, so that the matrix is
    /// read once; four rows by four lanes of sums stay in registers where there are 32 of them, else by three lanes. Allocates nothing;
    /// O(lanes * post * pre).
    /// </remarks>
    public static void MultiplyLanes<T>(ReadOnlySpan<T> matrix, int columns, ReadOnlySpan<T> vectors, Span<T> results, int rows, int lanes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (columns % Simd.Count<T>() != 0)
            ThrowHelper.OutOfRange(nameof(columns), columns, $"a multiple of {Simd.Count<T>()}, the elements in a register");
        if (rows % 4 != 0)
            ThrowHelper.OutOfRange(nameof(rows), rows, "a multiple of four");
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");
        if (vectors.Length < (long)lanes * columns)
            ThrowHelper.ShapeMismatch(nameof(vectors), vectors.Length, (long)lanes * columns, "(lanes, pre)");
        if (results.Length < (long)lanes * rows)
            ThrowHelper.ShapeMismatch(nameof(results), results.Length, (long)lanes * rows, "(lanes, post)");

        if (Simd.Bits == 512)
            MultiplyRowsByLanes<T, Vector512<T>, Lanes512<T>>(matrix, columns, vectors, results, rows, lanes);
        else if (Simd.Bits == 256)
            MultiplyRowsByLanes<T, Vector256<T>, Lanes256<T>>(matrix, columns, vectors, results, rows, lanes);
        else
            MultiplyRowsByLanes<T, Vector128<T>, Lanes128<T>>(matrix, columns, vectors, results, rows, lanes);
    }

    private static void MultiplyRowsByLanes<T, V, S>(ReadOnlySpan<T> matrix, int columns, ReadOnlySpan<T> vectors, Span<T> results, int rows, int lanes)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T v = ref MemoryMarshal.GetReference(vectors);
        ref T u = ref MemoryMarshal.GetReference(results);
        for (int row = 0; row < rows; row += 4)
        {
            ref T w = ref Unsafe.Add(ref MemoryMarshal.GetReference(matrix), (nint)row * columns);
            int lane = 0;
            for (; S.HasMany && lane + 4 <= lanes; lane += 4)
                DotFourRowsByFour<T, V, S>(ref w, ref Unsafe.Add(ref v, (nint)lane * columns), columns, ref Unsafe.Add(ref u, (nint)lane * rows + row), rows);
            for (; lane + 3 <= lanes; lane += 3)
                DotFourRowsByThree<T, V, S>(ref w, ref Unsafe.Add(ref v, (nint)lane * columns), columns, ref Unsafe.Add(ref u, (nint)lane * rows + row), rows);
            for (; lane + 2 <= lanes; lane += 2)
            {
                ref T first = ref Unsafe.Add(ref v, (nint)lane * columns);
                ref T to = ref Unsafe.Add(ref u, (nint)lane * rows + row);
                DotFourRowsByBoth<T, V, S>(ref w, ref first, ref Unsafe.Add(ref first, columns), columns, ref to, ref Unsafe.Add(ref to, rows));
            }

            for (; lane < lanes; lane++)
                DotFourRows<T, V, S>(ref w, ref Unsafe.Add(ref v, (nint)lane * columns), columns, ref Unsafe.Add(ref u, (nint)lane * rows + row));
        }
    }

    [MethodImpl(Innermost)]
    private static void DotFourRowsByFour<T, V, S>(ref T w, ref T v, int columns, ref T result, nint resultStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nint stride = columns;
        ref T w1 = ref Unsafe.Add(ref w, stride);
        ref T w2 = ref Unsafe.Add(ref w, 2 * stride);
        ref T w3 = ref Unsafe.Add(ref w, 3 * stride);
        ref T v1 = ref Unsafe.Add(ref v, stride);
        ref T v2 = ref Unsafe.Add(ref v, 2 * stride);
        ref T v3 = ref Unsafe.Add(ref v, 3 * stride);
        V s00 = S.Create(T.Zero), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        V s20 = s00, s21 = s00, s22 = s00, s23 = s00, s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        for (int k = 0; k < columns; k += S.Count)
        {
            nuint at = (nuint)k;
            V r0 = S.Load(ref w, at), r1 = S.Load(ref w1, at), r2 = S.Load(ref w2, at), r3 = S.Load(ref w3, at);
            V x = S.Load(ref v, at);
            s00 = S.MultiplyAdd(r0, x, s00);
            s01 = S.MultiplyAdd(r1, x, s01);
            s02 = S.MultiplyAdd(r2, x, s02);
            s03 = S.MultiplyAdd(r3, x, s03);
            x = S.Load(ref v1, at);
            s10 = S.MultiplyAdd(r0, x, s10);
            s11 = S.MultiplyAdd(r1, x, s11);
            s12 = S.MultiplyAdd(r2, x, s12);
            s13 = S.MultiplyAdd(r3, x, s13);
            x = S.Load(ref v2, at);
            s20 = S.MultiplyAdd(r0, x, s20);
            s21 = S.MultiplyAdd(r1, x, s21);
            s22 = S.MultiplyAdd(r2, x, s22);
            s23 = S.MultiplyAdd(r3, x, s23);
            x = S.Load(ref v3, at);
            s30 = S.MultiplyAdd(r0, x, s30);
            s31 = S.MultiplyAdd(r1, x, s31);
            s32 = S.MultiplyAdd(r2, x, s32);
            s33 = S.MultiplyAdd(r3, x, s33);
        }

        S.StoreSums(s00, s01, s02, s03, ref result);
        S.StoreSums(s10, s11, s12, s13, ref Unsafe.Add(ref result, resultStride));
        S.StoreSums(s20, s21, s22, s23, ref Unsafe.Add(ref result, 2 * resultStride));
        S.StoreSums(s30, s31, s32, s33, ref Unsafe.Add(ref result, 3 * resultStride));
    }

    [MethodImpl(Innermost)]
    private static void DotFourRowsByThree<T, V, S>(ref T w, ref T v, int columns, ref T result, nint resultStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nint stride = columns;
        ref T w1 = ref Unsafe.Add(ref w, stride);
        ref T w2 = ref Unsafe.Add(ref w, 2 * stride);
        ref T w3 = ref Unsafe.Add(ref w, 3 * stride);
        ref T v1 = ref Unsafe.Add(ref v, stride);
        ref T v2 = ref Unsafe.Add(ref v, 2 * stride);
        V s00 = S.Create(T.Zero), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00;
        V s12 = s00, s13 = s00, s20 = s00, s21 = s00, s22 = s00, s23 = s00;
        for (int k = 0; k < columns; k += S.Count)
        {
            nuint at = (nuint)k;
            V x0 = S.Load(ref v, at), x1 = S.Load(ref v1, at), x2 = S.Load(ref v2, at);
            V r = S.Load(ref w, at);
            s00 = S.MultiplyAdd(r, x0, s00);
            s10 = S.MultiplyAdd(r, x1, s10);
            s20 = S.MultiplyAdd(r, x2, s20);
            r = S.Load(ref w1, at);
            s01 = S.MultiplyAdd(r, x0, s01);
            s11 = S.MultiplyAdd(r, x1, s11);
            s21 = S.MultiplyAdd(r, x2, s21);
            r = S.Load(ref w2, at);
            s02 = S.MultiplyAdd(r, x0, s02);
            s12 = S.MultiplyAdd(r, x1, s12);
            s22 = S.MultiplyAdd(r, x2, s22);
            r = S.Load(ref w3, at);
            s03 = S.MultiplyAdd(r, x0, s03);
            s13 = S.MultiplyAdd(r, x1, s13);
            s23 = S.MultiplyAdd(r, x2, s23);
        }

        S.StoreSums(s00, s01, s02, s03, ref result);
        S.StoreSums(s10, s11, s12, s13, ref Unsafe.Add(ref result, resultStride));
        S.StoreSums(s20, s21, s22, s23, ref Unsafe.Add(ref result, 2 * resultStride));
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>Rows of a block of weights that is used for all lanes before the next block: with four registers of columns it fills half of the first-level cache.</summary>
    private const int RowsOfBlock = 64;

    /// <summary>
    /// A transposed matrix times several vectors, added: <c>results[b, j] += sum over i of matrix[i, j] * vectors[b, i]</c>, b one of the lanes.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <paramref name="columns"/> elements.</param>
    /// <param name="columns">Presynaptic signals, a multiple of the elements in a register.</param>
    /// <param name="vectors">Credit of the currents of every lane, shape (lanes, post), rows of <paramref name="vectorStride"/> elements.</param>
    /// <param name="vectorStride">Elements from one lane of <paramref name="vectors"/> to the next.</param>
    /// <param name="results">Credit of the presynaptic signals of every lane, shape (lanes, pre). Added to.</param>
    /// <param name="rows">Postsynaptic units.</param>
    /// <param name="lanes">How many vectors.</param>
    /// <exception cref="ArgumentException">A span is too short, or <paramref name="columns"/> is no such multiple.</exception>
    /// <remarks>
    /// Each product has the bits of <see cref="AddTransposed"/>. Columns are taken by four registers and rows by <see cref="RowsOfBlock"/>: such a
    /// block of weights is read once for all lanes. Allocates nothing; O(lanes * post * pre).
    /// </remarks>
    public static void AddTransposedLanes<T>(
        ReadOnlySpan<T> matrix, int columns, ReadOnlySpan<T> vectors, int vectorStride, Span<T> results, int rows, int lanes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (columns % Simd.Count<T>() != 0)
            ThrowHelper.OutOfRange(nameof(columns), columns, $"a multiple of {Simd.Count<T>()}, the elements in a register");
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");
        if (lanes > 0 && vectors.Length < (long)(lanes - 1) * vectorStride + rows)
            ThrowHelper.TooShort(nameof(vectors), vectors.Length, (long)(lanes - 1) * vectorStride + rows);
        if (results.Length < (long)lanes * columns)
            ThrowHelper.ShapeMismatch(nameof(results), results.Length, (long)lanes * columns, "(lanes, pre)");

        if (Simd.Bits == 512)
            AddColumnsOfLanes<T, Vector512<T>, Lanes512<T>>(matrix, columns, vectors, vectorStride, results, rows, lanes);
        else if (Simd.Bits == 256)
            AddColumnsOfLanes<T, Vector256<T>, Lanes256<T>>(matrix, columns, vectors, vectorStride, results, rows, lanes);
        else
            AddColumnsOfLanes<T, Vector128<T>, Lanes128<T>>(matrix, columns, vectors, vectorStride, results, rows, lanes);
    }

    private static void AddColumnsOfLanes<T, V, S>(
        ReadOnlySpan<T> matrix, int columns, ReadOnlySpan<T> vectors, int vectorStride, Span<T> results, int rows, int lanes)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T w = ref MemoryMarshal.GetReference(matrix);
        ref T v = ref MemoryMarshal.GetReference(vectors);
        ref T y = ref MemoryMarshal.GetReference(results);

        // The block that the kernel for one vector takes by eight registers, with one chain of sums for each column.
        int whole = columns / (8 * S.Count) * 8 * S.Count, width = 4 * S.Count;
        for (int column = 0; column < whole; column += width)
        {
            for (int row = 0; row < rows; row += RowsOfBlock)
            {
                ref T block = ref Unsafe.Add(ref w, (nint)row * columns + column);
                int count = Math.Min(RowsOfBlock, rows - row), lane = 0;
                for (; S.HasMany && lane + 4 <= lanes; lane += 4)
                {
                    ref T x = ref Unsafe.Add(ref v, (nint)lane * vectorStride + row);
                    FourColumnVectorsByFour<T, V, S>(ref block, columns, ref x, vectorStride, count, ref Unsafe.Add(ref y, (nint)lane * columns + column));
                }

                for (; lane + 2 <= lanes; lane += 2)
                {
                    ref T x = ref Unsafe.Add(ref v, (nint)lane * vectorStride + row);
                    FourColumnVectorsByTwo<T, V, S>(ref block, columns, ref x, vectorStride, count, ref Unsafe.Add(ref y, (nint)lane * columns + column));
                }
            }
        }

        int paired = lanes / 2 * 2;
        for (int lane = 0; lane < paired; lane++)
        {
            ref T x = ref Unsafe.Add(ref v, (nint)lane * vectorStride);
            AddLastColumns<T, V, S>(ref w, columns, ref x, rows, ref Unsafe.Add(ref y, (nint)lane * columns), whole);
        }

        if (paired < lanes)
            MultiplyColumns<T, V, S>(matrix, vectors.Slice(paired * vectorStride, rows), results.Slice(paired * columns, columns));
    }

    [MethodImpl(Innermost)]
    private static void FourColumnVectorsByFour<T, V, S>(ref T w, nint stride, ref T v, nint vectorStride, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        ref T y1 = ref Unsafe.Add(ref y, stride);
        ref T y2 = ref Unsafe.Add(ref y, 2 * stride);
        ref T y3 = ref Unsafe.Add(ref y, 3 * stride);
        ref T v1 = ref Unsafe.Add(ref v, vectorStride);
        ref T v2 = ref Unsafe.Add(ref v, 2 * vectorStride);
        ref T v3 = ref Unsafe.Add(ref v, 3 * vectorStride);
        V s00 = S.Load(ref y, 0), s01 = S.Load(ref y, lane), s02 = S.Load(ref y, 2 * lane), s03 = S.Load(ref y, 3 * lane);
        V s10 = S.Load(ref y1, 0), s11 = S.Load(ref y1, lane), s12 = S.Load(ref y1, 2 * lane), s13 = S.Load(ref y1, 3 * lane);
        V s20 = S.Load(ref y2, 0), s21 = S.Load(ref y2, lane), s22 = S.Load(ref y2, 2 * lane), s23 = S.Load(ref y2, 3 * lane);
        V s30 = S.Load(ref y3, 0), s31 = S.Load(ref y3, lane), s32 = S.Load(ref y3, 2 * lane), s33 = S.Load(ref y3, 3 * lane);
        for (nint i = 0; i < rows; i++)
        {
            V r0 = S.Load(ref w, 0), r1 = S.Load(ref w, lane), r2 = S.Load(ref w, 2 * lane), r3 = S.Load(ref w, 3 * lane);
            var x = S.Create(Unsafe.Add(ref v, i));
            s00 = S.MultiplyAdd(r0, x, s00);
            s01 = S.MultiplyAdd(r1, x, s01);
            s02 = S.MultiplyAdd(r2, x, s02);
            s03 = S.MultiplyAdd(r3, x, s03);
            x = S.Create(Unsafe.Add(ref v1, i));
            s10 = S.MultiplyAdd(r0, x, s10);
            s11 = S.MultiplyAdd(r1, x, s11);
            s12 = S.MultiplyAdd(r2, x, s12);
            s13 = S.MultiplyAdd(r3, x, s13);
            x = S.Create(Unsafe.Add(ref v2, i));
            s20 = S.MultiplyAdd(r0, x, s20);
            s21 = S.MultiplyAdd(r1, x, s21);
            s22 = S.MultiplyAdd(r2, x, s22);
            s23 = S.MultiplyAdd(r3, x, s23);
            x = S.Create(Unsafe.Add(ref v3, i));
            s30 = S.MultiplyAdd(r0, x, s30);
            s31 = S.MultiplyAdd(r1, x, s31);
            s32 = S.MultiplyAdd(r2, x, s32);
            s33 = S.MultiplyAdd(r3, x, s33);
            w = ref Unsafe.Add(ref w, stride);
        }

        StoreFour<T, V, S>(ref y, s00, s01, s02, s03);
        StoreFour<T, V, S>(ref y1, s10, s11, s12, s13);
        StoreFour<T, V, S>(ref y2, s20, s21, s22, s23);
        StoreFour<T, V, S>(ref y3, s30, s31, s32, s33);
    }

    [MethodImpl(Innermost)]
    private static void FourColumnVectorsByTwo<T, V, S>(ref T w, nint stride, ref T v, nint vectorStride, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        ref T y1 = ref Unsafe.Add(ref y, stride);
        ref T v1 = ref Unsafe.Add(ref v, vectorStride);
        V s00 = S.Load(ref y, 0), s01 = S.Load(ref y, lane), s02 = S.Load(ref y, 2 * lane), s03 = S.Load(ref y, 3 * lane);
        V s10 = S.Load(ref y1, 0), s11 = S.Load(ref y1, lane), s12 = S.Load(ref y1, 2 * lane), s13 = S.Load(ref y1, 3 * lane);
        for (nint i = 0; i < rows; i++)
        {
            V r0 = S.Load(ref w, 0), r1 = S.Load(ref w, lane), r2 = S.Load(ref w, 2 * lane), r3 = S.Load(ref w, 3 * lane);
            var x = S.Create(Unsafe.Add(ref v, i));
            s00 = S.MultiplyAdd(r0, x, s00);
            s01 = S.MultiplyAdd(r1, x, s01);
            s02 = S.MultiplyAdd(r2, x, s02);
            s03 = S.MultiplyAdd(r3, x, s03);
            x = S.Create(Unsafe.Add(ref v1, i));
            s10 = S.MultiplyAdd(r0, x, s10);
            s11 = S.MultiplyAdd(r1, x, s11);
            s12 = S.MultiplyAdd(r2, x, s12);
            s13 = S.MultiplyAdd(r3, x, s13);
            w = ref Unsafe.Add(ref w, stride);
        }

        StoreFour<T, V, S>(ref y, s00, s01, s02, s03);
        StoreFour<T, V, S>(ref y1, s10, s11, s12, s13);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreFour<T, V, S>(ref T y, V s0, V s1, V s2, V s3)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        S.Store(s0, ref y, 0);
        S.Store(s1, ref y, lane);
        S.Store(s2, ref y, 2 * lane);
        S.Store(s3, ref y, 3 * lane);
    }
}

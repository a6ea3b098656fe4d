using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// A transposed matrix times a vector: <c>result[j] = sum over i of matrix[i, j] * vector[i]</c>.
    /// It carries credit from the currents of a target back to its presynaptic signals.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <c>result.Length</c> elements.</param>
    /// <param name="vector">Credit of the currents, shape (post).</param>
    /// <param name="result">Credit of the presynaptic signals, shape (pre). Overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="matrix"/> has fewer than post * pre elements.</exception>
    /// <remarks>
    /// Columns are taken in blocks of eight vectors of sums that stay in registers over all rows, so only the result is
    /// stored. Allocates nothing; O(post * pre).
    /// </remarks>
    public static void MultiplyTransposed<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        result.Clear();
        AddTransposed(matrix, vector, result);
    }

    /// <summary>A transposed matrix times a vector, added: <c>result[j] += sum over i of matrix[i, j] * vector[i]</c>.</summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <c>result.Length</c> elements.</param>
    /// <param name="vector">Credit of the currents, shape (post).</param>
    /// <param name="result">Credit of the presynaptic signals, shape (pre). Added to.</param>
    /// <exception cref="ArgumentException"><paramref name="matrix"/> has fewer than post * pre elements.</exception>
    public static void AddTransposed<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int columns = result.Length, rows = vector.Length;
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");

        if (Simd.Bits == 512)
            MultiplyColumns<T, Vector512<T>, Lanes512<T>>(matrix, vector, result);
        else if (Simd.Bits == 256)
            MultiplyColumns<T, Vector256<T>, Lanes256<T>>(matrix, vector, result);
        else
            MultiplyColumns<T, Vector128<T>, Lanes128<T>>(matrix, vector, result);
    }

    private static void MultiplyColumns<T, V, S>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int columns = result.Length, rows = vector.Length, lanes = S.Count;
        ref T w = ref MemoryMarshal.GetReference(matrix);
        ref T v = ref MemoryMarshal.GetReference(vector);
        ref T y = ref MemoryMarshal.GetReference(result);
        int column = 0;
        for (; column + 8 * lanes <= columns; column += 8 * lanes)
            EightColumnVectors<T, V, S>(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        AddLastColumns<T, V, S>(ref w, columns, ref v, rows, ref y, column);
        column = columns / lanes * lanes;
        for (; column < columns; column++)
        {
            T sum = result[column];
            for (int i = 0; i < rows; i++)
                sum = Simd.MultiplyAdd(Unsafe.Add(ref w, (nint)i * columns + column), Unsafe.Add(ref v, i), sum);
            result[column] = sum;
        }
    }

    /// <summary>The whole registers of columns that remain after blocks of eight.</summary>
    private static void AddLastColumns<T, V, S>(ref T w, int columns, ref T v, int rows, ref T y, int column)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int lanes = S.Count;
        if (column + 7 * lanes == columns)
        {
            SevenColumnVectors<T, V, S>(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
            return;
        }

        for (; column + 4 * lanes <= columns && column + 6 * lanes != columns; column += 4 * lanes)
            FourColumnVectors<T, V, S>(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        for (; column + 3 * lanes <= columns; column += 3 * lanes)
            ThreeColumnVectors<T, V, S>(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        for (; column + lanes <= columns; column += lanes)
            OneColumnVector<T, V, S>(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
    }

    [MethodImpl(Innermost)]
    private static void EightColumnVectors<T, V, S>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s0 = S.Load(ref y, 0), s1 = S.Load(ref y, lane), s2 = S.Load(ref y, 2 * lane), s3 = S.Load(ref y, 3 * lane);
        V s4 = S.Load(ref y, 4 * lane), s5 = S.Load(ref y, 5 * lane), s6 = S.Load(ref y, 6 * lane), s7 = S.Load(ref y, 7 * lane);
        for (int i = 0; i < rows; i++)
        {
            var x = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), x, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), x, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), x, s2);
            s3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), x, s3);
            s4 = S.MultiplyAdd(S.Load(ref w, 4 * lane), x, s4);
            s5 = S.MultiplyAdd(S.Load(ref w, 5 * lane), x, s5);
            s6 = S.MultiplyAdd(S.Load(ref w, 6 * lane), x, s6);
            s7 = S.MultiplyAdd(S.Load(ref w, 7 * lane), x, s7);
            w = ref Unsafe.Add(ref w, stride);
        }

        S.Store(s0, ref y, 0);
        S.Store(s1, ref y, lane);
        S.Store(s2, ref y, 2 * lane);
        S.Store(s3, ref y, 3 * lane);
        S.Store(s4, ref y, 4 * lane);
        S.Store(s5, ref y, 5 * lane);
        S.Store(s6, ref y, 6 * lane);
        S.Store(s7, ref y, 7 * lane);
    }

    /// <summary>All of a row of 50 to 56 doubles in wide registers: one load of each value of the vector, instead of two.</summary>
    [MethodImpl(Innermost)]
    private static void SevenColumnVectors<T, V, S>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s0 = S.Load(ref y, 0), s1 = S.Load(ref y, lane), s2 = S.Load(ref y, 2 * lane), s3 = S.Load(ref y, 3 * lane);
        V s4 = S.Load(ref y, 4 * lane), s5 = S.Load(ref y, 5 * lane), s6 = S.Load(ref y, 6 * lane);
        for (int i = 0; i < rows; i++)
        {
            var x = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), x, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), x, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), x, s2);
            s3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), x, s3);
            s4 = S.MultiplyAdd(S.Load(ref w, 4 * lane), x, s4);
            s5 = S.MultiplyAdd(S.Load(ref w, 5 * lane), x, s5);
            s6 = S.MultiplyAdd(S.Load(ref w, 6 * lane), x, s6);
            w = ref Unsafe.Add(ref w, stride);
        }

        S.Store(s0, ref y, 0);
        S.Store(s1, ref y, lane);
        S.Store(s2, ref y, 2 * lane);
        S.Store(s3, ref y, 3 * lane);
        S.Store(s4, ref y, 4 * lane);
        S.Store(s5, ref y, 5 * lane);
        S.Store(s6, ref y, 6 * lane);
    }

    [MethodImpl(Innermost)]
    private static void FourColumnVectors<T, V, S>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s0 = S.Load(ref y, 0), s1 = S.Load(ref y, lane), s2 = S.Load(ref y, 2 * lane), s3 = S.Load(ref y, 3 * lane);
        V r0 = S.Create(T.Zero), r1 = r0, r2 = r0, r3 = r0;
        int i = 0;
        for (; i + 2 <= rows; i += 2)
        {
            var even = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), even, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), even, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), even, s2);
            s3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), even, s3);
            w = ref Unsafe.Add(ref w, stride);
            var odd = S.Create(Unsafe.Add(ref v, i + 1));
            r0 = S.MultiplyAdd(S.Load(ref w, 0), odd, r0);
            r1 = S.MultiplyAdd(S.Load(ref w, lane), odd, r1);
            r2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), odd, r2);
            r3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), odd, r3);
            w = ref Unsafe.Add(ref w, stride);
        }

        if (i < rows)
        {
            var last = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), last, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), last, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), last, s2);
            s3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), last, s3);
        }

        S.Store(S.Add(s0, r0), ref y, 0);
        S.Store(S.Add(s1, r1), ref y, lane);
        S.Store(S.Add(s2, r2), ref y, 2 * lane);
        S.Store(S.Add(s3, r3), ref y, 3 * lane);
    }

    [MethodImpl(Innermost)]
    private static void ThreeColumnVectors<T, V, S>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s0 = S.Load(ref y, 0), s1 = S.Load(ref y, lane), s2 = S.Load(ref y, 2 * lane);
        V r0 = S.Create(T.Zero), r1 = r0, r2 = r0;
        int i = 0;
        for (; i + 2 <= rows; i += 2)
        {
            // Even and odd rows have sums of their own: six chains of additions instead of three.
            var even = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), even, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), even, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), even, s2);
            w = ref Unsafe.Add(ref w, stride);
            var odd = S.Create(Unsafe.Add(ref v, i + 1));
            r0 = S.MultiplyAdd(S.Load(ref w, 0), odd, r0);
            r1 = S.MultiplyAdd(S.Load(ref w, lane), odd, r1);
            r2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), odd, r2);
            w = ref Unsafe.Add(ref w, stride);
        }

        if (i < rows)
        {
            var last = S.Create(Unsafe.Add(ref v, i));
            s0 = S.MultiplyAdd(S.Load(ref w, 0), last, s0);
            s1 = S.MultiplyAdd(S.Load(ref w, lane), last, s1);
            s2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), last, s2);
        }

        S.Store(S.Add(s0, r0), ref y, 0);
        S.Store(S.Add(s1, r1), ref y, lane);
        S.Store(S.Add(s2, r2), ref y, 2 * lane);
    }

    [MethodImpl(Innermost)]
    private static void OneColumnVector<T, V, S>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V even = S.Load(ref y, 0), odd = S.Create(T.Zero);
        int i = 0;
        for (; i + 2 <= rows; i += 2)
        {
            even = S.MultiplyAdd(S.Load(ref w, 0), S.Create(Unsafe.Add(ref v, i)), even);
            odd = S.MultiplyAdd(S.Load(ref Unsafe.Add(ref w, stride), 0), S.Create(Unsafe.Add(ref v, i + 1)), odd);
            w = ref Unsafe.Add(ref w, 2 * stride);
        }

        if (i < rows)
            even = S.MultiplyAdd(S.Load(ref w, 0), S.Create(Unsafe.Add(ref v, i)), even);
        S.Store(S.Add(even, odd), ref y, 0);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// A transposed matrix times a vector: <c>result[j] = sum over i of matrix[i, j] * vector[i]</c>.
    /// It carries credit from the currents of a target back to its presynaptic signals.
    /// </summary>
    /// <param name="matrix">Weights, shape (post, pre), row-major with rows of <c>result.Length</c> elements.</param>
    /// <param name="vector">What the currents are told, shape (post).</param>
    /// <param name="result">What the presynaptic signals are told, shape (pre). Overwritten.</param>
    /// <exception cref="ArgumentException"><paramref name="matrix"/> has fewer than post * pre elements.</exception>
    /// <remarks>
    /// Columns are taken in blocks of eight vectors that stay in registers while all rows pass by, so nothing is
    /// stored but the result. Allocates nothing; O(post * pre).
    /// </remarks>
    public static void MultiplyTransposed<T>(ReadOnlySpan<T> matrix, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int columns = result.Length, rows = vector.Length, lanes = Vector<T>.Count;
        if (matrix.Length < rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, rows * columns, "(post, pre)");

        ref T w = ref MemoryMarshal.GetReference(matrix);
        ref T v = ref MemoryMarshal.GetReference(vector);
        ref T y = ref MemoryMarshal.GetReference(result);
        int column = 0;
        for (; column + 8 * lanes <= columns; column += 8 * lanes)
            EightColumnVectors(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        for (; column + 3 * lanes <= columns; column += 3 * lanes)
            ThreeColumnVectors(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        for (; column + lanes <= columns; column += lanes)
            OneColumnVector(ref Unsafe.Add(ref w, column), columns, ref v, rows, ref Unsafe.Add(ref y, column));
        for (; column < columns; column++)
        {
            T sum = T.Zero;
            for (int i = 0; i < rows; i++)
                sum = T.FusedMultiplyAdd(Unsafe.Add(ref w, (nint)i * columns + column), Unsafe.Add(ref v, i), sum);
            result[column] = sum;
        }
    }

    private static void EightColumnVectors<T>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nuint lane = (nuint)Vector<T>.Count;
        Vector<T> s0 = Vector<T>.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        for (int i = 0; i < rows; i++)
        {
            var x = Vector.Create(Unsafe.Add(ref v, i));
            s0 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), x, s0);
            s1 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, lane), x, s1);
            s2 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 2 * lane), x, s2);
            s3 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 3 * lane), x, s3);
            s4 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 4 * lane), x, s4);
            s5 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 5 * lane), x, s5);
            s6 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 6 * lane), x, s6);
            s7 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 7 * lane), x, s7);
            w = ref Unsafe.Add(ref w, stride);
        }

        s0.StoreUnsafe(ref y);
        s1.StoreUnsafe(ref y, lane);
        s2.StoreUnsafe(ref y, 2 * lane);
        s3.StoreUnsafe(ref y, 3 * lane);
        s4.StoreUnsafe(ref y, 4 * lane);
        s5.StoreUnsafe(ref y, 5 * lane);
        s6.StoreUnsafe(ref y, 6 * lane);
        s7.StoreUnsafe(ref y, 7 * lane);
    }

    private static void ThreeColumnVectors<T>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nuint lane = (nuint)Vector<T>.Count;
        Vector<T> s0 = Vector<T>.Zero, s1 = s0, s2 = s0, r0 = s0, r1 = s0, r2 = s0;
        int i = 0;
        for (; i + 2 <= rows; i += 2)
        {
            // Even and odd rows have sums of their own: six chains of additions instead of three.
            var even = Vector.Create(Unsafe.Add(ref v, i));
            s0 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), even, s0);
            s1 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, lane), even, s1);
            s2 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 2 * lane), even, s2);
            w = ref Unsafe.Add(ref w, stride);
            var odd = Vector.Create(Unsafe.Add(ref v, i + 1));
            r0 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), odd, r0);
            r1 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, lane), odd, r1);
            r2 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 2 * lane), odd, r2);
            w = ref Unsafe.Add(ref w, stride);
        }

        if (i < rows)
        {
            var last = Vector.Create(Unsafe.Add(ref v, i));
            s0 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), last, s0);
            s1 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, lane), last, s1);
            s2 = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w, 2 * lane), last, s2);
        }

        (s0 + r0).StoreUnsafe(ref y);
        (s1 + r1).StoreUnsafe(ref y, lane);
        (s2 + r2).StoreUnsafe(ref y, 2 * lane);
    }

    private static void OneColumnVector<T>(ref T w, nint stride, ref T v, int rows, ref T y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> even = Vector<T>.Zero, odd = even;
        int i = 0;
        for (; i + 2 <= rows; i += 2)
        {
            even = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), Vector.Create(Unsafe.Add(ref v, i)), even);
            odd = Simd.MultiplyAdd(Vector.LoadUnsafe(ref Unsafe.Add(ref w, stride)), Vector.Create(Unsafe.Add(ref v, i + 1)), odd);
            w = ref Unsafe.Add(ref w, 2 * stride);
        }

        if (i < rows)
            even = Simd.MultiplyAdd(Vector.LoadUnsafe(ref w), Vector.Create(Unsafe.Add(ref v, i)), even);
        (even + odd).StoreUnsafe(ref y);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// The weight change of a whole trial in one product over time:
    /// <c>result[i, j] += scale * sum over t of post[t, i] * pre[t, j]</c>.
    /// </summary>
    /// <param name="post">Postsynaptic factor of every step, shape (steps, post), rows of <paramref name="postStride"/> elements.</param>
    /// <param name="postStride">Elements from one step of <paramref name="post"/> to the next.</param>
    /// <param name="pre">Presynaptic factor of every step, shape (steps, pre), rows of <paramref name="preStride"/> elements.</param>
    /// <param name="preStride">Elements from one step of <paramref name="pre"/> to the next.</param>
    /// <param name="steps">Number of steps.</param>
    /// <param name="scale">Factor of the whole sum, such as learning rate over number of steps.</param>
    /// <param name="result">Shape (rows, columns), rows of <paramref name="resultStride"/> elements. Added to.</param>
    /// <param name="resultStride">Elements from one row of <paramref name="result"/> to the next.</param>
    /// <param name="rows">Number of postsynaptic units.</param>
    /// <param name="columns">Number of presynaptic signals.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    /// <remarks>
    /// Four rows by three vectors of sums stay in registers over all steps: seven loads for twelve multiply-adds.
    /// Allocates nothing; O(steps * rows * columns).
    /// </remarks>
    public static void AccumulateOuter<T>(
        ReadOnlySpan<T> post, int postStride, ReadOnlySpan<T> pre, int preStride, int steps, T scale,
        Span<T> result, int resultStride, int rows, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (steps == 0 || rows == 0 || columns == 0)
            return;
        if (post.Length < (steps - 1) * postStride + rows)
            ThrowHelper.TooShort(nameof(post), post.Length, (steps - 1) * postStride + rows);
        if (pre.Length < (steps - 1) * preStride + columns)
            ThrowHelper.TooShort(nameof(pre), pre.Length, (steps - 1) * preStride + columns);
        if (result.Length < (rows - 1) * resultStride + columns)
            ThrowHelper.TooShort(nameof(result), result.Length, (rows - 1) * resultStride + columns);

        int lanes = Vector<T>.Count, row = 0;
        ref T a = ref MemoryMarshal.GetReference(post);
        ref T b = ref MemoryMarshal.GetReference(pre);
        ref T c = ref MemoryMarshal.GetReference(result);
        for (; row + 4 <= rows; row += 4)
        {
            ref T c0 = ref Unsafe.Add(ref c, (nint)row * resultStride);
            ref T a0 = ref Unsafe.Add(ref a, row);
            int column = 0;
            for (; column + 3 * lanes <= columns; column += 3 * lanes)
                OuterFourByThree(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column), resultStride);
            for (; column + lanes <= columns; column += lanes)
                OuterFourByOne(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column), resultStride);
            for (; column < columns; column++)
                for (int i = 0; i < 4; i++)
                    OuterOneByOne(ref Unsafe.Add(ref a0, i), postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, (nint)i * resultStride + column));
        }

        for (; row < rows; row++)
        {
            ref T c0 = ref Unsafe.Add(ref c, (nint)row * resultStride);
            ref T a0 = ref Unsafe.Add(ref a, row);
            int column = 0;
            for (; column + lanes <= columns; column += lanes)
                OuterOneByVector(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column));
            for (; column < columns; column++)
                OuterOneByOne(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column));
        }
    }

    private static void OuterFourByThree<T>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c, nint cStride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nuint lane = (nuint)Vector<T>.Count;
        Vector<T> s00 = Vector<T>.Zero, s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00;
        Vector<T> s20 = s00, s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00;
        for (int t = 0; t < steps; t++)
        {
            Vector<T> b0 = Vector.LoadUnsafe(ref b), b1 = Vector.LoadUnsafe(ref b, lane), b2 = Vector.LoadUnsafe(ref b, 2 * lane);
            var x = Vector.Create(a);
            s00 = Simd.MultiplyAdd(x, b0, s00);
            s01 = Simd.MultiplyAdd(x, b1, s01);
            s02 = Simd.MultiplyAdd(x, b2, s02);
            x = Vector.Create(Unsafe.Add(ref a, 1));
            s10 = Simd.MultiplyAdd(x, b0, s10);
            s11 = Simd.MultiplyAdd(x, b1, s11);
            s12 = Simd.MultiplyAdd(x, b2, s12);
            x = Vector.Create(Unsafe.Add(ref a, 2));
            s20 = Simd.MultiplyAdd(x, b0, s20);
            s21 = Simd.MultiplyAdd(x, b1, s21);
            s22 = Simd.MultiplyAdd(x, b2, s22);
            x = Vector.Create(Unsafe.Add(ref a, 3));
            s30 = Simd.MultiplyAdd(x, b0, s30);
            s31 = Simd.MultiplyAdd(x, b1, s31);
            s32 = Simd.MultiplyAdd(x, b2, s32);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        var k = Vector.Create(scale);
        AddScaled(ref c, k, s00, s01, s02);
        AddScaled(ref Unsafe.Add(ref c, cStride), k, s10, s11, s12);
        AddScaled(ref Unsafe.Add(ref c, 2 * cStride), k, s20, s21, s22);
        AddScaled(ref Unsafe.Add(ref c, 3 * cStride), k, s30, s31, s32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled<T>(ref T c, Vector<T> scale, Vector<T> s0, Vector<T> s1, Vector<T> s2)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nuint lane = (nuint)Vector<T>.Count;
        Simd.MultiplyAdd(scale, s0, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
        Simd.MultiplyAdd(scale, s1, Vector.LoadUnsafe(ref c, lane)).StoreUnsafe(ref c, lane);
        Simd.MultiplyAdd(scale, s2, Vector.LoadUnsafe(ref c, 2 * lane)).StoreUnsafe(ref c, 2 * lane);
    }

    private static void OuterFourByOne<T>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c, nint cStride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> s0 = Vector<T>.Zero, s1 = s0, s2 = s0, s3 = s0;
        for (int t = 0; t < steps; t++)
        {
            Vector<T> x = Vector.LoadUnsafe(ref b);
            s0 = Simd.MultiplyAdd(Vector.Create(a), x, s0);
            s1 = Simd.MultiplyAdd(Vector.Create(Unsafe.Add(ref a, 1)), x, s1);
            s2 = Simd.MultiplyAdd(Vector.Create(Unsafe.Add(ref a, 2)), x, s2);
            s3 = Simd.MultiplyAdd(Vector.Create(Unsafe.Add(ref a, 3)), x, s3);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        var k = Vector.Create(scale);
        Simd.MultiplyAdd(k, s0, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
        c = ref Unsafe.Add(ref c, cStride);
        Simd.MultiplyAdd(k, s1, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
        c = ref Unsafe.Add(ref c, cStride);
        Simd.MultiplyAdd(k, s2, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
        c = ref Unsafe.Add(ref c, cStride);
        Simd.MultiplyAdd(k, s3, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
    }

    private static void OuterOneByVector<T>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Vector<T> sum = Vector<T>.Zero;
        for (int t = 0; t < steps; t++)
        {
            sum = Simd.MultiplyAdd(Vector.Create(a), Vector.LoadUnsafe(ref b), sum);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        Simd.MultiplyAdd(Vector.Create(scale), sum, Vector.LoadUnsafe(ref c)).StoreUnsafe(ref c);
    }

    private static void OuterOneByOne<T>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int t = 0; t < steps; t++)
        {
            sum = T.FusedMultiplyAdd(a, b, sum);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        c = T.FusedMultiplyAdd(scale, sum, c);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
    /// Four rows by three vectors of sums stay in registers over all steps: seven loads for twelve multiply-adds; or by four
    /// vectors, eight loads for sixteen, where one vector would be left over at the end and registers are wide.
    /// The results that sums are added to are prefetched before the sums are computed.
    /// Allocates nothing; O(steps * rows * columns).
    /// </remarks>
    public static void AccumulateOuter<T>(
        ReadOnlySpan<T> post, int postStride, ReadOnlySpan<T> pre, int preStride, int steps, T scale,
        Span<T> result, int resultStride, int rows, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (steps == 0 || rows == 0 || columns == 0)
            return;
        if (post.Length < (long)(steps - 1) * postStride + rows)
            ThrowHelper.TooShort(nameof(post), post.Length, (long)(steps - 1) * postStride + rows);
        if (pre.Length < (long)(steps - 1) * preStride + columns)
            ThrowHelper.TooShort(nameof(pre), pre.Length, (long)(steps - 1) * preStride + columns);
        if (result.Length < (long)(rows - 1) * resultStride + columns)
            ThrowHelper.TooShort(nameof(result), result.Length, (long)(rows - 1) * resultStride + columns);

        if (Simd.Bits == 512)
            AccumulateBlocks<T, Vector512<T>, Lanes512<T>>(post, postStride, pre, preStride, steps, scale, result, resultStride, rows, columns);
        else if (Simd.Bits == 256)
            AccumulateBlocks<T, Vector256<T>, Lanes256<T>>(post, postStride, pre, preStride, steps, scale, result, resultStride, rows, columns);
        else
            AccumulateBlocks<T, Vector128<T>, Lanes128<T>>(post, postStride, pre, preStride, steps, scale, result, resultStride, rows, columns);
    }

    /// <summary><see cref="AccumulateOuter"/> with its rows split among threads, in blocks of four: the same bits, whatever their number.</summary>
    /// <param name="post">As there.</param>
    /// <param name="postStride">As there.</param>
    /// <param name="pre">As there.</param>
    /// <param name="preStride">As there.</param>
    /// <param name="steps">As there.</param>
    /// <param name="scale">As there.</param>
    /// <param name="result">As there.</param>
    /// <param name="resultStride">As there.</param>
    /// <param name="rows">As there.</param>
    /// <param name="columns">As there.</param>
    /// <param name="threads">The most threads; fewer are used for small products.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    public static void AccumulateOuterByThreads<T>(
        ReadOnlySpan<T> post, int postStride, ReadOnlySpan<T> pre, int preStride, int steps, T scale,
        Span<T> result, int resultStride, int rows, int columns, int threads)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int parts = (int)Math.Min(Math.Min(threads, (rows + 3) / 4), (long)steps * rows * columns / LeastOfThread);
        if (parts < 2)
            AccumulateOuter(post, postStride, pre, preStride, steps, scale, result, resultStride, rows, columns);
        else
            SplitOuter(post, postStride, pre, preStride, steps, scale, result, resultStride, rows, columns, parts);
    }

    /// <summary>A separate method, since its closure is allocated at the beginning of the method that contains it.</summary>
    private static unsafe void SplitOuter<T>(
        ReadOnlySpan<T> post, int postStride, ReadOnlySpan<T> pre, int preStride, int steps, T scale,
        Span<T> result, int resultStride, int rows, int columns, int parts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int share = ((rows + 3) / 4 + parts - 1) / parts * 4, posts = post.Length, pres = pre.Length, results = result.Length;
        fixed (T* a = post, b = pre, c = result)
        {
            nint post0 = (nint)a, pre0 = (nint)b, result0 = (nint)c;
            Parallel.For(0, parts, part =>
            {
                int first = part * share, skipped = first * resultStride;
                if (first < rows)
                {
                    AccumulateOuter(
                        new ReadOnlySpan<T>((T*)post0 + first, posts - first), postStride, new ReadOnlySpan<T>((T*)pre0, pres), preStride, steps, scale,
                        new Span<T>((T*)result0 + skipped, results - skipped), resultStride, Math.Min(share, rows - first), columns);
                }
            });
        }
    }

    /// <summary>Multiply-adds below which starting another thread takes longer than the work.</summary>
    private const long LeastOfThread = 1 << 20;

    private static void AccumulateBlocks<T, V, S>(
        ReadOnlySpan<T> post, int postStride, ReadOnlySpan<T> pre, int preStride, int steps, T scale,
        Span<T> result, int resultStride, int rows, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int lanes = S.Count, row = 0;
        ref T a = ref MemoryMarshal.GetReference(post);
        ref T b = ref MemoryMarshal.GetReference(pre);
        ref T c = ref MemoryMarshal.GetReference(result);
        for (; row + 4 <= rows; row += 4)
        {
            ref T c0 = ref Unsafe.Add(ref c, (nint)row * resultStride);
            ref T a0 = ref Unsafe.Add(ref a, row);
            int column = 0;

            // Four vectors at once instead of three, where one vector would remain at the end, which is slow by itself: that takes 21 registers.
            for (; column + 4 * lanes <= columns && S.HasMany && (columns - column) / lanes % 3 == 1; column += 4 * lanes)
                OuterFourByFour<T, V, S>(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column), resultStride);
            for (; column + 3 * lanes <= columns; column += 3 * lanes)
                OuterFourByThree<T, V, S>(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column), resultStride);
            for (; column + lanes <= columns; column += lanes)
                OuterFourByOne<T, V, S>(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column), resultStride);
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
                OuterOneByVector<T, V, S>(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column));
            for (; column < columns; column++)
                OuterOneByOne(ref a0, postStride, ref Unsafe.Add(ref b, column), preStride, steps, scale, ref Unsafe.Add(ref c0, column));
        }
    }

    [MethodImpl(Innermost)]
    private static void OuterFourByFour<T, V, S>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c, nint cStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s00 = S.Create(T.Zero), s01 = s00, s02 = s00, s03 = s00, s10 = s00, s11 = s00, s12 = s00, s13 = s00;
        V s20 = s00, s21 = s00, s22 = s00, s23 = s00, s30 = s00, s31 = s00, s32 = s00, s33 = s00;
        FetchAhead(ref c, cStride, 4 * S.Count);
        for (int t = 0; t < steps; t++)
        {
            V b0 = S.Load(ref b, 0), b1 = S.Load(ref b, lane), b2 = S.Load(ref b, 2 * lane), b3 = S.Load(ref b, 3 * lane);
            var x = S.Create(a);
            s00 = S.MultiplyAdd(x, b0, s00);
            s01 = S.MultiplyAdd(x, b1, s01);
            s02 = S.MultiplyAdd(x, b2, s02);
            s03 = S.MultiplyAdd(x, b3, s03);
            x = S.Create(Unsafe.Add(ref a, 1));
            s10 = S.MultiplyAdd(x, b0, s10);
            s11 = S.MultiplyAdd(x, b1, s11);
            s12 = S.MultiplyAdd(x, b2, s12);
            s13 = S.MultiplyAdd(x, b3, s13);
            x = S.Create(Unsafe.Add(ref a, 2));
            s20 = S.MultiplyAdd(x, b0, s20);
            s21 = S.MultiplyAdd(x, b1, s21);
            s22 = S.MultiplyAdd(x, b2, s22);
            s23 = S.MultiplyAdd(x, b3, s23);
            x = S.Create(Unsafe.Add(ref a, 3));
            s30 = S.MultiplyAdd(x, b0, s30);
            s31 = S.MultiplyAdd(x, b1, s31);
            s32 = S.MultiplyAdd(x, b2, s32);
            s33 = S.MultiplyAdd(x, b3, s33);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        var k = S.Create(scale);
        nuint fourth = 3 * lane;
        AddThree<T, V, S>(ref c, k, s00, s01, s02);
        S.Store(S.MultiplyAdd(k, s03, S.Load(ref c, fourth)), ref c, fourth);
        c = ref Unsafe.Add(ref c, cStride);
        AddThree<T, V, S>(ref c, k, s10, s11, s12);
        S.Store(S.MultiplyAdd(k, s13, S.Load(ref c, fourth)), ref c, fourth);
        c = ref Unsafe.Add(ref c, cStride);
        AddThree<T, V, S>(ref c, k, s20, s21, s22);
        S.Store(S.MultiplyAdd(k, s23, S.Load(ref c, fourth)), ref c, fourth);
        c = ref Unsafe.Add(ref c, cStride);
        AddThree<T, V, S>(ref c, k, s30, s31, s32);
        S.Store(S.MultiplyAdd(k, s33, S.Load(ref c, fourth)), ref c, fourth);
    }

    [MethodImpl(Innermost)]
    private static void OuterFourByThree<T, V, S>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c, nint cStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V s00 = S.Create(T.Zero), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00;
        V s20 = s00, s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00;
        FetchAhead(ref c, cStride, 3 * S.Count);
        for (int t = 0; t < steps; t++)
        {
            V b0 = S.Load(ref b, 0), b1 = S.Load(ref b, lane), b2 = S.Load(ref b, 2 * lane);
            var x = S.Create(a);
            s00 = S.MultiplyAdd(x, b0, s00);
            s01 = S.MultiplyAdd(x, b1, s01);
            s02 = S.MultiplyAdd(x, b2, s02);
            x = S.Create(Unsafe.Add(ref a, 1));
            s10 = S.MultiplyAdd(x, b0, s10);
            s11 = S.MultiplyAdd(x, b1, s11);
            s12 = S.MultiplyAdd(x, b2, s12);
            x = S.Create(Unsafe.Add(ref a, 2));
            s20 = S.MultiplyAdd(x, b0, s20);
            s21 = S.MultiplyAdd(x, b1, s21);
            s22 = S.MultiplyAdd(x, b2, s22);
            x = S.Create(Unsafe.Add(ref a, 3));
            s30 = S.MultiplyAdd(x, b0, s30);
            s31 = S.MultiplyAdd(x, b1, s31);
            s32 = S.MultiplyAdd(x, b2, s32);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        var k = S.Create(scale);
        AddThree<T, V, S>(ref c, k, s00, s01, s02);
        AddThree<T, V, S>(ref Unsafe.Add(ref c, cStride), k, s10, s11, s12);
        AddThree<T, V, S>(ref Unsafe.Add(ref c, 2 * cStride), k, s20, s21, s22);
        AddThree<T, V, S>(ref Unsafe.Add(ref c, 3 * cStride), k, s30, s31, s32);
    }

    /// <summary>
    /// Prefetches the four rows of results that the sums are added to, so that they are in the cache when the sums are
    /// complete.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe void FetchAhead<T>(ref T c, nint stride, int columns)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!Sse.IsSupported)
            return;
        for (int row = 0; row < 4; row++)
        {
            ref T line = ref Unsafe.Add(ref c, row * stride);
            for (int column = 0; column < columns; column += 64 / Unsafe.SizeOf<T>())
                Sse.Prefetch0(Unsafe.AsPointer(ref Unsafe.Add(ref line, column)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddThree<T, V, S>(ref T c, V scale, V s0, V s1, V s2)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        S.Store(S.MultiplyAdd(scale, s0, S.Load(ref c, 0)), ref c, 0);
        S.Store(S.MultiplyAdd(scale, s1, S.Load(ref c, lane)), ref c, lane);
        S.Store(S.MultiplyAdd(scale, s2, S.Load(ref c, 2 * lane)), ref c, 2 * lane);
    }

    [MethodImpl(Innermost)]
    private static void OuterFourByOne<T, V, S>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c, nint cStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V s0 = S.Create(T.Zero), s1 = s0, s2 = s0, s3 = s0;
        for (int t = 0; t < steps; t++)
        {
            V x = S.Load(ref b, 0);
            s0 = S.MultiplyAdd(S.Create(a), x, s0);
            s1 = S.MultiplyAdd(S.Create(Unsafe.Add(ref a, 1)), x, s1);
            s2 = S.MultiplyAdd(S.Create(Unsafe.Add(ref a, 2)), x, s2);
            s3 = S.MultiplyAdd(S.Create(Unsafe.Add(ref a, 3)), x, s3);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        var k = S.Create(scale);
        S.Store(S.MultiplyAdd(k, s0, S.Load(ref c, 0)), ref c, 0);
        c = ref Unsafe.Add(ref c, cStride);
        S.Store(S.MultiplyAdd(k, s1, S.Load(ref c, 0)), ref c, 0);
        c = ref Unsafe.Add(ref c, cStride);
        S.Store(S.MultiplyAdd(k, s2, S.Load(ref c, 0)), ref c, 0);
        c = ref Unsafe.Add(ref c, cStride);
        S.Store(S.MultiplyAdd(k, s3, S.Load(ref c, 0)), ref c, 0);
    }

    [MethodImpl(Innermost)]
    private static void OuterOneByVector<T, V, S>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V sum = S.Create(T.Zero);
        for (int t = 0; t < steps; t++)
        {
            sum = S.MultiplyAdd(S.Create(a), S.Load(ref b, 0), sum);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        S.Store(S.MultiplyAdd(S.Create(scale), sum, S.Load(ref c, 0)), ref c, 0);
    }

    private static void OuterOneByOne<T>(ref T a, nint aStride, ref T b, nint bStride, int steps, T scale, ref T c)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T sum = T.Zero;
        for (int t = 0; t < steps; t++)
        {
            sum = Simd.MultiplyAdd(a, b, sum);
            a = ref Unsafe.Add(ref a, aStride);
            b = ref Unsafe.Add(ref b, bStride);
        }

        c = Simd.MultiplyAdd(scale, sum, c);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// All units' eligibility traces and weights, and the product of the new weights with the signals of the next step, in one pass
    /// over memory: <c>trace[i, j] = decay[i] * trace[i, j] + post[i] * pre[j]</c>, then
    /// <c>weights[i, j] += scale * signal[i] * trace[i, j]</c>, then <c>current[i] = sum over j of weights[i, j] * next[j]</c>.
    /// </summary>
    /// <param name="trace">Eligibility traces, shape (post, pre), row-major with rows of <paramref name="stride"/> elements. Updated in place.</param>
    /// <param name="weights">Weights, same shape. Updated in place.</param>
    /// <param name="stride">Elements from one row to the next; elements of a row beyond <paramref name="pre"/> are not changed.</param>
    /// <param name="decay">Decay factor of a unit's traces in one step, shape (post) or longer.</param>
    /// <param name="post">Postsynaptic factor of this step, shape (post) or longer.</param>
    /// <param name="pre">Presynaptic factors of this step, shape (pre), whole registers of 256 bits, or of 128 where there are no wider ones.</param>
    /// <param name="signal">Learning signal, shape (post) or longer.</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <param name="next">Presynaptic signals of the next step, shape (pre).</param>
    /// <param name="current">Currents of the next step, shape (post). Overwritten; its length is the number of rows.</param>
    /// <param name="backward">
    /// Whether rows are taken from the last to the first. If calls alternate, the rows used last are still in the cache: most of a
    /// matrix that is slightly larger than the cache stays there.
    /// </param>
    /// <exception cref="ArgumentException">A span is too short for its shape, or <paramref name="pre"/> is no whole number of registers.</exception>
    /// <remarks>
    /// <see cref="AdvanceTrace"/> and <see cref="Multiply"/> with each weight loaded once instead of twice. Two rows at a
    /// time share the loads of the signals. Two stores for four multiply-adds make stores the limit, and a register of
    /// 512 bits is stored in two halves: so this kernel uses 256 bits where there are 512. Allocates nothing; O(post * pre).
    /// </remarks>
    public static void AdvanceTraces<T>(
        Span<T> trace, Span<T> weights, int stride, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, T scale,
        ReadOnlySpan<T> next, Span<T> current, bool backward)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int rows = current.Length, columns = pre.Length;
        if (columns % Simd.NarrowCount<T>() != 0)
            ThrowHelper.OutOfRange(nameof(pre), columns, $"a multiple of {Simd.NarrowCount<T>()}");
        if (stride < columns)
            ThrowHelper.OutOfRange(nameof(stride), stride, $"at least {columns}, the number of columns");
        if (next.Length != columns)
            ThrowHelper.ShapeMismatch(nameof(next), next.Length, columns, "(pre)");
        if (trace.Length < (long)rows * stride)
            ThrowHelper.TooShort(nameof(trace), trace.Length, (long)rows * stride);
        if (weights.Length < (long)rows * stride)
            ThrowHelper.TooShort(nameof(weights), weights.Length, (long)rows * stride);
        if (Math.Min(decay.Length, Math.Min(post.Length, signal.Length)) < rows)
            ThrowHelper.TooShort("units", Math.Min(decay.Length, Math.Min(post.Length, signal.Length)), rows);

        if (Simd.Bits == 128)
            AdvancePairs<T, Vector128<T>, Lanes128<T>>(trace, weights, stride, decay, post, pre, signal, scale, next, current, backward);
        else
            AdvancePairs<T, Vector256<T>, Lanes256<T>>(trace, weights, stride, decay, post, pre, signal, scale, next, current, backward);
        if (rows % 2 == 0)
            return;
        int last = rows - 1;
        Span<T> own = weights.Slice(last * stride, columns);
        AdvanceTrace(trace.Slice(last * stride, columns), own, decay[last], post[last], pre, scale * signal[last]);
        Multiply(own, next, current[last..]);
    }

    [MethodImpl(Innermost)]
    private static void AdvancePairs<T, V, S>(
        Span<T> trace, Span<T> weights, nint stride, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, T scale,
        ReadOnlySpan<T> next, Span<T> current, bool backward)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nint columns = pre.Length;
        int pairs = current.Length / 2, step = backward ? -2 : 2;
        ref T s = ref MemoryMarshal.GetReference(pre);
        ref T n = ref MemoryMarshal.GetReference(next);
        ref T e = ref MemoryMarshal.GetReference(trace);
        ref T w = ref MemoryMarshal.GetReference(weights);
        ref T keep = ref MemoryMarshal.GetReference(decay);
        ref T add = ref MemoryMarshal.GetReference(post);
        ref T learn = ref MemoryMarshal.GetReference(signal);
        ref T u = ref MemoryMarshal.GetReference(current);
        for (int k = 0, row = backward ? 2 * pairs - 2 : 0; k < pairs; k++, row += step)
        {
            ref T e0 = ref Unsafe.Add(ref e, row * stride);
            ref T w0 = ref Unsafe.Add(ref w, row * stride);
            ref T e1 = ref Unsafe.Add(ref e0, stride);
            ref T w1 = ref Unsafe.Add(ref w0, stride);
            V keep0 = S.Create(Unsafe.Add(ref keep, row)), add0 = S.Create(Unsafe.Add(ref add, row)), learn0 = S.Create(scale * Unsafe.Add(ref learn, row));
            V keep1 = S.Create(Unsafe.Add(ref keep, row + 1)), add1 = S.Create(Unsafe.Add(ref add, row + 1)), learn1 = S.Create(scale * Unsafe.Add(ref learn, row + 1));
            V sum0 = S.Create(T.Zero), sum1 = sum0;
            for (nint column = 0; column < columns; column += S.Count)
            {
                nuint at = (nuint)column;
                V present = S.Load(ref s, at), coming = S.Load(ref n, at);
                V now = S.MultiplyAdd(keep0, S.Load(ref e0, at), S.Multiply(add0, present));
                S.Store(now, ref e0, at);
                V weight = S.MultiplyAdd(learn0, now, S.Load(ref w0, at));
                S.Store(weight, ref w0, at);
                sum0 = S.MultiplyAdd(weight, coming, sum0);
                now = S.MultiplyAdd(keep1, S.Load(ref e1, at), S.Multiply(add1, present));
                S.Store(now, ref e1, at);
                weight = S.MultiplyAdd(learn1, now, S.Load(ref w1, at));
                S.Store(weight, ref w1, at);
                sum1 = S.MultiplyAdd(weight, coming, sum1);
            }

            S.StoreSums(sum0, sum1, ref Unsafe.Add(ref u, row));
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// The sparse form of <see cref="AdvanceTraces"/>: traces, then weights, then
    /// <c>current[i] += sum over entries k of row i of weights[k] * next[column[k]]</c>, in one pass over the entries.
    /// </summary>
    /// <param name="pattern">Which entries exist; its columns must lie within <paramref name="pre"/>.</param>
    /// <param name="trace">One trace an entry. Updated in place.</param>
    /// <param name="weights">One weight an entry. Updated in place.</param>
    /// <param name="decay">Decay factor of a unit's traces in one step, shape (post) or longer.</param>
    /// <param name="post">Postsynaptic factor, shape (post) or longer.</param>
    /// <param name="pre">Presynaptic factors of this step, shape (pre).</param>
    /// <param name="signal">Learning signal, shape (post) or longer.</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <param name="next">Presynaptic signals of the next step, shape (pre).</param>
    /// <param name="current">Currents of the next step, shape (post) or longer. Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for the pattern, or <paramref name="next"/> has another length than <paramref name="pre"/>.</exception>
    /// <remarks>Each row has two independent sums, which hides the latency of additions. Allocates nothing; O(entries).</remarks>
    public static void AdvanceTracesSparse<T>(
        SparseRows pattern, Span<T> trace, Span<T> weights, ReadOnlySpan<T> decay, ReadOnlySpan<T> post,
        ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, T scale, ReadOnlySpan<T> next, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Fits(pattern, trace.Length, signal.Length);
        Fits(pattern, weights.Length, Math.Min(decay.Length, Math.Min(post.Length, current.Length)));
        if (next.Length != pre.Length)
            ThrowHelper.ShapeMismatch(nameof(next), next.Length, pre.Length, "(pre)");

        int[] start = pattern.Start;
        ref int column = ref MemoryMarshal.GetArrayDataReference(pattern.Column);
        for (int i = 0; i < start.Length - 1; i++)
        {
            int first = start[i], count = start[i + 1] - first;
            current[i] += AdvanceEntries(
                ref Unsafe.Add(ref column, first), count, ref Unsafe.Add(ref MemoryMarshal.GetReference(trace), first),
                ref Unsafe.Add(ref MemoryMarshal.GetReference(weights), first), decay[i], post[i], scale * signal[i],
                ref MemoryMarshal.GetReference(pre), ref MemoryMarshal.GetReference(next));
        }
    }

    /// <summary>Updates the entries of one unit and returns its current.</summary>
    [MethodImpl(Innermost)]
    private static T AdvanceEntries<T>(ref int column, nint count, ref T trace, ref T weight, T decay, T post, T signal, ref T pre, ref T next)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T even = T.Zero, odd = T.Zero;
        nint k = 0;
        for (; k + 2 <= count; k += 2)
        {
            even = AdvanceEntry(ref Unsafe.Add(ref column, k), ref Unsafe.Add(ref trace, k), ref Unsafe.Add(ref weight, k), decay, post, signal, ref pre, ref next, even);
            odd = AdvanceEntry(ref Unsafe.Add(ref column, k + 1), ref Unsafe.Add(ref trace, k + 1), ref Unsafe.Add(ref weight, k + 1), decay, post, signal, ref pre, ref next, odd);
        }

        if (k < count)
            even = AdvanceEntry(ref Unsafe.Add(ref column, k), ref Unsafe.Add(ref trace, k), ref Unsafe.Add(ref weight, k), decay, post, signal, ref pre, ref next, even);
        return even + odd;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T AdvanceEntry<T>(ref int column, ref T trace, ref T weight, T decay, T post, T signal, ref T pre, ref T next, T sum)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint from = column;
        trace = Simd.MultiplyAdd(decay, trace, post * Unsafe.Add(ref pre, from));
        weight = Simd.MultiplyAdd(signal, trace, weight);
        return Simd.MultiplyAdd(weight, Unsafe.Add(ref next, from), sum);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>The pattern of a sparse block: which presynaptic signals each unit receives, as compressed rows.</summary>
/// <param name="Start">Shape (post + 1): row i holds entries Start[i] .. Start[i + 1] - 1.</param>
/// <param name="Column">Presynaptic index of every entry, rising within a row.</param>
internal sealed record SparseRows(int[] Start, int[] Column)
{
    public int Rows => Start.Length - 1;

    public int Entries => Column.Length;
}

internal static partial class Kernels
{
    /// <summary>A sparse matrix times a vector, added: <c>result[i] += sum over entries k of row i of weights[k] * vector[column[k]]</c>.</summary>
    /// <param name="pattern">Which entries exist; its columns must lie within <paramref name="vector"/>.</param>
    /// <param name="weights">One weight an entry.</param>
    /// <param name="vector">Presynaptic signals, shape (pre).</param>
    /// <param name="result">Currents, shape (post) or longer. Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for the pattern.</exception>
    public static void MultiplySparse<T>(SparseRows pattern, ReadOnlySpan<T> weights, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Fits(pattern, weights.Length, result.Length);
        ref int column = ref MemoryMarshal.GetArrayDataReference(pattern.Column);
        ref T w = ref MemoryMarshal.GetReference(weights);
        ref T v = ref MemoryMarshal.GetReference(vector);
        int[] start = pattern.Start;
        for (int i = 0; i < start.Length - 1; i++)
        {
            // Two independent sums hide the latency of additions.
            T even = T.Zero, odd = T.Zero;
            int k = start[i], end = start[i + 1];
            for (; k + 2 <= end; k += 2)
            {
                even = Simd.MultiplyAdd(Unsafe.Add(ref w, k), Unsafe.Add(ref v, Unsafe.Add(ref column, k)), even);
                odd = Simd.MultiplyAdd(Unsafe.Add(ref w, k + 1), Unsafe.Add(ref v, Unsafe.Add(ref column, k + 1)), odd);
            }

            if (k < end)
                even = Simd.MultiplyAdd(Unsafe.Add(ref w, k), Unsafe.Add(ref v, Unsafe.Add(ref column, k)), even);
            result[i] += even + odd;
        }
    }

    /// <summary>A transposed sparse matrix times a vector, added: <c>result[column[k]] += weights[k] * vector[i]</c> for every entry k of row i.</summary>
    /// <param name="pattern">Which entries exist; its columns must lie within <paramref name="result"/>.</param>
    /// <param name="weights">One weight an entry.</param>
    /// <param name="vector">Credit of the currents, shape (post) or longer.</param>
    /// <param name="result">Credit of the presynaptic signals, shape (pre). Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for the pattern.</exception>
    public static void MultiplyTransposedSparse<T>(SparseRows pattern, ReadOnlySpan<T> weights, ReadOnlySpan<T> vector, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Fits(pattern, weights.Length, vector.Length);
        for (int i = 0; i < pattern.Rows; i++)
            for (int k = pattern.Start[i]; k < pattern.Start[i + 1]; k++)
                result[pattern.Column[k]] = Simd.MultiplyAdd(weights[k], vector[i], result[pattern.Column[k]]);
    }

    /// <summary>One step of a sparse block's weight change: <c>result[k] += scale * post[i] * pre[column[k]]</c> for every entry k of row i.</summary>
    /// <exception cref="ArgumentException">A span is too short for the pattern.</exception>
    public static void AccumulateOuterSparse<T>(SparseRows pattern, ReadOnlySpan<T> post, ReadOnlySpan<T> pre, T scale, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Fits(pattern, result.Length, post.Length);
        ref int column = ref MemoryMarshal.GetArrayDataReference(pattern.Column);
        ref T v = ref MemoryMarshal.GetReference(pre);
        ref T g = ref MemoryMarshal.GetReference(result);
        int[] start = pattern.Start;
        for (int i = 0; i < start.Length - 1; i++)
        {
            T factor = scale * post[i];
            for (int k = start[i]; k < start[i + 1]; k++)
                Unsafe.Add(ref g, k) = Simd.MultiplyAdd(factor, Unsafe.Add(ref v, Unsafe.Add(ref column, k)), Unsafe.Add(ref g, k));
        }
    }

    /// <summary>The sparse form of <see cref="AdvanceTrace"/>, for all units of a block: traces, then weights, entry by entry.</summary>
    /// <param name="pattern">Which entries exist.</param>
    /// <param name="trace">One trace an entry. Updated in place.</param>
    /// <param name="weights">One weight an entry, or the buffer that increments are added to. Updated in place.</param>
    /// <param name="decay">Decay factor of a unit's traces in one step, shape (post) or longer.</param>
    /// <param name="post">Postsynaptic factor, shape (post) or longer.</param>
    /// <param name="pre">Presynaptic signals, shape (pre).</param>
    /// <param name="signal">Learning signal, shape (post) or longer.</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <exception cref="ArgumentException">A span is too short for the pattern.</exception>
    public static void AdvanceTraceSparse<T>(
        SparseRows pattern, Span<T> trace, Span<T> weights, ReadOnlySpan<T> decay, ReadOnlySpan<T> post,
        ReadOnlySpan<T> pre, ReadOnlySpan<T> signal, T scale)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Fits(pattern, trace.Length, signal.Length);
        Fits(pattern, weights.Length, Math.Min(decay.Length, post.Length));
        ref int column = ref MemoryMarshal.GetArrayDataReference(pattern.Column);
        ref T e = ref MemoryMarshal.GetReference(trace);
        ref T w = ref MemoryMarshal.GetReference(weights);
        ref T v = ref MemoryMarshal.GetReference(pre);
        int[] start = pattern.Start;
        for (int i = 0; i < start.Length - 1; i++)
        {
            T keep = decay[i], add = post[i], learn = scale * signal[i];
            for (int k = start[i]; k < start[i + 1]; k++)
            {
                T now = Simd.MultiplyAdd(keep, Unsafe.Add(ref e, k), add * Unsafe.Add(ref v, Unsafe.Add(ref column, k)));
                Unsafe.Add(ref e, k) = now;
                Unsafe.Add(ref w, k) = Simd.MultiplyAdd(learn, now, Unsafe.Add(ref w, k));
            }
        }
    }

    private static void Fits(SparseRows pattern, int entries, int rows)
    {
        if (entries < pattern.Entries)
            ThrowHelper.TooShort("weights", entries, pattern.Entries);
        if (rows < pattern.Rows)
            ThrowHelper.TooShort("units", rows, pattern.Rows);
    }
}

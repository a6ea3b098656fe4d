using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

/// <summary>One row a step, contiguous; or one row that is the same in all steps.</summary>
/// <param name="elements">The rows, or the row.</param>
/// <param name="isSame">Whether there is one row.</param>
internal readonly ref struct StepRows<T>(ReadOnlySpan<T> elements, bool isSame = false)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public ReadOnlySpan<T> Elements { get; } = elements;

    public bool IsSame { get; } = isSame;

    /// <summary>Elements from one step's row to the next step's.</summary>
    public int Stride(int n) => IsSame ? 0 : n;

    /// <summary>The least length for so many steps of n elements.</summary>
    public int Length(int steps, int n) => steps == 0 ? 0 : IsSame ? n : steps * n;
}

internal static partial class Kernels
{
    /// <summary>
    /// Adds the contribution of deferred updates to currents. Step by step <c>f[i] = decay[t, i] * f[i] + post[t, i] * overlap[t]</c>
    /// from 0 on, then <c>sum[i] += signal[t, i] * f[i]</c>; finally <c>current[i] += scale * sum[i]</c>.
    /// </summary>
    /// <param name="post">Postsynaptic factors of every step, rows of n.</param>
    /// <param name="decay">Decay factor of a unit's traces in each step, rows of n.</param>
    /// <param name="signal">Learning signals of every step, rows of n.</param>
    /// <param name="overlap">Inner product of the signals in hand with the presynaptic factors of each step, shape (steps).</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <param name="current">Currents of the step in hand, shape (n), whole registers. Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape, or n is no whole number of registers.</exception>
    /// <remarks>
    /// f is the product of the eligibility traces with the signals. The trace of step t is a sum of outer products of the factors
    /// of the steps up to it, so its product with a vector needs no matrix. Only <paramref name="current"/> is written. Four
    /// registers of units at a time hide the latency of the recursion of f. Allocates nothing; O(steps * n).
    /// </remarks>
    public static void AddPending<T>(
        StepRows<T> post, StepRows<T> decay, StepRows<T> signal, ReadOnlySpan<T> overlap, T scale, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = current.Length;
        CheckPending(post, decay, overlap, current);
        if (signal.Elements.Length < signal.Length(overlap.Length, n))
            ThrowHelper.TooShort(nameof(signal), signal.Elements.Length, signal.Length(overlap.Length, n));

        if (Simd.Bits == 512)
            AddPendingUnits<T, Vector512<T>, Lanes512<T>>(post, decay, signal, overlap, scale, [], current);
        else if (Simd.Bits == 256)
            AddPendingUnits<T, Vector256<T>, Lanes256<T>>(post, decay, signal, overlap, scale, [], current);
        else
            AddPendingUnits<T, Vector128<T>, Lanes128<T>>(post, decay, signal, overlap, scale, [], current);
    }

    /// <summary>The same for learning signals that are one vector times a number a step, <c>signal[t, i] = column[i] * error[t]</c>: half the reads.</summary>
    /// <param name="post">Postsynaptic factors of every step, rows of n.</param>
    /// <param name="decay">Decay factor of a unit's traces in each step, rows of n.</param>
    /// <param name="error">Error of each step, shape (steps).</param>
    /// <param name="column">Feedback weight of each unit, shape (n).</param>
    /// <param name="overlap">Inner product of the signals in hand with the presynaptic factors of each step, shape (steps).</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <param name="current">Currents of the step in hand, shape (n), whole registers. Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape, or n is no whole number of registers.</exception>
    public static void AddPending<T>(
        StepRows<T> post, StepRows<T> decay, ReadOnlySpan<T> error, ReadOnlySpan<T> column, ReadOnlySpan<T> overlap, T scale, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckPending(post, decay, overlap, current);
        if (error.Length < overlap.Length)
            ThrowHelper.TooShort(nameof(error), error.Length, overlap.Length);
        if (column.Length != current.Length)
            ThrowHelper.ShapeMismatch(nameof(column), column.Length, current.Length, "(n)");

        if (Simd.Bits == 512)
            AddPendingUnits<T, Vector512<T>, Lanes512<T>>(post, decay, new StepRows<T>(error), overlap, scale, column, current);
        else if (Simd.Bits == 256)
            AddPendingUnits<T, Vector256<T>, Lanes256<T>>(post, decay, new StepRows<T>(error), overlap, scale, column, current);
        else
            AddPendingUnits<T, Vector128<T>, Lanes128<T>>(post, decay, new StepRows<T>(error), overlap, scale, column, current);
    }

    private static void CheckPending<T>(StepRows<T> post, StepRows<T> decay, ReadOnlySpan<T> overlap, ReadOnlySpan<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = current.Length, steps = overlap.Length;
        if (n % Simd.Count<T>() != 0)
            ThrowHelper.ShapeMismatch(nameof(current), n, Simd.Padded<T>(n), "(whole registers)");
        if (post.Elements.Length < post.Length(steps, n))
            ThrowHelper.TooShort(nameof(post), post.Elements.Length, post.Length(steps, n));
        if (decay.Elements.Length < decay.Length(steps, n))
            ThrowHelper.TooShort(nameof(decay), decay.Elements.Length, decay.Length(steps, n));
    }

    private static void AddPendingUnits<T, V, S>(
        StepRows<T> post, StepRows<T> decay, StepRows<T> signal, ReadOnlySpan<T> overlap, T scale, ReadOnlySpan<T> column, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = current.Length, unit = 0;
        bool isColumn = column.Length > 0;
        ref T p = ref MemoryMarshal.GetReference(post.Elements);
        ref T d = ref MemoryMarshal.GetReference(decay.Elements);
        ref T m = ref MemoryMarshal.GetReference(signal.Elements);
        ref T b = ref MemoryMarshal.GetReference(column);
        ref T u = ref MemoryMarshal.GetReference(current);
        for (; unit + 4 * S.Count <= n; unit += 4 * S.Count)
        {
            FourPending<T, V, S>(
                ref Unsafe.Add(ref p, unit), post.Stride(n), ref Unsafe.Add(ref d, unit), decay.Stride(n), ref Unsafe.Add(ref m, isColumn ? 0 : unit),
                isColumn ? 1 : signal.Stride(n), overlap, scale, isColumn, ref Unsafe.Add(ref b, isColumn ? unit : 0), ref Unsafe.Add(ref u, unit));
        }

        for (; unit < n; unit += S.Count)
        {
            V factor = isColumn ? S.Multiply(S.Create(scale), S.Load(ref b, (nuint)unit)) : S.Create(scale);
            V sum = OnePending<T, V, S>(
                ref Unsafe.Add(ref p, unit), post.Stride(n), ref Unsafe.Add(ref d, unit), decay.Stride(n), ref Unsafe.Add(ref m, isColumn ? 0 : unit),
                isColumn ? 1 : signal.Stride(n), isColumn, overlap);
            S.Store(S.MultiplyAdd(factor, sum, S.Load(ref u, (nuint)unit)), ref u, (nuint)unit);
        }
    }

    [MethodImpl(Innermost)]
    private static void FourPending<T, V, S>(
        ref T post, nint postStride, ref T decay, nint decayStride, ref T signal, nint signalStride, ReadOnlySpan<T> overlap, T scale, bool isColumn, ref T column, ref T current)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V f0 = S.Create(T.Zero), f1 = f0, f2 = f0, f3 = f0, s0 = f0, s1 = f0, s2 = f0, s3 = f0;
        foreach (T share in overlap)
        {
            var g = S.Create(share);
            f0 = S.MultiplyAdd(S.Load(ref decay, 0), f0, S.Multiply(g, S.Load(ref post, 0)));
            f1 = S.MultiplyAdd(S.Load(ref decay, lane), f1, S.Multiply(g, S.Load(ref post, lane)));
            f2 = S.MultiplyAdd(S.Load(ref decay, 2 * lane), f2, S.Multiply(g, S.Load(ref post, 2 * lane)));
            f3 = S.MultiplyAdd(S.Load(ref decay, 3 * lane), f3, S.Multiply(g, S.Load(ref post, 3 * lane)));
            if (isColumn)
            {
                var e = S.Create(signal);
                s0 = S.MultiplyAdd(e, f0, s0);
                s1 = S.MultiplyAdd(e, f1, s1);
                s2 = S.MultiplyAdd(e, f2, s2);
                s3 = S.MultiplyAdd(e, f3, s3);
            }
            else
            {
                s0 = S.MultiplyAdd(S.Load(ref signal, 0), f0, s0);
                s1 = S.MultiplyAdd(S.Load(ref signal, lane), f1, s1);
                s2 = S.MultiplyAdd(S.Load(ref signal, 2 * lane), f2, s2);
                s3 = S.MultiplyAdd(S.Load(ref signal, 3 * lane), f3, s3);
            }

            post = ref Unsafe.Add(ref post, postStride);
            decay = ref Unsafe.Add(ref decay, decayStride);
            signal = ref Unsafe.Add(ref signal, signalStride);
        }

        V k0 = S.Create(scale), k1 = k0, k2 = k0, k3 = k0;
        if (isColumn)
        {
            k0 = S.Multiply(k0, S.Load(ref column, 0));
            k1 = S.Multiply(k1, S.Load(ref column, lane));
            k2 = S.Multiply(k2, S.Load(ref column, 2 * lane));
            k3 = S.Multiply(k3, S.Load(ref column, 3 * lane));
        }

        S.Store(S.MultiplyAdd(k0, s0, S.Load(ref current, 0)), ref current, 0);
        S.Store(S.MultiplyAdd(k1, s1, S.Load(ref current, lane)), ref current, lane);
        S.Store(S.MultiplyAdd(k2, s2, S.Load(ref current, 2 * lane)), ref current, 2 * lane);
        S.Store(S.MultiplyAdd(k3, s3, S.Load(ref current, 3 * lane)), ref current, 3 * lane);
    }

    [MethodImpl(Innermost)]
    private static V OnePending<T, V, S>(
        ref T post, nint postStride, ref T decay, nint decayStride, ref T signal, nint signalStride, bool isNumber, ReadOnlySpan<T> overlap)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V f = S.Create(T.Zero), s = f;
        foreach (T share in overlap)
        {
            f = S.MultiplyAdd(S.Load(ref decay, 0), f, S.Multiply(S.Create(share), S.Load(ref post, 0)));
            s = S.MultiplyAdd(isNumber ? S.Create(signal) : S.Load(ref signal, 0), f, s);
            post = ref Unsafe.Add(ref post, postStride);
            decay = ref Unsafe.Add(ref decay, decayStride);
            signal = ref Unsafe.Add(ref signal, signalStride);
        }

        return s;
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary><see cref="AddPending{T}(StepRows{T}, StepRows{T}, StepRows{T}, ReadOnlySpan{T}, T, Span{T})"/> for two rows of signals at once: the stored factors of the steps are read once for both.</summary>
    /// <param name="post">Postsynaptic factors of every step, rows of n.</param>
    /// <param name="decay">Decay factor of a unit's traces in each step, rows of n.</param>
    /// <param name="signal">Learning signals of every step, rows of n.</param>
    /// <param name="overlap">Inner product of the signals in hand with the presynaptic factors of each step, shape (steps).</param>
    /// <param name="beside">The same of another row, shape (steps).</param>
    /// <param name="scale">Learning rate over number of steps.</param>
    /// <param name="current">Currents of the step in hand, shape (n), whole registers. Added to.</param>
    /// <param name="product">The product of the weights with the other row, shape (n). Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape, or n is no whole number of registers.</exception>
    /// <remarks>The same bits as one after the other. Two registers of units at a time, so that the sums of both rows fit into registers. Allocates nothing; O(steps * n).</remarks>
    public static void AddPendingBoth<T>(
        StepRows<T> post, StepRows<T> decay, StepRows<T> signal, ReadOnlySpan<T> overlap, ReadOnlySpan<T> beside, T scale, Span<T> current, Span<T> product)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = current.Length;
        CheckPending(post, decay, overlap, current);
        if (signal.Elements.Length < signal.Length(overlap.Length, n))
            ThrowHelper.TooShort(nameof(signal), signal.Elements.Length, signal.Length(overlap.Length, n));
        if (beside.Length != overlap.Length)
            ThrowHelper.ShapeMismatch(nameof(beside), beside.Length, overlap.Length, "(steps)");
        if (product.Length != n)
            ThrowHelper.ShapeMismatch(nameof(product), product.Length, n, "(n)");

        if (Simd.Bits == 512)
            AddPendingUnitsBoth<T, Vector512<T>, Lanes512<T>>(post, decay, signal, overlap, beside, scale, current, product);
        else if (Simd.Bits == 256)
            AddPendingUnitsBoth<T, Vector256<T>, Lanes256<T>>(post, decay, signal, overlap, beside, scale, current, product);
        else
            AddPendingUnitsBoth<T, Vector128<T>, Lanes128<T>>(post, decay, signal, overlap, beside, scale, current, product);
    }

    private static void AddPendingUnitsBoth<T, V, S>(
        StepRows<T> post, StepRows<T> decay, StepRows<T> signal, ReadOnlySpan<T> overlap, ReadOnlySpan<T> beside, T scale, Span<T> current, Span<T> product)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = current.Length, unit = 0;
        ref T p = ref MemoryMarshal.GetReference(post.Elements);
        ref T d = ref MemoryMarshal.GetReference(decay.Elements);
        ref T m = ref MemoryMarshal.GetReference(signal.Elements);
        for (; unit + 2 * S.Count <= n; unit += 2 * S.Count)
        {
            TwoPendingBoth<T, V, S>(
                ref Unsafe.Add(ref p, unit), post.Stride(n), ref Unsafe.Add(ref d, unit), decay.Stride(n), ref Unsafe.Add(ref m, unit), signal.Stride(n),
                overlap, beside, scale, ref current[unit], ref product[unit]);
        }

        if (unit == n)
            return;
        for (int row = 0; row < 2; row++)
        {
            ref T to = ref (row == 0 ? current : product)[unit];
            V sum = OnePending<T, V, S>(
                ref Unsafe.Add(ref p, unit), post.Stride(n), ref Unsafe.Add(ref d, unit), decay.Stride(n), ref Unsafe.Add(ref m, unit), signal.Stride(n),
                isNumber: false, row == 0 ? overlap : beside);
            S.Store(S.MultiplyAdd(S.Create(scale), sum, S.Load(ref to, 0)), ref to, 0);
        }
    }

    [MethodImpl(Innermost)]
    private static void TwoPendingBoth<T, V, S>(
        ref T post, nint postStride, ref T decay, nint decayStride, ref T signal, nint signalStride, ReadOnlySpan<T> overlap, ReadOnlySpan<T> beside, T scale,
        ref T current, ref T product)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        V f0 = S.Create(T.Zero), f1 = f0, h0 = f0, h1 = f0, s0 = f0, s1 = f0, r0 = f0, r1 = f0;
        ref T other = ref MemoryMarshal.GetReference(beside);
        foreach (T share in overlap)
        {
            V g = S.Create(share), b = S.Create(other);
            V post0 = S.Load(ref post, 0), keep0 = S.Load(ref decay, 0), signal0 = S.Load(ref signal, 0);
            f0 = S.MultiplyAdd(keep0, f0, S.Multiply(g, post0));
            h0 = S.MultiplyAdd(keep0, h0, S.Multiply(b, post0));
            s0 = S.MultiplyAdd(signal0, f0, s0);
            r0 = S.MultiplyAdd(signal0, h0, r0);
            V post1 = S.Load(ref post, lane), keep1 = S.Load(ref decay, lane), signal1 = S.Load(ref signal, lane);
            f1 = S.MultiplyAdd(keep1, f1, S.Multiply(g, post1));
            h1 = S.MultiplyAdd(keep1, h1, S.Multiply(b, post1));
            s1 = S.MultiplyAdd(signal1, f1, s1);
            r1 = S.MultiplyAdd(signal1, h1, r1);
            post = ref Unsafe.Add(ref post, postStride);
            decay = ref Unsafe.Add(ref decay, decayStride);
            signal = ref Unsafe.Add(ref signal, signalStride);
            other = ref Unsafe.Add(ref other, 1);
        }

        var factor = S.Create(scale);
        S.Store(S.MultiplyAdd(factor, s0, S.Load(ref current, 0)), ref current, 0);
        S.Store(S.MultiplyAdd(factor, s1, S.Load(ref current, lane)), ref current, lane);
        S.Store(S.MultiplyAdd(factor, r0, S.Load(ref product, 0)), ref product, 0);
        S.Store(S.MultiplyAdd(factor, r1, S.Load(ref product, lane)), ref product, lane);
    }
}

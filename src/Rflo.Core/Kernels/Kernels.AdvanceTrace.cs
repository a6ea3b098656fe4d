using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One unit's eligibility traces and weights in one pass over memory:
    /// <c>trace[j] = decay * trace[j] + post * pre[j]</c>, then <c>weights[j] += signal * trace[j]</c>.
    /// </summary>
    /// <param name="trace">Eligibility trace of the unit's synapses, shape (pre). Updated in place.</param>
    /// <param name="weights">The unit's weights, or the buffer that increments are added to, shape (pre). Updated in place.</param>
    /// <param name="decay">Decay factor of a trace in one step: 1 - alpha for RFLO.</param>
    /// <param name="post">The unit's postsynaptic factor of this step: alpha * phi'(u) for RFLO.</param>
    /// <param name="pre">Presynaptic signals that made this step's current, shape (pre).</param>
    /// <param name="signal">Learning rate over number of steps, times the unit's learning signal.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>
    /// Murray (2019), Eqs 5 and 6, with x(t) where the paper prints x(t-1). Element-wise, so the result does not
    /// depend on the vector width. Allocates nothing; O(pre).
    /// </remarks>
    public static void AdvanceTrace<T>(Span<T> trace, Span<T> weights, T decay, T post, ReadOnlySpan<T> pre, T signal)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = pre.Length;
        if (trace.Length != n)
            ThrowHelper.ShapeMismatch(nameof(trace), trace.Length, n, "(pre)");
        if (weights.Length != n)
            ThrowHelper.ShapeMismatch(nameof(weights), weights.Length, n, "(pre)");

        if (Simd.Bits == 512)
            AdvanceTraceRow<T, Vector512<T>, Lanes512<T>>(trace, weights, decay, post, pre, signal);
        else if (Simd.Bits == 256)
            AdvanceTraceRow<T, Vector256<T>, Lanes256<T>>(trace, weights, decay, post, pre, signal);
        else
            AdvanceTraceRow<T, Vector128<T>, Lanes128<T>>(trace, weights, decay, post, pre, signal);
    }

    [MethodImpl(Innermost)]
    private static void AdvanceTraceRow<T, V, S>(Span<T> trace, Span<T> weights, T decay, T post, ReadOnlySpan<T> pre, T signal)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = pre.Length;
        ref T e = ref MemoryMarshal.GetReference(trace);
        ref T w = ref MemoryMarshal.GetReference(weights);
        ref T s = ref MemoryMarshal.GetReference(pre);
        V keep = S.Create(decay), add = S.Create(post), learn = S.Create(signal);
        int k = 0;
        for (; k + S.Count <= n; k += S.Count)
        {
            nuint at = (nuint)k;
            V now = S.MultiplyAdd(keep, S.Load(ref e, at), S.Multiply(add, S.Load(ref s, at)));
            S.Store(now, ref e, at);
            S.Store(S.MultiplyAdd(learn, now, S.Load(ref w, at)), ref w, at);
        }

        for (; k < n; k++)
        {
            trace[k] = Simd.MultiplyAdd(decay, trace[k], post * pre[k]);
            weights[k] = Simd.MultiplyAdd(signal, trace[k], weights[k]);
        }
    }

    /// <summary><c>y[k] += a * x[k]</c>: one unit's share of an outer product.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void AddScaled<T>(Span<T> y, T a, ReadOnlySpan<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (x.Length != y.Length)
            ThrowHelper.ShapeMismatch(nameof(x), x.Length, y.Length, "(n)");

        if (Simd.Bits == 512)
            AddScaledRow<T, Vector512<T>, Lanes512<T>>(y, a, x);
        else if (Simd.Bits == 256)
            AddScaledRow<T, Vector256<T>, Lanes256<T>>(y, a, x);
        else
            AddScaledRow<T, Vector128<T>, Lanes128<T>>(y, a, x);
    }

    [MethodImpl(Innermost)]
    private static void AddScaledRow<T, V, S>(Span<T> y, T a, ReadOnlySpan<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T to = ref MemoryMarshal.GetReference(y);
        ref T from = ref MemoryMarshal.GetReference(x);
        var factor = S.Create(a);
        int k = 0;
        for (; k + S.Count <= y.Length; k += S.Count)
            S.Store(S.MultiplyAdd(factor, S.Load(ref from, (nuint)k), S.Load(ref to, (nuint)k)), ref to, (nuint)k);
        for (; k < y.Length; k++)
            y[k] = Simd.MultiplyAdd(a, x[k], y[k]);
    }
}

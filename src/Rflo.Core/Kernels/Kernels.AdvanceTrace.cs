using System.Numerics;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One unit's eligibility traces and weights in one pass over memory:
    /// <c>trace[j] = decay * trace[j] + post * pre[j]</c>, then <c>weights[j] += told * trace[j]</c>.
    /// </summary>
    /// <param name="trace">Eligibility trace of the unit's synapses, shape (pre). Updated in place.</param>
    /// <param name="weights">The unit's weights, or whatever the increments are added to, shape (pre). Updated in place.</param>
    /// <param name="decay">What is left of a trace after one step: 1 - alpha for RFLO.</param>
    /// <param name="post">The unit's postsynaptic factor of this step: alpha * phi'(u) for RFLO.</param>
    /// <param name="pre">Presynaptic signals that made this step's current, shape (pre).</param>
    /// <param name="told">Learning rate over number of steps, times the unit's learning signal.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>
    /// Murray (2019), Eqs 5 and 6, with x(t) where the paper prints x(t-1). Element-wise, so the result does not
    /// depend on the vector width. Allocates nothing; O(pre).
    /// </remarks>
    public static void AdvanceTrace<T>(Span<T> trace, Span<T> weights, T decay, T post, ReadOnlySpan<T> pre, T told)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = pre.Length;
        if (trace.Length != n)
            ThrowHelper.ShapeMismatch(nameof(trace), trace.Length, n, "(pre)");
        if (weights.Length != n)
            ThrowHelper.ShapeMismatch(nameof(weights), weights.Length, n, "(pre)");

        ref T e = ref MemoryMarshal.GetReference(trace);
        ref T w = ref MemoryMarshal.GetReference(weights);
        ref T s = ref MemoryMarshal.GetReference(pre);
        Vector<T> keep = Vector.Create(decay), add = Vector.Create(post), learn = Vector.Create(told);
        int k = 0;
        for (; k + Vector<T>.Count <= n; k += Vector<T>.Count)
        {
            nuint at = (nuint)k;
            Vector<T> now = Simd.MultiplyAdd(keep, Vector.LoadUnsafe(ref e, at), add * Vector.LoadUnsafe(ref s, at));
            now.StoreUnsafe(ref e, at);
            Simd.MultiplyAdd(learn, now, Vector.LoadUnsafe(ref w, at)).StoreUnsafe(ref w, at);
        }

        for (; k < n; k++)
        {
            trace[k] = T.FusedMultiplyAdd(decay, trace[k], post * pre[k]);
            weights[k] = T.FusedMultiplyAdd(told, trace[k], weights[k]);
        }
    }

    /// <summary><c>y[k] += a * x[k]</c>: one unit's share of an outer product.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public static void AddScaled<T>(Span<T> y, T a, ReadOnlySpan<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (x.Length != y.Length)
            ThrowHelper.ShapeMismatch(nameof(x), x.Length, y.Length, "(n)");

        ref T to = ref MemoryMarshal.GetReference(y);
        ref T from = ref MemoryMarshal.GetReference(x);
        var factor = Vector.Create(a);
        int k = 0;
        for (; k + Vector<T>.Count <= y.Length; k += Vector<T>.Count)
            Simd.MultiplyAdd(factor, Vector.LoadUnsafe(ref from, (nuint)k), Vector.LoadUnsafe(ref to, (nuint)k)).StoreUnsafe(ref to, (nuint)k);
        for (; k < y.Length; k++)
            y[k] = T.FusedMultiplyAdd(a, x[k], y[k]);
    }
}

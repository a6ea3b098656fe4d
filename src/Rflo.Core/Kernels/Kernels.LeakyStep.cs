using System.Numerics;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One step of the leak: <c>rate[i] = (1 - alpha[i]) * previous[i] + alpha[i] * value[i]</c>; and the slope
    /// becomes the postsynaptic factor of that step, <c>slope[i] = alpha[i] * slope[i]</c>.
    /// </summary>
    /// <param name="alpha">dt / tau of every unit, in (0, 1], shape (n).</param>
    /// <param name="value">phi(u) of this step, shape (n).</param>
    /// <param name="slope">phi'(u) of this step, shape (n). Scaled by alpha in place.</param>
    /// <param name="previous">Rates one step ago, shape (n).</param>
    /// <param name="rate">Rates of this step, shape (n). Overwritten.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>Murray (2019), Eq 1. Element-wise, so the result does not depend on the vector width. Allocates nothing.</remarks>
    public static void LeakyStep<T>(ReadOnlySpan<T> alpha, ReadOnlySpan<T> value, Span<T> slope, ReadOnlySpan<T> previous, Span<T> rate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = rate.Length;
        if (alpha.Length != n)
            ThrowHelper.ShapeMismatch(nameof(alpha), alpha.Length, n, "(n)");
        if (value.Length != n)
            ThrowHelper.ShapeMismatch(nameof(value), value.Length, n, "(n)");
        if (slope.Length != n)
            ThrowHelper.ShapeMismatch(nameof(slope), slope.Length, n, "(n)");
        if (previous.Length != n)
            ThrowHelper.ShapeMismatch(nameof(previous), previous.Length, n, "(n)");

        ref T a = ref MemoryMarshal.GetReference(alpha);
        ref T f = ref MemoryMarshal.GetReference(value);
        ref T d = ref MemoryMarshal.GetReference(slope);
        ref T h = ref MemoryMarshal.GetReference(previous);
        ref T r = ref MemoryMarshal.GetReference(rate);
        int k = 0;
        for (; k + Vector<T>.Count <= n; k += Vector<T>.Count)
        {
            nuint at = (nuint)k;
            Vector<T> leak = Vector.LoadUnsafe(ref a, at), old = Vector.LoadUnsafe(ref h, at);
            Simd.MultiplyAdd(leak, Vector.LoadUnsafe(ref f, at) - old, old).StoreUnsafe(ref r, at);
            (leak * Vector.LoadUnsafe(ref d, at)).StoreUnsafe(ref d, at);
        }

        for (; k < n; k++)
        {
            rate[k] = T.FusedMultiplyAdd(alpha[k], value[k] - previous[k], previous[k]);
            slope[k] = alpha[k] * slope[k];
        }
    }
}

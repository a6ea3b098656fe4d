using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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

        if (Simd.Bits == 512)
            LeakRow<T, Vector512<T>, Lanes512<T>>(alpha, value, slope, previous, rate);
        else if (Simd.Bits == 256)
            LeakRow<T, Vector256<T>, Lanes256<T>>(alpha, value, slope, previous, rate);
        else
            LeakRow<T, Vector128<T>, Lanes128<T>>(alpha, value, slope, previous, rate);
    }

    [MethodImpl(Innermost)]
    private static void LeakRow<T, V, S>(ReadOnlySpan<T> alpha, ReadOnlySpan<T> value, Span<T> slope, ReadOnlySpan<T> previous, Span<T> rate)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = rate.Length;
        ref T a = ref MemoryMarshal.GetReference(alpha);
        ref T f = ref MemoryMarshal.GetReference(value);
        ref T d = ref MemoryMarshal.GetReference(slope);
        ref T h = ref MemoryMarshal.GetReference(previous);
        ref T r = ref MemoryMarshal.GetReference(rate);
        int k = 0;
        for (; k + S.Count <= n; k += S.Count)
        {
            nuint at = (nuint)k;
            V leak = S.Load(ref a, at), old = S.Load(ref h, at);
            S.Store(S.MultiplyAdd(leak, S.Subtract(S.Load(ref f, at), old), old), ref r, at);
            S.Store(S.Multiply(leak, S.Load(ref d, at)), ref d, at);
        }

        for (; k < n; k++)
        {
            rate[k] = Simd.MultiplyAdd(alpha[k], value[k] - previous[k], previous[k]);
            slope[k] = alpha[k] * slope[k];
        }
    }
}

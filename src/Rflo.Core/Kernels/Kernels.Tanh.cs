using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One step of leaky units with the hyperbolic tangent, in one pass:
    /// <c>rate[i] = (1 - alpha[i]) * previous[i] + alpha[i] * tanh(current[i])</c> and the postsynaptic factor
    /// <c>post[i] = alpha[i] * (1 - tanh(current[i])^2)</c>.
    /// </summary>
    /// <param name="alpha">dt / tau of every unit, in (0, 1], shape (n).</param>
    /// <param name="current">Summed inputs u of this step, shape (n).</param>
    /// <param name="previous">Rates one step ago, shape (n).</param>
    /// <param name="post">Overwritten, shape (n).</param>
    /// <param name="rate">Rates of this step, shape (n). Overwritten.</param>
    /// <exception cref="ArgumentException">The lengths differ, or are no whole number of registers.</exception>
    /// <remarks>Murray (2019), Eq 1. NaN stays NaN. Allocates nothing; O(n).</remarks>
    public static void LeakyTanh<T>(ReadOnlySpan<T> alpha, ReadOnlySpan<T> current, ReadOnlySpan<T> previous, Span<T> post, Span<T> rate)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = rate.Length;
        if (n % Simd.Count<T>() != 0)
            ThrowHelper.ShapeMismatch(nameof(rate), n, Simd.Padded<T>(n), "(whole registers)");
        if (alpha.Length != n)
            ThrowHelper.ShapeMismatch(nameof(alpha), alpha.Length, n, "(n)");
        if (current.Length != n)
            ThrowHelper.ShapeMismatch(nameof(current), current.Length, n, "(n)");
        if (previous.Length != n)
            ThrowHelper.ShapeMismatch(nameof(previous), previous.Length, n, "(n)");
        if (post.Length != n)
            ThrowHelper.ShapeMismatch(nameof(post), post.Length, n, "(n)");

        if (Simd.Bits == 512)
            LeakyTanhRow<T, Vector512<T>, Lanes512<T>>(alpha, current, previous, post, rate);
        else if (Simd.Bits == 256)
            LeakyTanhRow<T, Vector256<T>, Lanes256<T>>(alpha, current, previous, post, rate);
        else
            LeakyTanhRow<T, Vector128<T>, Lanes128<T>>(alpha, current, previous, post, rate);
    }

    [MethodImpl(Innermost)]
    private static void LeakyTanhRow<T, V, S>(ReadOnlySpan<T> alpha, ReadOnlySpan<T> current, ReadOnlySpan<T> previous, Span<T> post, Span<T> rate)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T a = ref MemoryMarshal.GetReference(alpha);
        ref T u = ref MemoryMarshal.GetReference(current);
        ref T h = ref MemoryMarshal.GetReference(previous);
        ref T d = ref MemoryMarshal.GetReference(post);
        ref T r = ref MemoryMarshal.GetReference(rate);
        V one = S.Create(T.One);
        nuint end = (nuint)rate.Length;
        for (nuint at = 0; at < end; at += (nuint)S.Count)
        {
            V phi = TanhOf<T, V, S>(S.Load(ref u, at)), leak = S.Load(ref a, at), old = S.Load(ref h, at);
            S.Store(S.MultiplyAdd(leak, S.Subtract(phi, old), old), ref r, at);
            S.Store(S.Multiply(leak, S.Subtract(one, S.Multiply(phi, phi))), ref d, at);
        }
    }

    /// <summary>
    /// tanh u = E / (E + 2) with E = e^(2|u|) - 1, and the sign of u; within three units in the last place.
    /// </summary>
    /// <remarks>
    /// 2|u| = k ln 2 + r with |r| at most ln 2 / 2, so E = 2^k (e^r - 1) + (2^k - 1), without cancellation. e^r - 1
    /// is the polynomial of degree 11 through Chebyshev's points, with a relative error of at most 4e-17. Beyond |u| = 20 tanh is 1 to the last bit.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V TanhOf<T, V, S>(V u)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V bounded = S.Min(S.Create(T.CreateTruncating(20.0)), S.Abs(u)), twice = S.Add(bounded, bounded);
        V k = S.Round(S.Multiply(bounded, Constant<T, V, S>(2.8853900817779268)));

        // ln 2 in two parts; the first has few enough bits that k times it is exact in either precision.
        V r = S.MultiplyAdd(k, Constant<T, V, S>(-0.693145751953125), twice);
        r = S.MultiplyAdd(k, Constant<T, V, S>(-1.42860682030941723212e-6), r);

        // (e^r - 1 - r) / r^2, in pairs, which shortens the chain of dependent additions.
        V r2 = S.Multiply(r, r), r4 = S.Multiply(r2, r2);
        V p01 = S.MultiplyAdd(r, Constant<T, V, S>(0.16666666666666669), Constant<T, V, S>(0.5000000000000001));
        V p23 = S.MultiplyAdd(r, Constant<T, V, S>(0.008333333333330065), Constant<T, V, S>(0.041666666666624164));
        V p45 = S.MultiplyAdd(r, Constant<T, V, S>(0.00019841269863040545), Constant<T, V, S>(0.0013888888917196719));
        V p67 = S.MultiplyAdd(r, Constant<T, V, S>(2.755726848030982e-06), Constant<T, V, S>(2.4801521322368428e-05));
        V p89 = S.MultiplyAdd(r, Constant<T, V, S>(2.510037583265786e-08), Constant<T, V, S>(2.7620075880109014e-07));
        V high = S.MultiplyAdd(r4, p89, S.MultiplyAdd(r2, p67, p45));
        V sum = S.MultiplyAdd(r4, high, S.MultiplyAdd(r2, p23, p01));
        V small = S.MultiplyAdd(r2, sum, r);

        V power = S.PowerOfTwo(k);
        V grown = S.MultiplyAdd(power, small, S.Subtract(power, S.Create(T.One)));
        return S.WithSign(S.Divide(grown, S.Add(grown, S.Create(T.CreateTruncating(2.0)))), u);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Constant<T, V, S>(double value)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V> => S.Create(T.CreateTruncating(value));
}

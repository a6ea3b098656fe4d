using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One step of the backward filter that replaces the traces of a trial:
    /// <c>credit[i] = decay[i] * credit[i] + signal[i]</c>, then <c>delta[i] = credit[i] * post[i]</c>.
    /// </summary>
    /// <param name="credit">Z, the discounted sum of learning signals from this step to the end of the trial, shape (n). Updated in place.</param>
    /// <param name="decay">Decay factor of a unit's trace in one step, shape (n).</param>
    /// <param name="signal">Learning signal M of this step, shape (n).</param>
    /// <param name="post">Postsynaptic factor of this step, shape (n).</param>
    /// <param name="delta">The factor of this step's presynaptic signals, shape (n). Overwritten.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>
    /// While M does not depend on updates within the trial, the sum over t of M(t) e(t), with
    /// e(t) = decay e(t-1) + post(t) pre(t), equals the sum over s of Z(s) post(s) pre(s): the order of the two sums
    /// is exchanged. Allocates nothing; O(n).
    /// </remarks>
    public static void BackwardFilter<T>(Span<T> credit, ReadOnlySpan<T> decay, ReadOnlySpan<T> signal, ReadOnlySpan<T> post, Span<T> delta)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = credit.Length;
        if (decay.Length != n)
            ThrowHelper.ShapeMismatch(nameof(decay), decay.Length, n, "(n)");
        if (signal.Length != n)
            ThrowHelper.ShapeMismatch(nameof(signal), signal.Length, n, "(n)");
        if (post.Length != n)
            ThrowHelper.ShapeMismatch(nameof(post), post.Length, n, "(n)");
        if (delta.Length != n)
            ThrowHelper.ShapeMismatch(nameof(delta), delta.Length, n, "(n)");

        if (Simd.Bits == 512)
            FilterBack<T, Vector512<T>, Lanes512<T>>(credit, decay, signal, post, delta);
        else if (Simd.Bits == 256)
            FilterBack<T, Vector256<T>, Lanes256<T>>(credit, decay, signal, post, delta);
        else
            FilterBack<T, Vector128<T>, Lanes128<T>>(credit, decay, signal, post, delta);
    }

    [MethodImpl(Innermost)]
    private static void FilterBack<T, V, S>(Span<T> credit, ReadOnlySpan<T> decay, ReadOnlySpan<T> signal, ReadOnlySpan<T> post, Span<T> delta)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = credit.Length;
        ref T z = ref MemoryMarshal.GetReference(credit);
        ref T keep = ref MemoryMarshal.GetReference(decay);
        ref T m = ref MemoryMarshal.GetReference(signal);
        ref T p = ref MemoryMarshal.GetReference(post);
        ref T d = ref MemoryMarshal.GetReference(delta);
        int k = 0;
        for (; k + S.Count <= n; k += S.Count)
        {
            nuint at = (nuint)k;
            V now = S.MultiplyAdd(S.Load(ref keep, at), S.Load(ref z, at), S.Load(ref m, at));
            S.Store(now, ref z, at);
            S.Store(S.Multiply(now, S.Load(ref p, at)), ref d, at);
        }

        for (; k < n; k++)
        {
            credit[k] = Simd.MultiplyAdd(decay[k], credit[k], signal[k]);
            delta[k] = credit[k] * post[k];
        }
    }
}

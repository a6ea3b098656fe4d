using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One step of a backward pass: the credit of the currents, <c>delta[i] = credit[i] * post[i]</c>, and the credit that the leak
    /// carries to the step before, <c>before[i] += decay[i] * credit[i]</c>.
    /// </summary>
    /// <param name="credit">z(t), the credit of the rates of this step, shape (n).</param>
    /// <param name="post">alpha phi'(u(t)), shape (n).</param>
    /// <param name="decay">1 - alpha, shape (n).</param>
    /// <param name="delta">Shape (n). Overwritten.</param>
    /// <param name="before">z(t-1), shape (n). Added to.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>Murray (2019), Eqs 20 and 21. Allocates nothing; O(n).</remarks>
    public static void PassCredit<T>(ReadOnlySpan<T> credit, ReadOnlySpan<T> post, ReadOnlySpan<T> decay, Span<T> delta, Span<T> before)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = credit.Length;
        if (post.Length != n)
            ThrowHelper.ShapeMismatch(nameof(post), post.Length, n, "(n)");
        if (decay.Length != n)
            ThrowHelper.ShapeMismatch(nameof(decay), decay.Length, n, "(n)");
        if (delta.Length != n)
            ThrowHelper.ShapeMismatch(nameof(delta), delta.Length, n, "(n)");
        if (before.Length != n)
            ThrowHelper.ShapeMismatch(nameof(before), before.Length, n, "(n)");

        if (Simd.Bits == 512)
            PassCreditRow<T, Vector512<T>, Lanes512<T>>(credit, post, decay, delta, before);
        else if (Simd.Bits == 256)
            PassCreditRow<T, Vector256<T>, Lanes256<T>>(credit, post, decay, delta, before);
        else
            PassCreditRow<T, Vector128<T>, Lanes128<T>>(credit, post, decay, delta, before);
    }

    [MethodImpl(Innermost)]
    private static void PassCreditRow<T, V, S>(ReadOnlySpan<T> credit, ReadOnlySpan<T> post, ReadOnlySpan<T> decay, Span<T> delta, Span<T> before)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = credit.Length;
        ref T z = ref MemoryMarshal.GetReference(credit);
        ref T p = ref MemoryMarshal.GetReference(post);
        ref T keep = ref MemoryMarshal.GetReference(decay);
        ref T d = ref MemoryMarshal.GetReference(delta);
        ref T y = ref MemoryMarshal.GetReference(before);
        int k = 0;
        for (; k + S.Count <= n; k += S.Count)
        {
            nuint at = (nuint)k;
            V now = S.Load(ref z, at);
            S.Store(S.Multiply(now, S.Load(ref p, at)), ref d, at);
            S.Store(S.MultiplyAdd(S.Load(ref keep, at), now, S.Load(ref y, at)), ref y, at);
        }

        for (; k < n; k++)
        {
            delta[k] = credit[k] * post[k];
            before[k] = Simd.MultiplyAdd(decay[k], credit[k], before[k]);
        }
    }
}

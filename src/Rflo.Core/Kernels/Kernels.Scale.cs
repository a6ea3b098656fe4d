using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary><c>y[k] = a * x[k]</c>: the learning signal of an area's units from the error of one output.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>Called in every step for a few registers, so the cost of the call matters. Allocates nothing; O(n).</remarks>
    public static void Scale<T>(ReadOnlySpan<T> x, T a, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (x.Length != y.Length)
            ThrowHelper.ShapeMismatch(nameof(x), x.Length, y.Length, "(n)");

        if (Simd.Bits == 512)
            ScaleRow<T, Vector512<T>, Lanes512<T>>(ref MemoryMarshal.GetReference(x), a, ref MemoryMarshal.GetReference(y), y.Length);
        else if (Simd.Bits == 256)
            ScaleRow<T, Vector256<T>, Lanes256<T>>(ref MemoryMarshal.GetReference(x), a, ref MemoryMarshal.GetReference(y), y.Length);
        else
            ScaleRow<T, Vector128<T>, Lanes128<T>>(ref MemoryMarshal.GetReference(x), a, ref MemoryMarshal.GetReference(y), y.Length);
    }

    [MethodImpl(Innermost)]
    private static void ScaleRow<T, V, S>(ref T x, T a, ref T y, int n)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        var factor = S.Create(a);
        int k = 0;
        for (; k + S.Count <= n; k += S.Count)
            S.Store(S.Multiply(factor, S.Load(ref x, (nuint)k)), ref y, (nuint)k);
        for (; k < n; k++)
            Unsafe.Add(ref y, k) = a * Unsafe.Add(ref x, k);
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One panel of the influence tensor: <c>now[i, c] = decay[i] * before[i, c] + post[i] * product[i, c]</c>, and
    /// <c>gradient[c] += sum over i of signal[i] * now[i, c]</c>.
    /// </summary>
    /// <param name="before">Influence of one step ago, shape (units, <see cref="PanelColumns{T}"/>).</param>
    /// <param name="now">Influence of this step, same shape. Overwritten; may be <paramref name="before"/>.</param>
    /// <param name="decay">1 - alpha, shape (units).</param>
    /// <param name="post">alpha phi'(u), shape (units).</param>
    /// <param name="product">sum over projections of W ds/dw, shape (units, panel columns).</param>
    /// <param name="signal">Learning signal, shape (units).</param>
    /// <param name="gradient">Shape (panel columns). Added to.</param>
    /// <exception cref="ArgumentException">A span has another length than its shape.</exception>
    /// <remarks>The recurrent terms of Murray (2019), Eq 11. The gradient stays in registers. Allocates nothing.</remarks>
    public static void AdvanceInfluence<T>(
        ReadOnlySpan<T> before, Span<T> now, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> product, ReadOnlySpan<T> signal, Span<T> gradient)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int width = PanelColumns<T>(), units = decay.Length;
        if (before.Length != (long)units * width)
            ThrowHelper.ShapeMismatch(nameof(before), before.Length, (long)units * width, "(units, panel columns)");
        if (now.Length != (long)units * width)
            ThrowHelper.ShapeMismatch(nameof(now), now.Length, (long)units * width, "(units, panel columns)");
        if (product.Length != (long)units * width)
            ThrowHelper.ShapeMismatch(nameof(product), product.Length, (long)units * width, "(units, panel columns)");
        if (post.Length != units)
            ThrowHelper.ShapeMismatch(nameof(post), post.Length, units, "(units)");
        if (signal.Length != units)
            ThrowHelper.ShapeMismatch(nameof(signal), signal.Length, units, "(units)");
        if (gradient.Length != width)
            ThrowHelper.ShapeMismatch(nameof(gradient), gradient.Length, width, "(panel columns)");

        if (Simd.Bits == 512)
            AdvancePanel<T, Vector512<T>, Lanes512<T>>(before, now, decay, post, product, signal, gradient);
        else if (Simd.Bits == 256)
            AdvancePanel<T, Vector256<T>, Lanes256<T>>(before, now, decay, post, product, signal, gradient);
        else
            AdvancePanel<T, Vector128<T>, Lanes128<T>>(before, now, decay, post, product, signal, gradient);
    }

    [MethodImpl(Innermost)]
    private static void AdvancePanel<T, V, S>(ReadOnlySpan<T> before, Span<T> now, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> product, ReadOnlySpan<T> signal, Span<T> gradient)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int width = PanelColumns<T>(), units = decay.Length;
        nuint lane = (nuint)S.Count;
        ref T b = ref MemoryMarshal.GetReference(before);
        ref T n = ref MemoryMarshal.GetReference(now);
        ref T p = ref MemoryMarshal.GetReference(product);
        ref T g = ref MemoryMarshal.GetReference(gradient);
        V g0 = S.Load(ref g, 0), g1 = S.Load(ref g, lane), g2 = S.Load(ref g, 2 * lane);
        for (int i = 0; i < units; i++)
        {
            V keep = S.Create(decay[i]), add = S.Create(post[i]), learn = S.Create(signal[i]);
            V row0 = S.MultiplyAdd(keep, S.Load(ref b, 0), S.Multiply(add, S.Load(ref p, 0)));
            V row1 = S.MultiplyAdd(keep, S.Load(ref b, lane), S.Multiply(add, S.Load(ref p, lane)));
            V row2 = S.MultiplyAdd(keep, S.Load(ref b, 2 * lane), S.Multiply(add, S.Load(ref p, 2 * lane)));
            StoreThree<T, V, S>(ref n, row0, row1, row2);
            g0 = S.MultiplyAdd(learn, row0, g0);
            g1 = S.MultiplyAdd(learn, row1, g1);
            g2 = S.MultiplyAdd(learn, row2, g2);
            b = ref Unsafe.Add(ref b, width);
            n = ref Unsafe.Add(ref n, width);
            p = ref Unsafe.Add(ref p, width);
        }

        StoreThree<T, V, S>(ref g, g0, g1, g2);
    }
}

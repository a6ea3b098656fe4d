using System.Numerics;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One unit's row of one panel of the influence tensor:
    /// <c>now[c] = decay * before[c] + post * product[c]</c>, then <c>gradient[c] += told * now[c]</c>.
    /// </summary>
    /// <param name="before">Influence of one step ago, shape (panel columns).</param>
    /// <param name="now">Influence of this step, shape (panel columns). Overwritten; may be <paramref name="before"/>.</param>
    /// <param name="decay">1 - alpha of the unit.</param>
    /// <param name="post">alpha phi'(u) of the unit.</param>
    /// <param name="product">sum over projections of W ds/dw, shape (panel columns).</param>
    /// <param name="told">Learning signal of the unit.</param>
    /// <param name="gradient">Shape (panel columns). Added to.</param>
    /// <exception cref="ArgumentException">A span has another length than <see cref="PanelColumns{T}"/>.</exception>
    /// <remarks>The recurrent terms of Murray (2019), Eq 11. Allocates nothing.</remarks>
    public static void AdvanceInfluence<T>(
        ReadOnlySpan<T> before, Span<T> now, T decay, T post, ReadOnlySpan<T> product, T told, Span<T> gradient)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int width = PanelColumns<T>();
        if (before.Length != width)
            ThrowHelper.ShapeMismatch(nameof(before), before.Length, width, "(panel columns)");
        if (now.Length != width)
            ThrowHelper.ShapeMismatch(nameof(now), now.Length, width, "(panel columns)");
        if (product.Length != width)
            ThrowHelper.ShapeMismatch(nameof(product), product.Length, width, "(panel columns)");
        if (gradient.Length != width)
            ThrowHelper.ShapeMismatch(nameof(gradient), gradient.Length, width, "(panel columns)");

        ref T b = ref MemoryMarshal.GetReference(before);
        ref T n = ref MemoryMarshal.GetReference(now);
        ref T p = ref MemoryMarshal.GetReference(product);
        ref T g = ref MemoryMarshal.GetReference(gradient);
        Vector<T> keep = Vector.Create(decay), add = Vector.Create(post), learn = Vector.Create(told);
        for (nuint at = 0; at < (nuint)width; at += (nuint)Vector<T>.Count)
        {
            Vector<T> row = Simd.MultiplyAdd(keep, Vector.LoadUnsafe(ref b, at), add * Vector.LoadUnsafe(ref p, at));
            row.StoreUnsafe(ref n, at);
            Simd.MultiplyAdd(learn, row, Vector.LoadUnsafe(ref g, at)).StoreUnsafe(ref g, at);
        }
    }
}

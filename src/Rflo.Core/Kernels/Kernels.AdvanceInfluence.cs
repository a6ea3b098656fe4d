using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One panel of the influence tensor: <c>now[i, c] = decay[i] * before[i, c] + post[i] * product[i, c]</c>, and
    /// <c>gradient[c] += sum over i of told[i] * now[i, c]</c>.
    /// </summary>
    /// <param name="before">Influence of one step ago, shape (units, <see cref="PanelColumns{T}"/>).</param>
    /// <param name="now">Influence of this step, same shape. Overwritten; may be <paramref name="before"/>.</param>
    /// <param name="decay">1 - alpha, shape (units).</param>
    /// <param name="post">alpha phi'(u), shape (units).</param>
    /// <param name="product">sum over projections of W ds/dw, shape (units, panel columns).</param>
    /// <param name="told">Learning signal, shape (units).</param>
    /// <param name="gradient">Shape (panel columns). Added to.</param>
    /// <exception cref="ArgumentException">A span has another length than its shape.</exception>
    /// <remarks>The recurrent terms of Murray (2019), Eq 11. The gradient stays in registers. Allocates nothing.</remarks>
    public static void AdvanceInfluence<T>(
        ReadOnlySpan<T> before, Span<T> now, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, ReadOnlySpan<T> product, ReadOnlySpan<T> told, Span<T> gradient)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int width = PanelColumns<T>(), units = decay.Length;
        if (before.Length != units * width)
            ThrowHelper.ShapeMismatch(nameof(before), before.Length, units * width, "(units, panel columns)");
        if (now.Length != units * width)
            ThrowHelper.ShapeMismatch(nameof(now), now.Length, units * width, "(units, panel columns)");
        if (product.Length != units * width)
            ThrowHelper.ShapeMismatch(nameof(product), product.Length, units * width, "(units, panel columns)");
        if (post.Length != units)
            ThrowHelper.ShapeMismatch(nameof(post), post.Length, units, "(units)");
        if (told.Length != units)
            ThrowHelper.ShapeMismatch(nameof(told), told.Length, units, "(units)");
        if (gradient.Length != width)
            ThrowHelper.ShapeMismatch(nameof(gradient), gradient.Length, width, "(panel columns)");

        nuint lane = (nuint)Vector<T>.Count;
        ref T b = ref MemoryMarshal.GetReference(before);
        ref T n = ref MemoryMarshal.GetReference(now);
        ref T p = ref MemoryMarshal.GetReference(product);
        ref T g = ref MemoryMarshal.GetReference(gradient);
        Vector<T> g0 = Vector.LoadUnsafe(ref g), g1 = Vector.LoadUnsafe(ref g, lane), g2 = Vector.LoadUnsafe(ref g, 2 * lane);
        for (int i = 0; i < units; i++)
        {
            Vector<T> keep = Vector.Create(decay[i]), add = Vector.Create(post[i]), learn = Vector.Create(told[i]);
            Vector<T> row0 = Simd.MultiplyAdd(keep, Vector.LoadUnsafe(ref b), add * Vector.LoadUnsafe(ref p));
            Vector<T> row1 = Simd.MultiplyAdd(keep, Vector.LoadUnsafe(ref b, lane), add * Vector.LoadUnsafe(ref p, lane));
            Vector<T> row2 = Simd.MultiplyAdd(keep, Vector.LoadUnsafe(ref b, 2 * lane), add * Vector.LoadUnsafe(ref p, 2 * lane));
            Store(ref n, row0, row1, row2);
            g0 = Simd.MultiplyAdd(learn, row0, g0);
            g1 = Simd.MultiplyAdd(learn, row1, g1);
            g2 = Simd.MultiplyAdd(learn, row2, g2);
            b = ref Unsafe.Add(ref b, width);
            n = ref Unsafe.Add(ref n, width);
            p = ref Unsafe.Add(ref p, width);
        }

        Store(ref g, g0, g1, g2);
    }
}

using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// The transfer function and its slope in one call: <c>value[i] = phi(current[i])</c>, <c>slope[i] = phi'(current[i])</c>.
    /// </summary>
    /// <param name="transfer">Which phi.</param>
    /// <param name="current">Summed inputs u of the units now, shape (n).</param>
    /// <param name="value">phi(u), shape (n). Overwritten; may be <paramref name="current"/> itself.</param>
    /// <param name="slope">phi'(u), shape (n). Overwritten; must not overlap the other two.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>
    /// A kink has the slope of its left side: 0 at u = 0 for the rectified functions. NaN stays NaN in
    /// <paramref name="value"/>. Allocates nothing.
    /// </remarks>
    public static void TransferSlope<T>(Transfer transfer, ReadOnlySpan<T> current, Span<T> value, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (value.Length != current.Length)
            ThrowHelper.ShapeMismatch(nameof(value), value.Length, current.Length, "(n)");
        if (slope.Length != current.Length)
            ThrowHelper.ShapeMismatch(nameof(slope), slope.Length, current.Length, "(n)");

        if (current.IsEmpty)
            return;
        switch (transfer)
        {
            case Transfer.Tanh:
                TensorPrimitives.Tanh(current, value);
                OneMinusSquare(value, slope);
                break;
            case Transfer.Relu:
                Gate(current, slope);
                Rectify(current, value);
                break;
            case Transfer.Sigmoid:
                TensorPrimitives.Sigmoid(current, value);
                LogisticSlope(value, slope);
                break;
            case Transfer.Softplus:
                TensorPrimitives.Sigmoid(current, slope);
                Softplus(current, value);
                break;
            case Transfer.Identity:
                slope.Fill(T.One);
                current.CopyTo(value);
                break;
            case Transfer.RectifiedTanh:
                TensorPrimitives.Tanh(current, value);
                RectifiedSlope(value, slope);
                Rectify(value, value);
                break;
            default:
                ThrowHelper.OutOfRange(nameof(transfer), (int)transfer, "a transfer function");
                break;
        }
    }

    /// <summary>slope = 1 - value^2, the slope of tanh from its value.</summary>
    private static void OneMinusSquare<T>(ReadOnlySpan<T> value, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Simd.Bits == 512)
            OneMinusSquareRow<T, Vector512<T>, Lanes512<T>>(value, slope);
        else if (Simd.Bits == 256)
            OneMinusSquareRow<T, Vector256<T>, Lanes256<T>>(value, slope);
        else
            OneMinusSquareRow<T, Vector128<T>, Lanes128<T>>(value, slope);
    }

    [MethodImpl(Innermost)]
    private static void OneMinusSquareRow<T, V, S>(ReadOnlySpan<T> value, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T x = ref MemoryMarshal.GetReference(value);
        ref T y = ref MemoryMarshal.GetReference(slope);
        int k = 0;
        for (; k + S.Count <= value.Length; k += S.Count)
        {
            V v = S.Load(ref x, (nuint)k);
            S.Store(S.Subtract(S.Create(T.One), S.Multiply(v, v)), ref y, (nuint)k);
        }

        for (; k < value.Length; k++)
            slope[k] = Simd.MultiplyAdd(-value[k], value[k], T.One);
    }

    private static void LogisticSlope<T>(ReadOnlySpan<T> value, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < value.Length; k++)
            slope[k] = value[k] * (T.One - value[k]);
    }

    private static void RectifiedSlope<T>(ReadOnlySpan<T> tanh, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < tanh.Length; k++)
            slope[k] = tanh[k] > T.Zero ? Simd.MultiplyAdd(-tanh[k], tanh[k], T.One) : T.Zero;
    }

    private static void Gate<T>(ReadOnlySpan<T> current, Span<T> slope)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < current.Length; k++)
            slope[k] = current[k] > T.Zero ? T.One : T.Zero;
    }

    private static void Rectify<T>(ReadOnlySpan<T> current, Span<T> value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < current.Length; k++)
            value[k] = current[k] > T.Zero || T.IsNaN(current[k]) ? current[k] : T.Zero;
    }

    /// <summary>log(1 + e^u) = max(0, u) + log(1 + e^-|u|), which overflows nowhere.</summary>
    private static void Softplus<T>(ReadOnlySpan<T> current, Span<T> value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < current.Length; k++)
            value[k] = T.Max(T.Zero, current[k]) + T.LogP1(T.Exp(-T.Abs(current[k])));
    }
}

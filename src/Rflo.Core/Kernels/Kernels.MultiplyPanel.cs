using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>Columns of a panel: three vectors, which with four rows of sums fills the vector registers.</summary>
    public static int PanelColumns<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => 3 * Simd.Count<T>();

    /// <summary>
    /// A matrix times a narrow, packed panel: <c>result[i, c] = sum over j of matrix[i, j] * panel[j, c]</c>.
    /// It is the main cost of real-time recurrent learning, which advances the influence tensor panel by panel.
    /// </summary>
    /// <param name="matrix">Weights, shape (rows, columns), row-major with rows of <paramref name="stride"/> elements.</param>
    /// <param name="rows">Number of rows; a multiple of four.</param>
    /// <param name="columns">Number of columns, which is the number of rows of the panel.</param>
    /// <param name="stride">Elements from one row of <paramref name="matrix"/> to the next.</param>
    /// <param name="panel">Shape (columns, <see cref="PanelColumns{T}"/>), without gaps.</param>
    /// <param name="result">Shape (rows, <see cref="PanelColumns{T}"/>), without gaps. Overwritten.</param>
    /// <exception cref="ArgumentException">A span is too short, or <paramref name="rows"/> is no multiple of four.</exception>
    /// <remarks>Seven loads for twelve multiply-adds. Allocates nothing; O(rows * columns).</remarks>
    public static void MultiplyPanel<T>(ReadOnlySpan<T> matrix, int rows, int columns, int stride, ReadOnlySpan<T> panel, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int width = PanelColumns<T>();
        if (rows % 4 != 0)
            ThrowHelper.OutOfRange(nameof(rows), rows, "a multiple of four");
        if (stride < columns)
            ThrowHelper.OutOfRange(nameof(stride), stride, $"at least {columns}, the number of columns");
        if (matrix.Length < (long)rows * stride)
            ThrowHelper.TooShort(nameof(matrix), matrix.Length, (long)rows * stride);
        if (panel.Length < (long)columns * width)
            ThrowHelper.TooShort(nameof(panel), panel.Length, (long)columns * width);
        if (result.Length < (long)rows * width)
            ThrowHelper.TooShort(nameof(result), result.Length, (long)rows * width);

        if (Simd.Bits == 512)
            MultiplyPanelRows<T, Vector512<T>, Lanes512<T>>(matrix, rows, columns, stride, panel, result);
        else if (Simd.Bits == 256)
            MultiplyPanelRows<T, Vector256<T>, Lanes256<T>>(matrix, rows, columns, stride, panel, result);
        else
            MultiplyPanelRows<T, Vector128<T>, Lanes128<T>>(matrix, rows, columns, stride, panel, result);
    }

    private static void MultiplyPanelRows<T, V, S>(ReadOnlySpan<T> matrix, int rows, int columns, int stride, ReadOnlySpan<T> panel, Span<T> result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int width = PanelColumns<T>();
        ref T a = ref MemoryMarshal.GetReference(matrix);
        ref T b = ref MemoryMarshal.GetReference(panel);
        ref T c = ref MemoryMarshal.GetReference(result);
        for (int row = 0; row < rows; row += 4)
            PanelFourRows<T, V, S>(ref Unsafe.Add(ref a, (nint)row * stride), stride, columns, ref b, ref Unsafe.Add(ref c, (nint)row * width));
    }

    [MethodImpl(Innermost)]
    private static void PanelFourRows<T, V, S>(ref T a, nint stride, nint columns, ref T b, ref T c)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        nint width = 3 * S.Count;
        ref T a1 = ref Unsafe.Add(ref a, stride);
        ref T a2 = ref Unsafe.Add(ref a, 2 * stride);
        ref T a3 = ref Unsafe.Add(ref a, 3 * stride);
        V s00 = S.Create(T.Zero), s01 = s00, s02 = s00, s10 = s00, s11 = s00, s12 = s00;
        V s20 = s00, s21 = s00, s22 = s00, s30 = s00, s31 = s00, s32 = s00;
        for (nint j = 0; j < columns; j++)
        {
            V b0 = S.Load(ref b, 0), b1 = S.Load(ref b, lane), b2 = S.Load(ref b, 2 * lane);
            var x = S.Create(Unsafe.Add(ref a, j));
            s00 = S.MultiplyAdd(x, b0, s00);
            s01 = S.MultiplyAdd(x, b1, s01);
            s02 = S.MultiplyAdd(x, b2, s02);
            x = S.Create(Unsafe.Add(ref a1, j));
            s10 = S.MultiplyAdd(x, b0, s10);
            s11 = S.MultiplyAdd(x, b1, s11);
            s12 = S.MultiplyAdd(x, b2, s12);
            x = S.Create(Unsafe.Add(ref a2, j));
            s20 = S.MultiplyAdd(x, b0, s20);
            s21 = S.MultiplyAdd(x, b1, s21);
            s22 = S.MultiplyAdd(x, b2, s22);
            x = S.Create(Unsafe.Add(ref a3, j));
            s30 = S.MultiplyAdd(x, b0, s30);
            s31 = S.MultiplyAdd(x, b1, s31);
            s32 = S.MultiplyAdd(x, b2, s32);
            b = ref Unsafe.Add(ref b, width);
        }

        StoreThree<T, V, S>(ref c, s00, s01, s02);
        StoreThree<T, V, S>(ref Unsafe.Add(ref c, width), s10, s11, s12);
        StoreThree<T, V, S>(ref Unsafe.Add(ref c, 2 * width), s20, s21, s22);
        StoreThree<T, V, S>(ref Unsafe.Add(ref c, 3 * width), s30, s31, s32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreThree<T, V, S>(ref T c, V s0, V s1, V s2)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nuint lane = (nuint)S.Count;
        S.Store(s0, ref c, 0);
        S.Store(s1, ref c, lane);
        S.Store(s2, ref c, 2 * lane);
    }
}

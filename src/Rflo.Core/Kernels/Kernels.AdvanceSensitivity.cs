using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// An update of a matrix, with products before and after it, in one pass over memory: for every row i,
    /// <c>pull[j] += error[i] * matrix[i, j]</c> and <c>squares[j] += matrix[i, j]^2</c>, then
    /// <c>matrix[i, j] += rate * error[i] * expected[j]</c>, then <c>result[j] += signal[i] * matrix[i, j]</c>.
    /// </summary>
    /// <param name="matrix">Sensitivities, shape (post, pre), row-major with rows of <c>expected.Length</c> elements. Updated in place.</param>
    /// <param name="error">Errors of the rows, shape (post).</param>
    /// <param name="rate">Learning rate, negative for descent.</param>
    /// <param name="expected">The vector of the outer product of the update, shape (pre), whole registers.</param>
    /// <param name="signal">Learning signal of the rows, shape (post).</param>
    /// <param name="pull">Shape (pre). Added to.</param>
    /// <param name="squares">Shape (pre). Added to.</param>
    /// <param name="result">Shape (pre). Added to.</param>
    /// <param name="backward">Whether rows are taken from the last to the first, as in <see cref="Multiply"/>.</param>
    /// <exception cref="ArgumentException">A span has another length, or pre is no whole number of registers.</exception>
    /// <remarks>
    /// Several rows share the loads and stores of the three sums: eight at a time where there are 32 registers, else four.
    /// Allocates nothing; O(post * pre).
    /// </remarks>
    public static void AdvanceSensitivity<T>(
        Span<T> matrix, ReadOnlySpan<T> error, T rate, ReadOnlySpan<T> expected, ReadOnlySpan<T> signal, Span<T> pull, Span<T> squares, Span<T> result, bool backward = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int rows = error.Length, columns = expected.Length;
        if (columns % Simd.Count<T>() != 0)
            ThrowHelper.ShapeMismatch(nameof(expected), columns, Simd.Padded<T>(columns), "(whole registers)");
        if (matrix.Length < (long)rows * columns)
            ThrowHelper.ShapeMismatch(nameof(matrix), matrix.Length, (long)rows * columns, "(post, pre)");
        if (signal.Length != rows)
            ThrowHelper.ShapeMismatch(nameof(signal), signal.Length, rows, "(post)");
        if (pull.Length != columns)
            ThrowHelper.ShapeMismatch(nameof(pull), pull.Length, columns, "(pre)");
        if (squares.Length != columns)
            ThrowHelper.ShapeMismatch(nameof(squares), squares.Length, columns, "(pre)");
        if (result.Length != columns)
            ThrowHelper.ShapeMismatch(nameof(result), result.Length, columns, "(pre)");

        if (Simd.Bits == 512)
            AdvanceSensitivityRows<T, Vector512<T>, Lanes512<T>>(matrix, error, rate, expected, signal, pull, squares, result, backward);
        else if (Simd.Bits == 256)
            AdvanceSensitivityRows<T, Vector256<T>, Lanes256<T>>(matrix, error, rate, expected, signal, pull, squares, result, backward);
        else
            AdvanceSensitivityRows<T, Vector128<T>, Lanes128<T>>(matrix, error, rate, expected, signal, pull, squares, result, backward);
    }

    private static void AdvanceSensitivityRows<T, V, S>(
        Span<T> matrix, ReadOnlySpan<T> error, T rate, ReadOnlySpan<T> expected, ReadOnlySpan<T> signal, Span<T> pull, Span<T> squares, Span<T> result, bool backward)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int rows = error.Length, columns = expected.Length;
        ref T a = ref MemoryMarshal.GetReference(matrix);
        ref T e = ref MemoryMarshal.GetReference(error);
        ref T l = ref MemoryMarshal.GetReference(signal);
        ref T x = ref MemoryMarshal.GetReference(expected);
        ref T p = ref MemoryMarshal.GetReference(pull);
        ref T q = ref MemoryMarshal.GetReference(squares);
        ref T h = ref MemoryMarshal.GetReference(result);
        int size = S.HasMany ? 8 : 4, blocks = rows / size, row = size * blocks;
        for (int k = 0; k < blocks; k++)
        {
            nint first = size * (backward ? blocks - 1 - k : k);
            ref T own = ref Unsafe.Add(ref a, first * columns);
            if (S.HasMany)
                SensitivityOfEightRows<T, V, S>(ref own, columns, ref Unsafe.Add(ref e, first), rate, ref x, ref Unsafe.Add(ref l, first), ref p, ref q, ref h);
            else
                SensitivityOfFourRows<T, V, S>(ref own, columns, ref Unsafe.Add(ref e, first), rate, ref x, ref Unsafe.Add(ref l, first), ref p, ref q, ref h);
        }

        for (; row < rows; row++)
            SensitivityOfRow<T, V, S>(ref Unsafe.Add(ref a, (nint)row * columns), columns, error[row], rate, ref x, signal[row], ref p, ref q, ref h);
    }

    [MethodImpl(Innermost)]
    private static void SensitivityOfEightRows<T, V, S>(
        ref T a, nint columns, ref T error, T rate, ref T expected, ref T signal, ref T pull, ref T squares, ref T result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T a1 = ref Unsafe.Add(ref a, columns);
        ref T a2 = ref Unsafe.Add(ref a, 2 * columns);
        ref T a3 = ref Unsafe.Add(ref a, 3 * columns);
        ref T a4 = ref Unsafe.Add(ref a, 4 * columns);
        ref T a5 = ref Unsafe.Add(ref a, 5 * columns);
        ref T a6 = ref Unsafe.Add(ref a, 6 * columns);
        ref T a7 = ref Unsafe.Add(ref a, 7 * columns);
        V e0 = S.Create(error), e1 = S.Create(Unsafe.Add(ref error, 1)), e2 = S.Create(Unsafe.Add(ref error, 2)), e3 = S.Create(Unsafe.Add(ref error, 3));
        V e4 = S.Create(Unsafe.Add(ref error, 4)), e5 = S.Create(Unsafe.Add(ref error, 5)), e6 = S.Create(Unsafe.Add(ref error, 6)), e7 = S.Create(Unsafe.Add(ref error, 7));
        V l0 = S.Create(signal), l1 = S.Create(Unsafe.Add(ref signal, 1)), l2 = S.Create(Unsafe.Add(ref signal, 2)), l3 = S.Create(Unsafe.Add(ref signal, 3));
        V l4 = S.Create(Unsafe.Add(ref signal, 4)), l5 = S.Create(Unsafe.Add(ref signal, 5)), l6 = S.Create(Unsafe.Add(ref signal, 6)), l7 = S.Create(Unsafe.Add(ref signal, 7));
        var learn = S.Create(rate);
        for (nint column = 0; column < columns; column += S.Count)
        {
            nuint at = (nuint)column;
            V x = S.Multiply(learn, S.Load(ref expected, at)), p = S.Load(ref pull, at), q = S.Load(ref squares, at), h = S.Load(ref result, at);
            V one = S.Load(ref a, at);
            p = S.MultiplyAdd(e0, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e0, x, one);
            S.Store(one, ref a, at);
            h = S.MultiplyAdd(l0, one, h);
            one = S.Load(ref a1, at);
            p = S.MultiplyAdd(e1, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e1, x, one);
            S.Store(one, ref a1, at);
            h = S.MultiplyAdd(l1, one, h);
            one = S.Load(ref a2, at);
            p = S.MultiplyAdd(e2, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e2, x, one);
            S.Store(one, ref a2, at);
            h = S.MultiplyAdd(l2, one, h);
            one = S.Load(ref a3, at);
            p = S.MultiplyAdd(e3, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e3, x, one);
            S.Store(one, ref a3, at);
            h = S.MultiplyAdd(l3, one, h);
            one = S.Load(ref a4, at);
            p = S.MultiplyAdd(e4, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e4, x, one);
            S.Store(one, ref a4, at);
            h = S.MultiplyAdd(l4, one, h);
            one = S.Load(ref a5, at);
            p = S.MultiplyAdd(e5, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e5, x, one);
            S.Store(one, ref a5, at);
            h = S.MultiplyAdd(l5, one, h);
            one = S.Load(ref a6, at);
            p = S.MultiplyAdd(e6, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e6, x, one);
            S.Store(one, ref a6, at);
            h = S.MultiplyAdd(l6, one, h);
            one = S.Load(ref a7, at);
            p = S.MultiplyAdd(e7, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e7, x, one);
            S.Store(one, ref a7, at);
            h = S.MultiplyAdd(l7, one, h);
            S.Store(p, ref pull, at);
            S.Store(q, ref squares, at);
            S.Store(h, ref result, at);
        }
    }

    [MethodImpl(Innermost)]
    private static void SensitivityOfFourRows<T, V, S>(
        ref T a, nint columns, ref T error, T rate, ref T expected, ref T signal, ref T pull, ref T squares, ref T result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        ref T a1 = ref Unsafe.Add(ref a, columns);
        ref T a2 = ref Unsafe.Add(ref a, 2 * columns);
        ref T a3 = ref Unsafe.Add(ref a, 3 * columns);
        V e0 = S.Create(error), e1 = S.Create(Unsafe.Add(ref error, 1)), e2 = S.Create(Unsafe.Add(ref error, 2)), e3 = S.Create(Unsafe.Add(ref error, 3));
        V l0 = S.Create(signal), l1 = S.Create(Unsafe.Add(ref signal, 1)), l2 = S.Create(Unsafe.Add(ref signal, 2)), l3 = S.Create(Unsafe.Add(ref signal, 3));
        var learn = S.Create(rate);
        for (nint column = 0; column < columns; column += S.Count)
        {
            nuint at = (nuint)column;
            V x = S.Multiply(learn, S.Load(ref expected, at)), p = S.Load(ref pull, at), q = S.Load(ref squares, at), h = S.Load(ref result, at);
            V one = S.Load(ref a, at);
            p = S.MultiplyAdd(e0, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e0, x, one);
            S.Store(one, ref a, at);
            h = S.MultiplyAdd(l0, one, h);
            one = S.Load(ref a1, at);
            p = S.MultiplyAdd(e1, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e1, x, one);
            S.Store(one, ref a1, at);
            h = S.MultiplyAdd(l1, one, h);
            one = S.Load(ref a2, at);
            p = S.MultiplyAdd(e2, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e2, x, one);
            S.Store(one, ref a2, at);
            h = S.MultiplyAdd(l2, one, h);
            one = S.Load(ref a3, at);
            p = S.MultiplyAdd(e3, one, p);
            q = S.MultiplyAdd(one, one, q);
            one = S.MultiplyAdd(e3, x, one);
            S.Store(one, ref a3, at);
            h = S.MultiplyAdd(l3, one, h);
            S.Store(p, ref pull, at);
            S.Store(q, ref squares, at);
            S.Store(h, ref result, at);
        }
    }

    [MethodImpl(Innermost)]
    private static void SensitivityOfRow<T, V, S>(
        ref T a, nint columns, T error, T rate, ref T expected, T signal, ref T pull, ref T squares, ref T result)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        V e = S.Create(error), learn = S.Create(rate), l = S.Create(signal);
        for (nint column = 0; column < columns; column += S.Count)
        {
            nuint at = (nuint)column;
            V one = S.Load(ref a, at);
            S.Store(S.MultiplyAdd(e, one, S.Load(ref pull, at)), ref pull, at);
            S.Store(S.MultiplyAdd(one, one, S.Load(ref squares, at)), ref squares, at);
            one = S.MultiplyAdd(e, S.Multiply(learn, S.Load(ref expected, at)), one);
            S.Store(one, ref a, at);
            S.Store(S.MultiplyAdd(l, one, S.Load(ref result, at)), ref result, at);
        }
    }
}

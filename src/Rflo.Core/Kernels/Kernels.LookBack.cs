using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// Back-propagation through the steps of an isolated area, from the last to the first:
    /// <c>z[t, j] = signal[t, j] + decay[j] * z[t + 1, j] + sum over i of weights[i, j] * delta[t + 1, i]</c>, then
    /// <c>delta[t, j] = z[t, j] * post[t, j]</c>; after the last step both are 0.
    /// </summary>
    /// <param name="weights">Recurrent weights, shape (units, n), row-major.</param>
    /// <param name="units">How many rows of the weights and elements of a row there are, at most n; the rest of a row is padding, which need not be written.</param>
    /// <param name="decay">1 - dt / tau, shape (n); n is the length of every row.</param>
    /// <param name="post">alpha phi'(u) of every step, shape (steps, n).</param>
    /// <param name="credit">Learning signal of the rates of every step from the outputs; overwritten with z, shape (steps, n).</param>
    /// <param name="delta">Credit of the currents of every step, shape (steps, n). Overwritten; its length gives the number of steps.</param>
    /// <param name="column">
    /// Where the learning signal of every step is one vector times an error, <c>signal[t, j] = column[j] * errors[t * errorStride]</c>: that vector,
    /// shape (n); the values in <paramref name="credit"/> are then ignored. Empty elsewhere.
    /// </param>
    /// <param name="errors">Those errors.</param>
    /// <param name="errorStride">Elements from one step's error to the next step's.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape.</exception>
    /// <remarks>
    /// Murray (2019), Eqs 19 to 22, where no other part carries credit. There is one call for a trial, since at fifty units slicing
    /// the rows of a step costs a third of the arithmetic on them. Allocates nothing; O(steps * units * n).
    /// </remarks>
    public static void LookBack<T>(
        ReadOnlySpan<T> weights, int units, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, Span<T> credit, Span<T> delta,
        ReadOnlySpan<T> column = default, ReadOnlySpan<T> errors = default, int errorStride = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = decay.Length;
        if (units > n)
            ThrowHelper.OutOfRange(nameof(units), units, $"at most {n}, the length of a row");
        if (weights.Length < (long)units * n)
            ThrowHelper.TooShort(nameof(weights), weights.Length, (long)units * n);
        if (delta.Length % n != 0)
            ThrowHelper.OutOfRange(nameof(delta), delta.Length, $"a multiple of {n}, the length of a row");
        if (post.Length < delta.Length)
            ThrowHelper.TooShort(nameof(post), post.Length, delta.Length);
        if (credit.Length < delta.Length)
            ThrowHelper.TooShort(nameof(credit), credit.Length, delta.Length);
        int steps = delta.Length / n;
        if (column.Length > 0 && column.Length != n)
            ThrowHelper.ShapeMismatch(nameof(column), column.Length, n, "(n)");
        if (column.Length > 0 && steps > 0 && errors.Length <= (long)(steps - 1) * errorStride)
            ThrowHelper.TooShort(nameof(errors), errors.Length, (long)(steps - 1) * errorStride + 1);

        if (Simd.Bits == 512)
            LookBackSteps<T, Vector512<T>, Lanes512<T>>(weights, units, decay, post, credit, delta, column, errors, errorStride);
        else if (Simd.Bits == 256)
            LookBackSteps<T, Vector256<T>, Lanes256<T>>(weights, units, decay, post, credit, delta, column, errors, errorStride);
        else
            LookBackSteps<T, Vector128<T>, Lanes128<T>>(weights, units, decay, post, credit, delta, column, errors, errorStride);
    }

    private static void LookBackSteps<T, V, S>(
        ReadOnlySpan<T> weights, int units, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, Span<T> credit, Span<T> delta,
        ReadOnlySpan<T> column, ReadOnlySpan<T> errors, int errorStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        int n = decay.Length;
        if (n == 7 * S.Count)
        {
            if (typeof(V) == typeof(Vector512<T>) && units <= 6 * S.Count + Vector256<T>.Count)
                LookBackShort<T, V, S, Vector256<T>, Lanes256<T>>(weights, units, decay, post, credit, delta, column, errors, errorStride);
            else
                LookBackShort<T, V, S, V, S>(weights, units, decay, post, credit, delta, column, errors, errorStride);
            return;
        }

        for (int at = 0, t = 0; column.Length > 0 && at < delta.Length; at += n, t += errorStride)
            Scale(column, errors[t], credit.Slice(at, n));
        for (int at = delta.Length - n; at >= n; at -= n)
        {
            Span<T> before = credit.Slice(at - n, n), ofCurrents = delta.Slice(at, n);
            PassCreditRow<T, V, S>(credit.Slice(at, n), post.Slice(at, n), decay, ofCurrents, before);
            MultiplyColumns<T, V, S>(weights, ofCurrents[..units], before);
        }

        if (delta.Length > 0)
            System.Numerics.Tensors.TensorPrimitives.Multiply(credit[..n], post[..n], delta[..n]);
    }

    /// <summary>
    /// Rows of seven registers, as 50 to 56 doubles are in wide ones: z stays in registers from step to step. Half of the last
    /// register suffices if the other half is padding: it is loaded in half the time.
    /// </summary>
    [MethodImpl(Innermost)]
    private static void LookBackShort<T, V, S, L, R>(
        ReadOnlySpan<T> weights, int units, ReadOnlySpan<T> decay, ReadOnlySpan<T> post, Span<T> credit, Span<T> delta,
        ReadOnlySpan<T> column, ReadOnlySpan<T> errors, int errorStride)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
        where L : struct
        where R : ILanes<T, L>
    {
        nuint lane = (nuint)S.Count;
        nint stride = 7 * S.Count;
        int last = delta.Length / (int)stride - 1;
        bool isColumn = column.Length > 0;
        ref T keep = ref MemoryMarshal.GetReference(decay);
        V z0 = S.Create(T.Zero), z1 = z0, z2 = z0, z3 = z0, z4 = z0, z5 = z0;
        L z6 = R.Create(T.Zero);
        for (int step = last; step >= 0; step--)
        {
            ref T z = ref Unsafe.Add(ref MemoryMarshal.GetReference(credit), step * stride);
            ref T p = ref Unsafe.Add(ref MemoryMarshal.GetReference(post), step * stride);
            ref T d = ref Unsafe.Add(ref MemoryMarshal.GetReference(delta), step * stride);
            ref T signal = ref isColumn ? ref MemoryMarshal.GetReference(column) : ref z;
            T error = isColumn ? errors[step * errorStride] : T.One;
            var e = S.Create(error);
            z0 = S.MultiplyAdd(S.Load(ref keep, 0), z0, S.Multiply(e, S.Load(ref signal, 0)));
            z1 = S.MultiplyAdd(S.Load(ref keep, lane), z1, S.Multiply(e, S.Load(ref signal, lane)));
            z2 = S.MultiplyAdd(S.Load(ref keep, 2 * lane), z2, S.Multiply(e, S.Load(ref signal, 2 * lane)));
            z3 = S.MultiplyAdd(S.Load(ref keep, 3 * lane), z3, S.Multiply(e, S.Load(ref signal, 3 * lane)));
            z4 = S.MultiplyAdd(S.Load(ref keep, 4 * lane), z4, S.Multiply(e, S.Load(ref signal, 4 * lane)));
            z5 = S.MultiplyAdd(S.Load(ref keep, 5 * lane), z5, S.Multiply(e, S.Load(ref signal, 5 * lane)));
            z6 = R.MultiplyAdd(R.Load(ref keep, 6 * lane), z6, R.Multiply(R.Create(error), R.Load(ref signal, 6 * lane)));
            ref T w = ref MemoryMarshal.GetReference(weights);
            ref T later = ref Unsafe.Add(ref d, stride);
            int rows = step == last ? 0 : units;
            for (int i = 0; i < rows; i++)
            {
                var x = S.Create(Unsafe.Add(ref later, i));
                z0 = S.MultiplyAdd(S.Load(ref w, 0), x, z0);
                z1 = S.MultiplyAdd(S.Load(ref w, lane), x, z1);
                z2 = S.MultiplyAdd(S.Load(ref w, 2 * lane), x, z2);
                z3 = S.MultiplyAdd(S.Load(ref w, 3 * lane), x, z3);
                z4 = S.MultiplyAdd(S.Load(ref w, 4 * lane), x, z4);
                z5 = S.MultiplyAdd(S.Load(ref w, 5 * lane), x, z5);
                z6 = R.MultiplyAdd(R.Load(ref w, 6 * lane), typeof(L) == typeof(V) ? (L)(object)x : (L)(object)S.Lower(x), z6);
                w = ref Unsafe.Add(ref w, stride);
            }

            S.Store(S.Multiply(z0, S.Load(ref p, 0)), ref d, 0);
            S.Store(S.Multiply(z1, S.Load(ref p, lane)), ref d, lane);
            S.Store(S.Multiply(z2, S.Load(ref p, 2 * lane)), ref d, 2 * lane);
            S.Store(S.Multiply(z3, S.Load(ref p, 3 * lane)), ref d, 3 * lane);
            S.Store(S.Multiply(z4, S.Load(ref p, 4 * lane)), ref d, 4 * lane);
            S.Store(S.Multiply(z5, S.Load(ref p, 5 * lane)), ref d, 5 * lane);
            R.Store(R.Multiply(z6, R.Load(ref p, 6 * lane)), ref d, 6 * lane);
            S.Store(z0, ref z, 0);
            S.Store(z1, ref z, lane);
            S.Store(z2, ref z, 2 * lane);
            S.Store(z3, ref z, 3 * lane);
            S.Store(z4, ref z, 4 * lane);
            S.Store(z5, ref z, 5 * lane);
            R.Store(z6, ref z, 6 * lane);
        }
    }
}

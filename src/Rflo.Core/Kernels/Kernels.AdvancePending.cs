using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

internal static partial class Kernels
{
    /// <summary>
    /// One step of weight changes that are kept as products over the steps s of a trial instead of being made: for every s,
    /// <c>memory[s, i] = decay[i] * memory[s, i]</c>, then <c>change[s, i] += told[i] * memory[s, i]</c>, then
    /// <c>current[i] += overlap[s] * change[s, i]</c>.
    /// </summary>
    /// <param name="memory">What is left of the postsynaptic factors of earlier steps, rows of <c>decay.Length</c> elements. Updated in place.</param>
    /// <param name="change">What those steps' presynaptic factors are to be multiplied with, same shape. Updated in place.</param>
    /// <param name="overlap">Inner product of the signals in hand with the presynaptic factors of each step, shape (steps).</param>
    /// <param name="decay">What is left of a unit's traces after one step, shape (n), whole registers.</param>
    /// <param name="told">Learning signal of the step, shape (n).</param>
    /// <param name="current">Currents of the step in hand, shape (n). Added to.</param>
    /// <exception cref="ArgumentException">A span is too short for its shape, or n is no whole number of registers.</exception>
    /// <remarks>Sums stay in registers over all steps. Allocates nothing; O(steps * n).</remarks>
    public static void AdvancePending<T>(
        Span<T> memory, Span<T> change, ReadOnlySpan<T> overlap, ReadOnlySpan<T> decay, ReadOnlySpan<T> told, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int n = decay.Length, steps = overlap.Length;
        if (n % Simd.Count<T>() != 0)
            ThrowHelper.ShapeMismatch(nameof(decay), n, Simd.Padded<T>(n), "(whole registers)");
        if (told.Length != n)
            ThrowHelper.ShapeMismatch(nameof(told), told.Length, n, "(n)");
        if (current.Length != n)
            ThrowHelper.ShapeMismatch(nameof(current), current.Length, n, "(n)");
        if (memory.Length < steps * n)
            ThrowHelper.TooShort(nameof(memory), memory.Length, steps * n);
        if (change.Length < steps * n)
            ThrowHelper.TooShort(nameof(change), change.Length, steps * n);

        if (Simd.IsWide)
            AdvancePendingUnits<T, Vector512<T>, Lanes512<T>>(memory, change, overlap, decay, told, current);
        else
            AdvancePendingUnits<T, Vector256<T>, Lanes256<T>>(memory, change, overlap, decay, told, current);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AdvancePendingUnits<T, V, S>(
        Span<T> memory, Span<T> change, ReadOnlySpan<T> overlap, ReadOnlySpan<T> decay, ReadOnlySpan<T> told, Span<T> current)
        where T : unmanaged, IFloatingPointIeee754<T>
        where V : struct
        where S : ILanes<T, V>
    {
        nint n = decay.Length;
        ref T g = ref MemoryMarshal.GetReference(overlap);
        int unit = 0;
        for (; unit + 2 * S.Count <= n; unit += 2 * S.Count)
        {
            nuint at = (nuint)unit, second = at + (nuint)S.Count;
            V keep0 = S.Load(ref MemoryMarshal.GetReference(decay), at), keep1 = S.Load(ref MemoryMarshal.GetReference(decay), second);
            V learn0 = S.Load(ref MemoryMarshal.GetReference(told), at), learn1 = S.Load(ref MemoryMarshal.GetReference(told), second);
            V sum0 = S.Load(ref MemoryMarshal.GetReference(current), at), sum1 = S.Load(ref MemoryMarshal.GetReference(current), second);
            ref T q = ref MemoryMarshal.GetReference(memory);
            ref T c = ref MemoryMarshal.GetReference(change);
            for (int s = 0; s < overlap.Length; s++)
            {
                var share = S.Create(Unsafe.Add(ref g, s));
                V left = S.Multiply(keep0, S.Load(ref q, at));
                S.Store(left, ref q, at);
                left = S.MultiplyAdd(learn0, left, S.Load(ref c, at));
                S.Store(left, ref c, at);
                sum0 = S.MultiplyAdd(share, left, sum0);
                left = S.Multiply(keep1, S.Load(ref q, second));
                S.Store(left, ref q, second);
                left = S.MultiplyAdd(learn1, left, S.Load(ref c, second));
                S.Store(left, ref c, second);
                sum1 = S.MultiplyAdd(share, left, sum1);
                q = ref Unsafe.Add(ref q, n);
                c = ref Unsafe.Add(ref c, n);
            }

            S.Store(sum0, ref MemoryMarshal.GetReference(current), at);
            S.Store(sum1, ref MemoryMarshal.GetReference(current), second);
        }

        // An odd number of registers leaves one.
        for (; unit < n; unit += S.Count)
        {
            nuint at = (nuint)unit;
            V keep = S.Load(ref MemoryMarshal.GetReference(decay), at), learn = S.Load(ref MemoryMarshal.GetReference(told), at);
            V sum = S.Load(ref MemoryMarshal.GetReference(current), at);
            ref T q = ref MemoryMarshal.GetReference(memory);
            ref T c = ref MemoryMarshal.GetReference(change);
            for (int s = 0; s < overlap.Length; s++)
            {
                V left = S.Multiply(keep, S.Load(ref q, at));
                S.Store(left, ref q, at);
                left = S.MultiplyAdd(learn, left, S.Load(ref c, at));
                S.Store(left, ref c, at);
                sum = S.MultiplyAdd(S.Create(Unsafe.Add(ref g, s)), left, sum);
                q = ref Unsafe.Add(ref q, n);
                c = ref Unsafe.Add(ref c, n);
            }

            S.Store(sum, ref MemoryMarshal.GetReference(current), at);
        }
    }
}

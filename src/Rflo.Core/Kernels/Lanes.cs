using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

/// <summary>
/// The vector operations of the kernels, for one width of registers: each kernel is written once against this and
/// compiled for every width. <typeparamref name="V"/> is the register type itself, without a wrapper.
/// </summary>
/// <typeparam name="T">double or float.</typeparam>
/// <typeparam name="V">The register.</typeparam>
internal interface ILanes<T, V>
    where T : unmanaged, IFloatingPointIeee754<T>
    where V : struct
{
    /// <summary>Elements in a register.</summary>
    static abstract int Count { get; }

    /// <summary>Whether there are 32 registers instead of 16, so that twice as many rows may be taken at once.</summary>
    static abstract bool HasMany { get; }

    /// <summary>All elements the same.</summary>
    static abstract V Create(T value);

    /// <summary>Elements at .. at + Count - 1.</summary>
    static abstract V Load(ref T from, nuint at);

    static abstract void Store(V value, ref T to, nuint at);

    /// <summary>The first 256 bits of a wider register; kernels that use it have no narrower ones.</summary>
    static abstract Vector256<T> Lower(V value);

    /// <summary>The first 256 bits from <paramref name="half"/>, and the rest from <paramref name="value"/>.</summary>
    static abstract V WithLower(V value, Vector256<T> half);

    /// <summary>a * b + c, rounded once, or twice where <see cref="Simd.IsFused"/> is false.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    static abstract V Add(V a, V b);

    static abstract V Subtract(V a, V b);

    static abstract V Multiply(V a, V b);

    static abstract V Divide(V a, V b);

    /// <summary>Each element without its sign.</summary>
    static abstract V Abs(V value);

    /// <summary>The smaller of the two; <paramref name="b"/> where that is NaN.</summary>
    static abstract V Min(V a, V b);

    /// <summary>The nearest whole numbers, ties to even.</summary>
    static abstract V Round(V value);

    /// <summary>Elements of <paramref name="value"/> that are not negative, with the signs of <paramref name="sign"/>.</summary>
    static abstract V WithSign(V value, V sign);

    /// <summary>2 to the power of whole numbers from 0 to 100.</summary>
    static abstract V PowerOfTwo(V exponent);

    /// <summary>The sum of all elements, in an order that depends on the width alone: the same for one register as among several.</summary>
    static abstract T Sum(V value);

    /// <summary>The sums of two registers at once, to <paramref name="to"/> and the place behind it.</summary>
    static abstract void StoreSums(V s0, V s1, ref T to);

    /// <summary>
    /// The sums of four registers at once, to <paramref name="to"/> and the three places behind it: adding registers
    /// crosswise takes a third of the work of four separate sums.
    /// </summary>
    static abstract void StoreSums(V s0, V s1, V s2, V s3, ref T to);

    /// <summary>
    /// The sums of eight registers at once, written by as few stores as the register allows: a load that spans two stores
    /// must wait until both are complete.
    /// </summary>
    static abstract void StoreSums(V s0, V s1, V s2, V s3, V s4, V s5, V s6, V s7, ref T to);
}

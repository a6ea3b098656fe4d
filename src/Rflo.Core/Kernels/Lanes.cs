using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rflo.Core;

/// <summary>
/// The vector operations of the kernels, for one width of registers: each kernel is written once against this and
/// compiled for both widths. <typeparamref name="V"/> is the register itself, so nothing stands between the two.
/// </summary>
/// <typeparam name="T">double or float.</typeparam>
/// <typeparam name="V">The register.</typeparam>
internal interface ILanes<T, V>
    where T : unmanaged, IFloatingPointIeee754<T>
    where V : struct
{
    /// <summary>Elements in a register.</summary>
    static abstract int Count { get; }

    /// <summary>All elements the same.</summary>
    static abstract V Create(T value);

    /// <summary>Elements at .. at + Count - 1.</summary>
    static abstract V Load(ref T from, nuint at);

    static abstract void Store(V value, ref T to, nuint at);

    /// <summary>The first 256 bits.</summary>
    static abstract Vector256<T> Lower(V value);

    /// <summary>The first 256 bits from <paramref name="half"/>, and what <paramref name="value"/> has behind them.</summary>
    static abstract V WithLower(V value, Vector256<T> half);

    /// <summary>a * b + c, rounded once.</summary>
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
    /// waits for both.
    /// </summary>
    static abstract void StoreSums(V s0, V s1, V s2, V s3, V s4, V s5, V s6, V s7, ref T to);
}

/// <summary>Registers of 256 bits: four doubles or eight floats.</summary>
internal readonly struct Lanes256<T> : ILanes<T, Vector256<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector256<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Create(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(ref T from, nuint at) => Vector256.LoadUnsafe(ref from, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<T> value, ref T to, nuint at) => value.StoreUnsafe(ref to, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Lower(Vector256<T> value) => value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> WithLower(Vector256<T> value, Vector256<T> half) => half;

    // The type tests are constants to the JIT, so one instruction remains.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c)
    {
        if (typeof(T) == typeof(double))
            return Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
        if (typeof(T) == typeof(float))
            return Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>();
        return a * b + c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> a, Vector256<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Subtract(Vector256<T> a, Vector256<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> a, Vector256<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Divide(Vector256<T> a, Vector256<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Abs(Vector256<T> value) => Vector256.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Min(Vector256<T> a, Vector256<T> b) => Vector256.ConditionalSelect(Vector256.LessThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Round(Vector256<T> value)
    {
        if (typeof(T) == typeof(double))
            return Vector256.Round(value.AsDouble()).As<double, T>();
        return Vector256.Round(value.AsSingle()).As<float, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> WithSign(Vector256<T> value, Vector256<T> sign) => value | (sign & Vector256.Create(-T.Zero));

    // Adding 2^52 (2^23) leaves the whole number in the lowest bits of the fraction; a shift makes it the exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> PowerOfTwo(Vector256<T> exponent)
    {
        if (typeof(T) == typeof(double))
            return Vector256.ShiftLeft((exponent.AsDouble() + Vector256.Create(4503599627370496.0 + 1023)).AsInt64(), 52).As<long, T>();
        return Vector256.ShiftLeft((exponent.AsSingle() + Vector256.Create(8388608f + 127)).AsInt32(), 23).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> value) => FourSums(value, value, value, value).ToScalar();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector256<T> s0, Vector256<T> s1, ref T to)
    {
        if (typeof(T) == typeof(double) && Avx.IsSupported)
        {
            Vector256<double> a = Avx.HorizontalAdd(s0.AsDouble(), s1.AsDouble());
            (a.GetLower() + a.GetUpper()).As<double, T>().StoreUnsafe(ref to);
            return;
        }

        to = Sum(s0);
        Unsafe.Add(ref to, 1) = Sum(s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector256<T> s0, Vector256<T> s1, Vector256<T> s2, Vector256<T> s3, ref T to)
    {
        Vector256<T> sums = FourSums(s0, s1, s2, s3);
        if (typeof(T) == typeof(double))
            sums.StoreUnsafe(ref to);
        else
            sums.GetLower().StoreUnsafe(ref to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(
        Vector256<T> s0, Vector256<T> s1, Vector256<T> s2, Vector256<T> s3, Vector256<T> s4, Vector256<T> s5, Vector256<T> s6, Vector256<T> s7, ref T to)
    {
        Vector256<T> first = FourSums(s0, s1, s2, s3), second = FourSums(s4, s5, s6, s7);
        if (typeof(T) == typeof(double))
        {
            first.StoreUnsafe(ref to);
            second.StoreUnsafe(ref to, 4);
        }
        else
        {
            first.WithUpper(second.GetLower()).StoreUnsafe(ref to);
        }
    }

    /// <summary>The sums of four registers as the first four elements: neighbours, then pairs, then what is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> FourSums(Vector256<T> s0, Vector256<T> s1, Vector256<T> s2, Vector256<T> s3)
    {
        if (!Avx.IsSupported)
            return Vector256<T>.Zero.WithElement(0, Vector256.Sum(s0)).WithElement(1, Vector256.Sum(s1)).WithElement(2, Vector256.Sum(s2)).WithElement(3, Vector256.Sum(s3));
        if (typeof(T) == typeof(double))
        {
            // (s0 s1 s0 s1) and (s2 s3 s2 s3) become (s0 s1 s2 s3).
            Vector256<double> a = Avx.HorizontalAdd(s0.AsDouble(), s1.AsDouble()), b = Avx.HorizontalAdd(s2.AsDouble(), s3.AsDouble());
            return (Avx.Permute2x128(a, b, 0x20) + Avx.Permute2x128(a, b, 0x31)).As<double, T>();
        }

        Vector256<float> c = Avx.HorizontalAdd(s0.AsSingle(), s1.AsSingle()), d = Avx.HorizontalAdd(s2.AsSingle(), s3.AsSingle());
        Vector256<float> halves = Avx.HorizontalAdd(c, d);
        return (halves.GetLower() + halves.GetUpper()).ToVector256Unsafe().As<float, T>();
    }
}

/// <summary>Registers of 512 bits: eight doubles or sixteen floats, where the processor has them.</summary>
internal readonly struct Lanes512<T> : ILanes<T, Vector512<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector512<T>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Create(T value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Load(ref T from, nuint at) => Vector512.LoadUnsafe(ref from, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<T> value, ref T to, nuint at) => value.StoreUnsafe(ref to, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Lower(Vector512<T> value) => value.GetLower();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> WithLower(Vector512<T> value, Vector256<T> half) => value.WithLower(half);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c)
    {
        if (typeof(T) == typeof(double))
            return Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
        if (typeof(T) == typeof(float))
            return Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>();
        return a * b + c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> a, Vector512<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Subtract(Vector512<T> a, Vector512<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> a, Vector512<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Divide(Vector512<T> a, Vector512<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Abs(Vector512<T> value) => Vector512.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Min(Vector512<T> a, Vector512<T> b) => Vector512.ConditionalSelect(Vector512.LessThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Round(Vector512<T> value)
    {
        if (typeof(T) == typeof(double))
            return Vector512.Round(value.AsDouble()).As<double, T>();
        return Vector512.Round(value.AsSingle()).As<float, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> WithSign(Vector512<T> value, Vector512<T> sign) => value | (sign & Vector512.Create(-T.Zero));

    // Adding 2^52 (2^23) leaves the whole number in the lowest bits of the fraction; a shift makes it the exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> PowerOfTwo(Vector512<T> exponent)
    {
        if (typeof(T) == typeof(double))
            return Vector512.ShiftLeft((exponent.AsDouble() + Vector512.Create(4503599627370496.0 + 1023)).AsInt64(), 52).As<long, T>();
        return Vector512.ShiftLeft((exponent.AsSingle() + Vector512.Create(8388608f + 127)).AsInt32(), 23).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector512<T> value)
    {
        if (typeof(T) == typeof(double) && Avx512F.IsSupported)
            return FourSums(value.AsDouble(), value.AsDouble(), value.AsDouble(), value.AsDouble()).As<double, T>().ToScalar();
        return Lanes256<T>.Sum(Halved(value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector512<T> s0, Vector512<T> s1, ref T to)
    {
        to = Sum(s0);
        Unsafe.Add(ref to, 1) = Sum(s1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector512<T> s0, Vector512<T> s1, Vector512<T> s2, Vector512<T> s3, ref T to)
    {
        if (typeof(T) == typeof(double) && Avx512F.IsSupported)
            FourSums(s0.AsDouble(), s1.AsDouble(), s2.AsDouble(), s3.AsDouble()).As<double, T>().StoreUnsafe(ref to);
        else
            Lanes256<T>.StoreSums(Halved(s0), Halved(s1), Halved(s2), Halved(s3), ref to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(
        Vector512<T> s0, Vector512<T> s1, Vector512<T> s2, Vector512<T> s3, Vector512<T> s4, Vector512<T> s5, Vector512<T> s6, Vector512<T> s7, ref T to)
    {
        if (typeof(T) == typeof(double) && Avx512F.IsSupported)
        {
            Vector512<double> a = Pairs(s0.AsDouble(), s1.AsDouble(), s2.AsDouble(), s3.AsDouble());
            Vector512<double> b = Pairs(s4.AsDouble(), s5.AsDouble(), s6.AsDouble(), s7.AsDouble());
            Quarters(a, b).As<double, T>().StoreUnsafe(ref to);
        }
        else
        {
            Lanes256<T>.StoreSums(Halved(s0), Halved(s1), Halved(s2), Halved(s3), Halved(s4), Halved(s5), Halved(s6), Halved(s7), ref to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Halved(Vector512<T> value) => value.GetLower() + value.GetUpper();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> FourSums(Vector512<double> s0, Vector512<double> s1, Vector512<double> s2, Vector512<double> s3)
    {
        Vector512<double> pairs = Pairs(s0, s1, s2, s3);
        return Quarters(pairs, pairs).GetLower();
    }

    /// <summary>Neighbours added, (s0 s1) in each quarter and (s2 s3) in each quarter, then quarters: (s0 s1 s0 s1 s2 s3 s2 s3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Pairs(Vector512<double> s0, Vector512<double> s1, Vector512<double> s2, Vector512<double> s3) => Quarters(
        Avx512F.UnpackLow(s0, s1) + Avx512F.UnpackHigh(s0, s1), Avx512F.UnpackLow(s2, s3) + Avx512F.UnpackHigh(s2, s3));

    /// <summary>Quarters 0 + 1 and 2 + 3 of each of the two, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Quarters(Vector512<double> a, Vector512<double> b) =>
        Avx512F.Shuffle4x128(a, b, 0x88) + Avx512F.Shuffle4x128(a, b, 0xDD);
}

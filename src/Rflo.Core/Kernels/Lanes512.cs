using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rflo.Core;

/// <summary>Registers of 512 bits: eight doubles or sixteen floats, where the processor has them.</summary>
internal readonly struct Lanes512<T> : ILanes<T, Vector512<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector512<T>.Count;

    public static bool HasMany => true;

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
        if (!Simd.IsFused)
            return a * b + c;
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

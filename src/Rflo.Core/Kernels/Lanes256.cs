using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rflo.Core;

/// <summary>Registers of 256 bits: four doubles or eight floats.</summary>
internal readonly struct Lanes256<T> : ILanes<T, Vector256<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector256<T>.Count;

    public static bool HasMany => false;

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
        if (!Simd.IsFused)
            return a * b + c;
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

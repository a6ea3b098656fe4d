using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rflo.Core;

/// <summary>Registers of 128 bits: two doubles or four floats. ARM and old x64 have no wider ones.</summary>
internal readonly struct Lanes128<T> : ILanes<T, Vector128<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector128<T>.Count;

    public static bool HasMany => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Create(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(ref T from, nuint at) => Vector128.LoadUnsafe(ref from, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<T> value, ref T to, nuint at) => value.StoreUnsafe(ref to, at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Lower(Vector128<T> value) => value.ToVector256Unsafe();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> WithLower(Vector128<T> value, Vector256<T> half) => half.GetLower();

    // The type tests are constants to the JIT, so one instruction remains.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> a, Vector128<T> b, Vector128<T> c)
    {
        if (!Simd.IsFused)
            return a * b + c;
        if (typeof(T) == typeof(double))
            return Vector128.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();
        if (typeof(T) == typeof(float))
            return Vector128.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>();
        return a * b + c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Subtract(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Divide(Vector128<T> a, Vector128<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Abs(Vector128<T> value) => Vector128.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Min(Vector128<T> a, Vector128<T> b) => Vector128.ConditionalSelect(Vector128.LessThan(a, b), a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Round(Vector128<T> value)
    {
        if (typeof(T) == typeof(double))
            return Vector128.Round(value.AsDouble()).As<double, T>();
        return Vector128.Round(value.AsSingle()).As<float, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> WithSign(Vector128<T> value, Vector128<T> sign) => value | (sign & Vector128.Create(-T.Zero));

    // Adding 2^52 (2^23) leaves the whole number in the lowest bits of the fraction; a shift makes it the exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> PowerOfTwo(Vector128<T> exponent)
    {
        if (typeof(T) == typeof(double))
            return Vector128.ShiftLeft((exponent.AsDouble() + Vector128.Create(4503599627370496.0 + 1023)).AsInt64(), 52).As<long, T>();
        return Vector128.ShiftLeft((exponent.AsSingle() + Vector128.Create(8388608f + 127)).AsInt32(), 23).As<int, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector128<T> value)
    {
        T pair = value.GetElement(0) + value.GetElement(1);
        return typeof(T) == typeof(double) ? pair : pair + (value.GetElement(2) + value.GetElement(3));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector128<T> s0, Vector128<T> s1, ref T to)
    {
        Vector128<T> pairs = Pairs(s0, s1);
        if (typeof(T) == typeof(double))
            pairs.StoreUnsafe(ref to);
        else
            Pairs(pairs, pairs).GetLower().StoreUnsafe(ref to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(Vector128<T> s0, Vector128<T> s1, Vector128<T> s2, Vector128<T> s3, ref T to)
    {
        if (typeof(T) == typeof(double))
        {
            Pairs(s0, s1).StoreUnsafe(ref to);
            Pairs(s2, s3).StoreUnsafe(ref to, 2);
        }
        else
        {
            Pairs(Pairs(s0, s1), Pairs(s2, s3)).StoreUnsafe(ref to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSums(
        Vector128<T> s0, Vector128<T> s1, Vector128<T> s2, Vector128<T> s3, Vector128<T> s4, Vector128<T> s5, Vector128<T> s6, Vector128<T> s7, ref T to)
    {
        StoreSums(s0, s1, s2, s3, ref to);
        StoreSums(s4, s5, s6, s7, ref Unsafe.Add(ref to, 4));
    }

    /// <summary>Neighbours added: those of the first register, then those of the second.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> Pairs(Vector128<T> a, Vector128<T> b)
    {
        if (typeof(T) == typeof(double))
        {
            Vector128<double> x = a.AsDouble(), y = b.AsDouble();
            if (Sse2.IsSupported)
                return (Sse2.UnpackLow(x, y) + Sse2.UnpackHigh(x, y)).As<double, T>();
            if (AdvSimd.Arm64.IsSupported)
                return AdvSimd.Arm64.AddPairwise(x, y).As<double, T>();
            return Vector128.Create(x.GetElement(0) + x.GetElement(1), y.GetElement(0) + y.GetElement(1)).As<double, T>();
        }

        Vector128<float> c = a.AsSingle(), d = b.AsSingle();
        if (Sse.IsSupported)
            return (Sse.Shuffle(c, d, 0x88) + Sse.Shuffle(c, d, 0xDD)).As<float, T>();
        if (AdvSimd.Arm64.IsSupported)
            return AdvSimd.Arm64.AddPairwise(c, d).As<float, T>();
        return Vector128.Create(
            c.GetElement(0) + c.GetElement(1), c.GetElement(2) + c.GetElement(3), d.GetElement(0) + d.GetElement(1), d.GetElement(2) + d.GetElement(3)).As<float, T>();
    }
}

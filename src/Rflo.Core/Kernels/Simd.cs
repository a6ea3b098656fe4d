using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>The few vector operations that the generic kernels need and that .NET offers for double and float only.</summary>
internal static class Simd
{
    /// <summary>
    /// <c>a * b + c</c>, rounded once. The type tests are constants to the JIT, so one instruction remains.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> MultiplyAdd<T>(Vector<T> a, Vector<T> b, Vector<T> c)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(double))
            return Vector.FusedMultiplyAdd(a.As<T, double>(), b.As<T, double>(), c.As<T, double>()).As<double, T>();
        if (typeof(T) == typeof(float))
            return Vector.FusedMultiplyAdd(a.As<T, float>(), b.As<T, float>(), c.As<T, float>()).As<float, T>();
        return a * b + c;
    }

    /// <summary>The number of lanes to which rows are padded: whole vectors, and whole blocks of four rows.</summary>
    public static int Lanes<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => Math.Max(4, Vector<T>.Count);

    /// <summary><paramref name="length"/> rounded up to whole vectors (see <see cref="Lanes{T}"/>).</summary>
    public static int Padded<T>(int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int lanes = Lanes<T>();
        return (length + lanes - 1) / lanes * lanes;
    }
}

using System.Numerics;
using System.Runtime.Intrinsics;

namespace Rflo.Core;

/// <summary>How wide this machine's registers are, and what follows for the layout of rows.</summary>
internal static class Simd
{
    /// <summary>Whether registers of 512 bits are used. A constant to the JIT, so the other branch of a kernel vanishes.</summary>
    public static bool IsWide => Vector512.IsHardwareAccelerated;

    /// <summary>Elements of type <typeparamref name="T"/> in a register.</summary>
    public static int Count<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => IsWide ? Vector512<T>.Count : Vector256<T>.Count;

    /// <summary><paramref name="length"/> rounded up to whole registers, so that rows need no scalar rest.</summary>
    public static int Padded<T>(int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int lanes = Count<T>();
        return (length + lanes - 1) / lanes * lanes;
    }
}

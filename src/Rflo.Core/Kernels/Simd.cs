using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rflo.Core;

/// <summary>The width of the registers that kernels use, and the layout of rows that follows from it.</summary>
internal static class Simd
{
    /// <summary>The environment variable that sets <see cref="Bits"/>, so that tests run every width on every machine.</summary>
    public const string Switch = "RFLO_REGISTERS";

    /// <summary>
    /// Bits of a register: 512, 256 or 128. The widest that this machine has, or the value of <see cref="Switch"/>, emulated in software where the machine lacks it.
    /// A constant to the JIT once a method is hot, so the other branches of a kernel vanish.
    /// </summary>
    public static readonly int Bits = Chosen(Environment.GetEnvironmentVariable(Switch));

    /// <summary>
    /// Whether a * b + c is one instruction, rounded once. Where there is no such instruction, it would be a slow call: there it is rounded twice, in
    /// registers and in single elements alike.
    /// </summary>
    public static bool IsFused => Fma.IsSupported || AdvSimd.IsSupported;

    /// <summary>Elements of type <typeparamref name="T"/> in a register.</summary>
    public static int Count<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => Bits / 8 / Unsafe.SizeOf<T>();

    /// <summary>The same for kernels that are limited by stores, which use at most 256 bits.</summary>
    public static int NarrowCount<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => Math.Min(Bits, 256) / 8 / Unsafe.SizeOf<T>();

    /// <summary>
    /// <paramref name="length"/> rounded up to whole registers, so that rows need no scalar remainder, and to blocks of four, the blocks
    /// of rows in products.
    /// </summary>
    public static int Padded<T>(int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int lanes = Math.Max(4, Count<T>());
        return (length + lanes - 1) / lanes * lanes;
    }

    /// <summary>a * b + c as registers compute it: see <see cref="IsFused"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd<T>(T a, T b, T c)
        where T : unmanaged, IFloatingPointIeee754<T> => IsFused ? T.FusedMultiplyAdd(a, b, c) : a * b + c;

    private static int Chosen(string? wanted) => wanted switch
    {
        null or "" => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated && Fma.IsSupported ? 256 : 128,
        "512" => 512,
        "256" => 256,
        "128" => 128,
        _ => throw new InvalidOperationException($"{Switch} is {wanted}; registers have 512, 256 or 128 bits"),
    };
}

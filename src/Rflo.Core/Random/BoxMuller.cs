using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// Normal draws from random words (Box and Muller 1958): the radius from one word, the angle from another. Only operations that
/// every processor rounds alike (no fused multiplication, no library's logarithm), so that the numbers have the same bits
/// everywhere. They reach to 8.49 standard deviations; beyond lies a probability of 2e-17.
/// </summary>
internal static class BoxMuller
{
    private const ulong One = 0x3FF0000000000000, Fraction = 0x000FFFFFFFFFFFFF, Sign = 1UL << 63, Swap = 1UL << 62;

    /// <summary>Independent draws with mean 0 and standard deviation 1.</summary>
    /// <param name="words">Random words: the first half for radii, the second for angles.</param>
    /// <param name="normals">Overwritten, one for each word.</param>
    public static void Transform(ReadOnlySpan<ulong> words, Span<double> normals)
    {
        int half = words.Length / 2;
        for (int k = 0; k < half; k += Vector<ulong>.Count)
        {
            Vector<double> radius = Radius(new Vector<ulong>(words[k..]));
            (Vector<double> first, Vector<double> second) = Direction(new Vector<ulong>(words[(half + k)..]));
            (radius * first).CopyTo(normals[k..]);
            (radius * second).CopyTo(normals[(half + k)..]);
        }
    }

    /// <summary>sqrt(-2 ln u), u uniform in (0, 1] from the upper 52 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> Radius(Vector<ulong> word)
    {
        Vector<double> uniform = new Vector<double>(2) - Vector.AsVectorDouble((word >>> 12) | new Vector<ulong>(One));
        return Vector.SquareRoot(new Vector<double>(-2) * Log(uniform));
    }

    /// <summary>
    /// ln u for u in [2^-52, 1], as in Sun's fdlibm: u = 2^e (1 + f) with 1 + f between sqrt(1/2) and sqrt 2, and a series in
    /// f / (2 + f). Off by less than one unit in the last place.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<double> Log(Vector<double> u)
    {
        // 64 is added to the exponent, so that it stays positive in the field of the exponent.
        Vector<ulong> bits = Vector.AsVectorUInt64(u);
        Vector<ulong> raised = bits - new Vector<ulong>(0x3FE6A09E667F3BCD - (64UL << 52));
        Vector<double> exponent = Vector.AsVectorDouble((raised >>> 52) | new Vector<ulong>(0x4330000000000000)) - new Vector<double>(4503599627370496.0 + 64);
        Vector<ulong> mantissa = bits - (raised & new Vector<ulong>(~Fraction)) + new Vector<ulong>(64UL << 52);
        Vector<double> f = Vector.AsVectorDouble(mantissa) - Vector<double>.One;
        Vector<double> s = f / (new Vector<double>(2) + f), z = s * s, w = z * z;
        Vector<double> even = w * (new Vector<double>(3.999999999940941908e-01)
            + w * (new Vector<double>(2.222219843214978396e-01) + w * new Vector<double>(1.531383769920937332e-01)));
        Vector<double> odd = z * (new Vector<double>(6.666666666666735130e-01)
            + w * (new Vector<double>(2.857142874366239149e-01)
                + w * (new Vector<double>(1.818357216161805012e-01) + w * new Vector<double>(1.479819860511658591e-01))));
        Vector<double> square = new Vector<double>(0.5) * f * f;
        Vector<double> rest = s * (square + even + odd) + exponent * new Vector<double>(1.90821492927058770002e-10);
        return exponent * new Vector<double>(6.93147180369123816490e-01) - (square - rest - f);
    }

    /// <summary>
    /// Cosine and sine of a uniform angle: an angle x within a quarter turn from the lower 52 bits, then the upper bits
    /// choose among the four quarters (c, s), (s, c), (-c, -s), (-s, -c). The polynomials are fdlibm's.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector<double> First, Vector<double> Second) Direction(Vector<ulong> word)
    {
        // Half a last place is added, so that x has the same values on both sides of 0.
        Vector<double> turn = Vector.AsVectorDouble((word & new Vector<ulong>(Fraction)) | new Vector<ulong>(One)) - new Vector<double>(1.5)
            + new Vector<double>(1.0 / (1L << 53));
        Vector<double> x = turn * new Vector<double>(Math.PI / 2), z = x * x;
        Vector<double> sine = new Vector<double>(8.33333333332248946124e-03)
            + z * (new Vector<double>(-1.98412698298579493134e-04)
                + z * (new Vector<double>(2.75573137070700676789e-06)
                    + z * (new Vector<double>(-2.50507602534068634195e-08) + z * new Vector<double>(1.58969099521155010221e-10))));
        sine = x + z * x * (new Vector<double>(-1.66666666666666324348e-01) + z * sine);
        Vector<double> cosine = z * (new Vector<double>(4.16666666666666019037e-02)
            + z * (new Vector<double>(-1.38888888888741095749e-03)
                + z * (new Vector<double>(2.48015872894767294178e-05)
                    + z * (new Vector<double>(-2.75573143513906633035e-07)
                        + z * (new Vector<double>(2.08757232129817482790e-09) + z * new Vector<double>(-1.13596475577881948265e-11))))));
        cosine = Vector<double>.One - (new Vector<double>(0.5) * z - z * cosine);
        Vector<ulong> sign = word & new Vector<ulong>(Sign);
        Vector<ulong> c = Vector.AsVectorUInt64(cosine) ^ sign, s = Vector.AsVectorUInt64(sine) ^ sign;
        Vector<ulong> straight = Vector.Equals(word & new Vector<ulong>(Swap), Vector<ulong>.Zero);
        return (
            Vector.AsVectorDouble(Vector.ConditionalSelect(straight, c, s)),
            Vector.AsVectorDouble(Vector.ConditionalSelect(straight, s, c)));
    }
}

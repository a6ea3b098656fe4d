using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Rflo.Runs;

/// <summary>The element types that are read, and how each becomes a double.</summary>
internal static class NpyElement
{
    /// <summary>The types that are read, for messages.</summary>
    public const string Allowed = "float64, float32, int64, int32 and bool";

    /// <summary>Largest whole number up to which a double holds every one.</summary>
    private const long LargestExact = 1L << 53;

    /// <summary>Bytes of one element; 0 for a type that is not read.</summary>
    public static int Size(string descriptor) => descriptor switch
    {
        "<f8" or ">f8" or "=f8" or "<i8" or ">i8" or "=i8" => 8,
        "<f4" or ">f4" or "=f4" or "<i4" or ">i4" or "=i4" => 4,
        "|b1" => 1,
        _ => 0,
    };

    /// <summary>How to convert a type that is not read to one that is.</summary>
    public static string Remedy(string descriptor) => descriptor.TrimStart('<', '>', '=', '|') is { Length: > 0 } type
        ? type[0] switch
        {
            '[' => "Save each field as an array of its own.",
            'c' => "Save its real and its imaginary part, each as an array of its own.",
            'M' or 'm' or 'S' or 'U' or 'V' => "Save arrays of numbers.",
            _ => "Convert it with astype(float) before saving.",
        }
        : "Save arrays of numbers.";

    /// <summary>Does the type hold Python objects, which only running code can restore?</summary>
    public static bool IsPickled(string descriptor) => descriptor.Contains('O');

    /// <summary>Fills <paramref name="values"/> from as many elements. Gives the first whole number that no double holds, else null.</summary>
    /// <param name="descriptor">A type whose <see cref="Size"/> is not 0.</param>
    /// <param name="bytes">The elements; may be the memory of <paramref name="values"/> where an element has 8 bytes. Changed.</param>
    /// <param name="values">Where the doubles go.</param>
    public static long? Decode(string descriptor, Span<byte> bytes, Span<double> values)
    {
        bool swap = descriptor[0] == '>';
        switch (descriptor[^2..])
        {
            case "f8":
                Span<long> bits = MemoryMarshal.Cast<byte, long>(bytes);
                if (swap)
                    BinaryPrimitives.ReverseEndianness(bits, bits);
                for (int k = 0; k < values.Length; k++)
                    values[k] = BitConverter.Int64BitsToDouble(bits[k]);
                return null;
            case "i8":
                return FromLongs(MemoryMarshal.Cast<byte, long>(bytes), swap, values);
            case "f4":
                Span<int> singles = FromInts(bytes, swap);
                for (int k = 0; k < values.Length; k++)
                    values[k] = BitConverter.Int32BitsToSingle(singles[k]);
                return null;
            case "i4":
                Span<int> ints = FromInts(bytes, swap);
                for (int k = 0; k < values.Length; k++)
                    values[k] = ints[k];
                return null;
            default:
                for (int k = 0; k < values.Length; k++)
                    values[k] = bytes[k] == 0 ? 0 : 1;
                return null;
        }
    }

    private static Span<int> FromInts(Span<byte> bytes, bool swap)
    {
        Span<int> ints = MemoryMarshal.Cast<byte, int>(bytes);
        if (swap)
            BinaryPrimitives.ReverseEndianness(ints, ints);
        return ints;
    }

    private static long? FromLongs(Span<long> longs, bool swap, Span<double> values)
    {
        if (swap)
            BinaryPrimitives.ReverseEndianness(longs, longs);
        for (int k = 0; k < values.Length; k++)
        {
            long whole = longs[k];
            if (whole is > LargestExact or < -LargestExact)
                return whole;
            values[k] = whole;
        }

        return null;
    }
}

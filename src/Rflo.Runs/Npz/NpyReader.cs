using System.Text;

namespace Rflo.Runs;

/// <summary>
/// Reads one array. NumSharp's reader allocates the memory of a header's shape before it reads the data, does not return the header and
/// converts no types. This reader checks that shape and length agree before it allocates an array.
/// </summary>
internal static class NpyReader
{
    private const int LongestHeader = 10_000;
    private const int ChunkBytes = 1 << 16;

    /// <summary>Reads the header, leaving the stream at the first element.</summary>
    /// <param name="stream">The member from its start.</param>
    /// <param name="length">Bytes of the whole member.</param>
    /// <exception cref="RunFileException">It is no array, its type is not read, or shape and length disagree.</exception>
    public static NpyHeader ReadHeader(MemberStream stream, long length)
    {
        Span<byte> start = stackalloc byte[8];
        stream.Fill(start);
        if (!start[..6].SequenceEqual(Magic))
            throw stream.Damaged("is no numpy array");
        if (start[6] is < 1 or > 3)
            throw stream.Refused($"has version {start[6]} of the array format; versions 1 to 3 are read", "Save it with numpy.savez.");

        Span<byte> size = stackalloc byte[4];
        size.Clear();
        int sizeBytes = start[6] == 1 ? 2 : 4;
        stream.Fill(size[..sizeBytes]);
        uint headerBytes = BitConverter.ToUInt32(size);
        if (headerBytes > LongestHeader)
            throw stream.Refused($"has a header of {headerBytes} bytes; {LongestHeader} is the most", "Save plain numbers with numpy.savez.");

        byte[] text = new byte[headerBytes];
        stream.Fill(text);
        NpyHeader header = NpyHeader.Parse(Encoding.Latin1.GetString(text)) ?? throw stream.Damaged("has a header that numpy would not write");
        Check(stream, header, length - start.Length - sizeBytes - headerBytes);
        return header;
    }

    /// <summary>Reads the elements that follow the header.</summary>
    /// <exception cref="RunFileException">They end early, or a whole number fits no double.</exception>
    public static double[] ReadValues(MemberStream stream, NpyHeader header)
    {
        double[] values = new double[(int)header.Count];
        int size = NpyElement.Size(header.Descriptor);
        byte[] chunk = new byte[Math.Min(ChunkBytes, (long)values.Length * size)];
        for (int done = 0; done < values.Length;)
        {
            int count = Math.Min(chunk.Length / size, values.Length - done);
            Span<byte> bytes = chunk.AsSpan(0, count * size);
            stream.Fill(bytes);
            if (NpyElement.Decode(header.Descriptor, bytes, values.AsSpan(done, count)) is { } whole)
                throw stream.Refused($"holds {whole}, which no double holds exactly", "Save it as float64.");
            done += count;
        }

        return header.IsFortranOrder ? InRows(values, header.Shape) : values;
    }

    /// <summary>Whether a file begins as a single array does, not as an archive; the file is at its beginning afterwards.</summary>
    public static bool IsArray(FileStream file)
    {
        Span<byte> start = stackalloc byte[Magic.Length];
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return start[..read].SequenceEqual(Magic);
    }

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    private static void Check(MemberStream stream, NpyHeader header, long dataBytes)
    {
        if (NpyElement.IsPickled(header.Descriptor))
            throw stream.Refused("holds pickled Python objects, which are never read, since that would run code", "Save arrays of numbers.");
        int size = NpyElement.Size(header.Descriptor);
        string shape = $"({string.Join(", ", header.Shape)})";
        if (size == 0)
        {
            string type = Printable.Text(header.Descriptor);
            throw stream.Refused($"has elements of type {type}; {NpyElement.Allowed} are read", NpyElement.Remedy(header.Descriptor));
        }

        if (header.Count * size != dataBytes)
            throw stream.Damaged(FormattableString.Invariant($"declares the shape {shape}, {header.Count * size:0} bytes, but holds {dataBytes}"));
        if (header.Count > Array.MaxLength)
            throw stream.Refused($"has the shape {shape}, more than the {Array.MaxLength} numbers that one array holds", "Split it.");
    }

    /// <summary>From first axis fastest to last axis fastest.</summary>
    private static double[] InRows(double[] columns, int[] shape)
    {
        if (shape.Length < 2)
            return columns;
        int[] strides = new int[shape.Length];
        for (int axis = shape.Length - 1, stride = 1; axis >= 0; stride *= shape[axis--])
            strides[axis] = stride;

        double[] rows = new double[columns.Length];
        int[] index = new int[shape.Length];
        int place = 0;
        foreach (double value in columns)
        {
            rows[place] = value;
            for (int axis = 0; axis < shape.Length; axis++)
            {
                place += strides[axis];
                if (++index[axis] < shape[axis])
                    break;
                place -= strides[axis] * shape[axis];
                index[axis] = 0;
            }
        }

        return rows;
    }
}

using System.Globalization;

namespace Rflo.Runs;

/// <summary>The checksum of zip members (ISO 3309). ZipArchive stores it but does not compare it when it reads.</summary>
internal static class Crc32
{
    private static readonly uint[] _table = [.. Enumerable.Range(0, 256).Select(Entry)];

    /// <summary>The checksum of what was summed up in <paramref name="crc"/> (0 at the start) followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint rest = ~crc;
        foreach (byte b in bytes)
            rest = _table[(byte)(rest ^ b)] ^ (rest >> 8);
        return ~rest;
    }

    /// <summary>The checksum of a file, in hexadecimal.</summary>
    /// <exception cref="RunFileException">It cannot be read.</exception>
    public static string OfFile(string path)
    {
        using FileStream stream = Disk.OpenRead(path);
        return Disk.Reading(path, () => Of(stream));
    }

    /// <summary>The checksum of what is left of a stream, in hexadecimal.</summary>
    public static string Of(Stream stream)
    {
        byte[] chunk = new byte[1 << 16];
        uint sum = 0;
        for (int read = stream.Read(chunk); read > 0; read = stream.Read(chunk))
            sum = Append(sum, chunk.AsSpan(0, read));
        return sum.ToString("x8", CultureInfo.InvariantCulture);
    }

    private static uint Entry(int index)
    {
        uint rest = (uint)index;
        for (int bit = 0; bit < 8; bit++)
            rest = (rest & 1) == 0 ? rest >> 1 : (rest >> 1) ^ 0xEDB88320u;
        return rest;
    }
}

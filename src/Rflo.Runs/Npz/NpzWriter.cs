using System.IO.Compression;
using NumSharp;
using NumSharp.IO;

namespace Rflo.Runs;

/// <summary>
/// Writes archives. NumSharp writes the arrays but not the archive: its members would have the time of day, and the same run
/// would give a different file each time.
/// </summary>
internal static class NpzWriter
{
    private static readonly DateTimeOffset _noTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Checks that every name is allowed.</summary>
    /// <exception cref="RunFileException">One is refused, or given twice.</exception>
    public static void CheckNames(string path, NamedArray[] arrays)
    {
        HashSet<string> names = [];
        foreach (NamedArray array in arrays)
        {
            string? fault = MemberName.Fault(array.Name) ?? (names.Add(array.Name) ? null : "two arrays have this name");
            if (fault is not null)
                throw new RunFileException(path, array.Name, fault, "Give the array another name.");
        }
    }

    /// <summary>Writes the archive.</summary>
    public static void Write(Stream stream, NamedArray[] arrays)
    {
        using ZipArchive archive = new(stream, ZipArchiveMode.Create, leaveOpen: true);
        foreach (NamedArray array in arrays)
        {
            // Stored, not compressed: numbers hardly shrink, and the bytes do not depend on the version of a compressor.
            ZipArchiveEntry entry = archive.CreateEntry(MemberName.OfArray(array.Name), CompressionLevel.NoCompression);
            entry.LastWriteTime = _noTime;
            using Stream member = entry.Open();
            using NDArray values = new(OfType(array), new Shape(array.Shape));
            NpyFormat.WriteArray(member, values);
        }
    }

    private static Array OfType(NamedArray array) => array.Type switch
    {
        NpzType.Index => Array.ConvertAll(array.Values, value => (int)value),
        NpzType.Flag => Array.ConvertAll(array.Values, value => value != 0),
        _ => array.Values,
    };
}

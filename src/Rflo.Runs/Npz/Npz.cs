namespace Rflo.Runs;

/// <summary>
/// Archives of named arrays that numpy reads and writes (<c>numpy.load</c>, <c>numpy.savez</c>, <c>numpy.savez_compressed</c>).
/// </summary>
/// <remarks>
/// Names are kept as they are, slashes and arrows too (<c>initial/cortex->cortex</c>): numpy finds an array under the name that was written.
/// Refused in both directions: names that lead out of the folder when the archive is unpacked (<c>..</c>, a leading <c>/</c>, a backslash, a drive),
/// empty ones, those that end in <c>.npy</c>, with control characters, or given twice.
/// Written: float64 (int32 and bool by the type of an array), C order, uncompressed, every time stamp 1980-01-01: the same arrays give the same bytes.
/// Read: float64, float32, int64, int32 and bool, in either byte order and in C or Fortran order, stored or deflated.
/// </remarks>
public static class Npz
{
    /// <summary>Writes arrays into a new file, in the order given; an existing file is replaced.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="arrays">The arrays.</param>
    /// <exception cref="RunFileException">A name is refused, or the file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedArray> arrays)
    {
        NamedArray[] all = [.. arrays];
        NpzWriter.CheckNames(path, all);
        Disk.Write(path, stream => NpzWriter.Write(stream, all));
    }

    /// <summary>Reads all arrays of a file, in the order in which it holds them.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, not of this kind, or exceeds a limit.</exception>
    public static IReadOnlyList<NamedArray> Read(string path, ReadLimits? limits = null) =>
        NpzReader.Open(path, limits ?? ReadLimits.Default, reader => reader.Names.Select(reader.Read).ToArray());

    /// <summary>Reads one array.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="name">Name of the array.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">As for <see cref="Read"/>, or there is no such array.</exception>
    public static NamedArray ReadArray(string path, string name, ReadLimits? limits = null) =>
        NpzReader.Open(path, limits ?? ReadLimits.Default, reader => reader.Read(name));

    /// <summary>The names of the arrays of a file, in its order; the arrays themselves are not read.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, not of this kind, or exceeds a limit.</exception>
    public static IReadOnlyList<string> Names(string path, ReadLimits? limits = null) =>
        NpzReader.Open(path, limits ?? ReadLimits.Default, reader => reader.Names);
}

namespace Rflo.Runs;

/// <summary>Files of HDF5 with named arrays, which h5py reads and writes: the twin of <see cref="Npz"/>.</summary>
/// <remarks>
/// A name with slashes is the path of a dataset: <c>rates/cortex</c> is the dataset <c>cortex</c> of the group <c>rates</c>.
/// Written: float64 (int32, and the enumeration that h5py reads as bool, by the type of an array), in C order, not compressed, a checksum of each chunk
/// (Fletcher-32); no time of day, so the same arrays give the same bytes.
/// Read: whole numbers of 1 to 8 bytes, floating-point numbers of 2, 4 and 8, and bool; contiguous, chunked or compressed by gzip; in groups of any depth.
/// Little-endian only.
/// </remarks>
public static class Hdf5
{
    /// <summary>Whether a file's name ends as those of HDF5 do: .h5 or .hdf5.</summary>
    /// <param name="path">Path of the file.</param>
    public static bool IsName(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Path.GetExtension(path).ToLowerInvariant() is ".h5" or ".hdf5";
    }

    /// <summary>Writes arrays into a new file, in the order given; an existing file is replaced.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="arrays">The arrays.</param>
    /// <param name="attributesOf">Texts that describe an array, by its name; those of the file for the name "".</param>
    /// <exception cref="RunFileException">A name is refused, or the file cannot be written.</exception>
    public static void Write(string path, IEnumerable<NamedArray> arrays, Func<string, IReadOnlyDictionary<string, string>>? attributesOf = null)
    {
        NamedArray[] all = [.. arrays];
        Hdf5Writer.CheckNames(path, all);
        Disk.Write(path, stream => Hdf5Writer.Write(stream, all, attributesOf ?? (_ => new Dictionary<string, string>())));
    }

    /// <summary>Reads one array.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="name">Name of the array.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, not of this kind or exceeds a limit, or there is no such array.</exception>
    public static NamedArray ReadArray(string path, string name, ReadLimits? limits = null) =>
        Hdf5Reader.Open(path, limits ?? ReadLimits.Default, reader => reader.Read(name));

    /// <summary>Reads all arrays of a file, in the order in which it holds them.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, not of this kind, or exceeds a limit.</exception>
    public static IReadOnlyList<NamedArray> Read(string path, ReadLimits? limits = null) =>
        Hdf5Reader.Open(path, limits ?? ReadLimits.Default, reader => reader.Names.Select(reader.Read).ToArray());

    /// <summary>The names of the arrays of a file; the arrays themselves are not read.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, not of this kind, or exceeds a limit.</exception>
    public static IReadOnlyList<string> Names(string path, ReadLimits? limits = null) =>
        Hdf5Reader.Open(path, limits ?? ReadLimits.Default, reader => reader.Names);
}

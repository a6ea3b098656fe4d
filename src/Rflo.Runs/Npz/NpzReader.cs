using System.IO.Compression;

namespace Rflo.Runs;

/// <summary>Reads archives from anywhere: names, sizes and totals are checked before a member is opened.</summary>
internal sealed class NpzReader
{
    private const string Copy = "The file is damaged or no .npz archive: copy it again from where it was made, or write it anew.";
    private readonly string _path;
    private readonly ReadLimits _limits;
    private readonly Dictionary<string, ZipArchiveEntry> _entries = [];
    private readonly List<string> _names = [];
    private long _bytes;

    private NpzReader(string path, long fileBytes, ZipArchive archive, ReadLimits limits)
    {
        _path = path;
        _limits = limits;
        if (archive.Entries.Count > limits.MaxMembers)
            throw Refused(null, $"holds {archive.Entries.Count} members; {limits.MaxMembers} is the limit", nameof(limits.MaxMembers));

        long total = 0;
        foreach (ZipArchiveEntry entry in archive.Entries)
        {
            Add(entry);
            CheckRatio(entry.FullName, entry.Length, entry.CompressedLength);
            if (entry.Length < 0 || entry.CompressedLength < 0)
                throw new RunFileException(path, entry.FullName, "has a negative length", Copy);
            // The sum stays within the limit, so nothing overflows.
            if (entry.Length > limits.MaxTotalBytes - total)
                throw Refused(entry.FullName, $"unpacks, with those before it, to more than {limits.MaxTotalBytes} bytes", nameof(limits.MaxTotalBytes));
            total += entry.Length;
        }

        CheckRatio(null, total, fileBytes);
    }

    /// <summary>The names of the arrays, in the order of the archive.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Opens an archive, uses it, and closes it. All exceptions of the zip reader become one exception.</summary>
    public static T Open<T>(string path, ReadLimits limits, Func<NpzReader, T> use)
    {
        using FileStream stream = Disk.OpenRead(path);
        if (stream.Length > limits.MaxTotalBytes)
            throw new RunFileException(path, null, $"has {stream.Length} bytes; {limits.MaxTotalBytes} is the limit", Raise(nameof(limits.MaxTotalBytes)));
        if (NpyReader.IsArray(stream))
            throw new RunFileException(path, null, "is one array (.npy) and no archive of named arrays (.npz)", "Save it with numpy.savez(\"w.npz\", w=array).");
        if (IsText(stream))
            throw new RunFileException(path, null, "is a text and no archive of named arrays (.npz)", "Read it with numpy and save the arrays: numpy.savez(\"w.npz\", w=numpy.loadtxt(\"w.csv\", delimiter=\",\")).");
        try
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Read, leaveOpen: true);
            return use(new NpzReader(path, stream.Length, archive, limits));
        }
        catch (Exception e) when (e is not RunFileException and not OutOfMemoryException)
        {
            throw new RunFileException(path, null, $"cannot be read as an archive of arrays ({e.Message.TrimEnd('.')})", Copy, e);
        }
    }

    /// <summary>Whether a file begins as a table of numbers or another text does; the file is at its beginning afterwards.</summary>
    private static bool IsText(FileStream file)
    {
        Span<byte> start = stackalloc byte[64];
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        foreach (byte letter in start[..read])
            if (letter is (< (byte)' ' or > (byte)'~') and not ((byte)'\t' or (byte)'\r' or (byte)'\n'))
                return false;
        return read > 0;
    }

    /// <summary>Reads one array.</summary>
    public NamedArray Read(string name)
    {
        if (!_entries.TryGetValue(name, out ZipArchiveEntry? entry))
            throw new RunFileException(_path, name, "there is no such array", $"It holds: {Printable.Text(string.Join(", ", _names))}.");

        using MemberStream stream = new(entry.Open(), _path, name, entry.Length);
        NpyHeader header = NpyReader.ReadHeader(stream, entry.Length);
        // A bool of one byte becomes a double of eight: the limit is on memory.
        double bytes = header.Count * sizeof(double);
        if (bytes > _limits.MaxTotalBytes - _bytes)
            throw Refused(name, $"takes, with those before it, more than {_limits.MaxTotalBytes} bytes of memory", nameof(_limits.MaxTotalBytes));
        _bytes += (long)bytes;
        double[] values = NpyReader.ReadValues(stream, header);
        stream.Finish(entry.Crc32);
        return new NamedArray(name, header.Shape, values);
    }

    private void Add(ZipArchiveEntry entry)
    {
        string member = entry.FullName;
        if (!MemberName.IsArray(member))
            throw new RunFileException(_path, member, "is not an array (its name does not end in .npy)", "Make the file with numpy.savez.");
        string name = MemberName.ToArray(member);
        if (MemberName.Fault(name) is { } fault)
            throw new RunFileException(_path, member, fault, "Do not trust this file; if it is yours, save the array under another name.");
        if (!_entries.TryAdd(name, entry))
            throw new RunFileException(_path, name, "two arrays have this name", "Save the file anew, with a name for each.");
        if (entry.IsEncrypted)
            throw new RunFileException(_path, name, "is encrypted", "Save the file without a password.");
        _names.Add(name);
    }

    private void CheckRatio(string? member, long unpacked, long packed)
    {
        if (unpacked > _limits.RatioFreeBytes && unpacked > _limits.MaxRatio * packed)
            throw Refused(member, FormattableString.Invariant($"is a bomb: {packed} bytes unpack to {unpacked}, more than {_limits.MaxRatio} times as many"), nameof(_limits.MaxRatio));
    }

    private RunFileException Refused(string? member, string problem, string limit) => new(_path, member, problem, Raise(limit));

    private static string Raise(string limit) => $"If you trust the file, read it with a larger ReadLimits.{limit}.";
}

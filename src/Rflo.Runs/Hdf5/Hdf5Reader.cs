using System.Diagnostics.CodeAnalysis;
using PureHDF;

namespace Rflo.Runs;

/// <summary>Reads arrays from files of anywhere: names and sizes are checked before memory is taken.</summary>
internal sealed class Hdf5Reader
{
    private const string Copy = "The file is damaged: copy it again from where it was made, or write it anew.";

    /// <summary>Most groups that lie in each other; a group that links to one around it would go on for ever.</summary>
    private const int Deepest = 32;

    /// <summary>Up to this whole number a double holds every one; the next is none.</summary>
    private const double FirstInexact = 1L << 53;

    private readonly string _path;
    private readonly ReadLimits _limits;
    private readonly Dictionary<string, IH5Dataset> _datasets = [];
    private readonly List<string> _names = [];
    private double _bytes;

    private Hdf5Reader(string path, IH5Group file, ReadLimits limits)
    {
        _path = path;
        _limits = limits;
        Guarded<object?>(null, () =>
        {
            Add("", file, 0);
            return null;
        });
    }

    /// <summary>The names of the arrays, in the order of the file.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <summary>Opens a file, uses it, and closes it.</summary>
    /// <exception cref="RunFileException">It is missing, damaged, not of this kind, or exceeds a limit.</exception>
    public static T Open<T>(string path, ReadLimits limits, Func<Hdf5Reader, T> use)
    {
        using FileStream stream = Disk.OpenRead(path);
        CheckSignature(path, stream);
        using IDisposable opened = Guarded(path, null, () => (IDisposable)H5File.Open(stream, leaveOpen: true));
        return use(new Hdf5Reader(path, (IH5Group)opened, limits));
    }

    /// <summary>Reads one array.</summary>
    public NamedArray Read(string name)
    {
        if (!_datasets.TryGetValue(name, out IH5Dataset? dataset))
            throw new RunFileException(_path, name, "there is no such dataset", $"It holds: {Printable.Text(string.Join(", ", _names))}.");
        return Guarded(name, () =>
        {
            int[] shape = ShapeOf(name, dataset);
            double[] values = Array.IndexOf(shape, 0) >= 0 ? [] : NumbersOf(name, dataset);
            // The next whole number is rounded to this one.
            if (dataset.Type is { Class: H5DataTypeClass.FixedPoint, Size: 8 } && Array.Exists(values, value => Math.Abs(value) >= FirstInexact))
                throw new RunFileException(_path, name, "holds a whole number of 2^53 or more, which a double may not hold exactly", "Save it as float64.");
            return new NamedArray(name, shape, values);
        });
    }

    private double[] NumbersOf(string name, IH5Dataset dataset)
    {
        try
        {
            return Hdf5Numbers.Read(dataset, null);
        }
        catch (Exception e) when (e.GetBaseException().Message.StartsWith("Byte order", StringComparison.Ordinal))
        {
            throw new RunFileException(_path, name, "is big-endian, and little-endian numbers are read", "Convert it with astype('<f8') before saving.", e);
        }
    }

    private static void CheckSignature(string path, FileStream stream)
    {
        if (Disk.Reading(path, () => Hdf5File.IsHdf5(stream)))
            return;
        bool isZip = stream.Length > 3 && IsZip(path, stream);
        throw new RunFileException(path, null, stream.Length == 0 ? "is empty" : isZip ? "is an archive of numpy, not HDF5" : "is no HDF5 file", isZip ? "Give it a name that ends in .npz." : "Write it by h5py, or copy it again from where it was made.");
    }

    private static bool IsZip(string path, FileStream stream)
    {
        byte[] first = new byte[4];
        stream.Position = 0;
        Disk.Reading(path, () => stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false));
        return first is [(byte)'P', (byte)'K', 3, 4];
    }

    private void Add(string prefix, IH5Group group, int depth)
    {
        if (depth > Deepest)
            throw new RunFileException(_path, prefix.TrimEnd('/'), $"lies more than {Deepest} groups deep, or a group links to one around it", "Write the arrays anew, each in a group of its own.");
        foreach (IH5Object child in group.Children())
        {
            string name = prefix + child.Name;
            if (child is IH5Group inner)
            {
                Add(name + "/", inner, depth + 1);
            }
            else if (child is IH5Dataset dataset)
            {
                if (MemberName.Fault(name) is { } fault)
                    throw new RunFileException(_path, name, fault, "Do not trust this file; if it is yours, save the array under another name.");
                if (_names.Count == _limits.MaxMembers)
                    throw Refused(null, $"holds more than {_limits.MaxMembers} datasets", nameof(_limits.MaxMembers));
                _datasets[name] = dataset;
                _names.Add(name);
            }
        }
    }

    private int[] ShapeOf(string name, IH5Dataset dataset)
    {
        if (!Hdf5Numbers.AreIn(dataset))
            throw new RunFileException(_path, name, $"holds {dataset.Type.Class} values of {dataset.Type.Size} bytes; read are {Hdf5Numbers.Allowed}", "Convert it with astype(float) before saving.");
        if (dataset.Space.Type == H5DataspaceType.Null)
            throw new RunFileException(_path, name, "is a dataset without a shape (h5py.Empty)", "Save an array.");
        // The limit is on memory: a bool of one byte becomes a double of eight.
        double count = dataset.Space.Dimensions.Aggregate(1.0, (product, length) => product * length);
        if (count * sizeof(double) > _limits.MaxTotalBytes - _bytes || count > Array.MaxLength)
            throw Refused(name, FormattableString.Invariant($"takes, with those before it, more than {_limits.MaxTotalBytes} bytes of memory"), nameof(_limits.MaxTotalBytes));
        _bytes += count * sizeof(double);
        if (Hdf5File.ChunkBytes(dataset) > Hdf5File.MaxChunkBytes)
            throw new RunFileException(_path, name, $"has chunks of more than {Hdf5File.MaxChunkBytes >> 20} MiB", "Save it with smaller chunks.");
        return Array.ConvertAll(dataset.Space.Dimensions, length => checked((int)length));
    }

    private RunFileException Refused(string? name, string problem, string limit) => new(_path, name, problem, $"If you trust the file, read it with a larger ReadLimits.{limit}.");

    private T Guarded<T>(string? name, Func<T> read) => Guarded(_path, name, read);

    [SuppressMessage("Design", "CA1031", Justification = "The package throws Exception itself, and on damaged files whatever its parsing runs into.")]
    private static T Guarded<T>(string path, string? name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not RunFileException)
        {
            // A damaged length asks for more memory than there is.
            throw new RunFileException(path, name, $"cannot be read as HDF5 ({Printable.Text(e.GetBaseException().Message.TrimEnd('.'))})", Copy, e);
        }
    }
}

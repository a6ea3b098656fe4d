using System.Diagnostics.CodeAnalysis;
using PureHDF;
using PureHDF.Selections;
using PureHDF.VOL.Native;
using Rflo.Runs;

namespace Rflo.Analysis;

/// <summary>An open HDF5 file: datasets by their paths, and one message for whatever is wrong with them.</summary>
internal sealed class NwbSource : IDisposable
{
    /// <summary>Numbers that one read of a long dataset takes, unless its chunks are longer.</summary>
    private const long Block = 1 << 20;

    private const string CopyAgain = "Copy the file again from where it was made; if it opens in h5py, repack it (h5repack -f GZIP=4).";

    private readonly NativeFile _file;
    private readonly long _maxBytes;

    private NwbSource(string path, NativeFile file, long maxBytes) => (Path, _file, _maxBytes) = (path, file, maxBytes);

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="maxBytes">Most bytes that a dataset may take.</param>
    /// <exception cref="NwbException">It cannot be opened, or is no HDF5.</exception>
    public static NwbSource Open(string path, long maxBytes)
    {
        if (Directory.Exists(path))
            throw new NwbException(path, null, "is a folder, and NWB is read from HDF5 files", "Name an .nwb file; export Zarr to HDF5 (hdmf-zarr) first.");
        if (!File.Exists(path))
            throw new NwbException(path, null, "is not there", "Check the name and the folder that it is looked for in.");
        try
        {
            CheckSignature(path);
            return new NwbSource(path, H5File.OpenRead(path), maxBytes);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new NwbException(path, null, "may not be read by this user", "Ask its owner for the right to read it.", e);
        }
        catch (Exception e) when (e is not NwbException)
        {
            throw new NwbException(path, null, $"cannot be opened as HDF5 ({Reason(e)})", CopyAgain, e);
        }
    }

    /// <summary>Whether there is a group or dataset of that path.</summary>
    public bool Has(string place) => Guarded(place, () => _file.LinkExists(place));

    /// <summary>Whether there is a group of that path.</summary>
    public bool HasGroup(string place) => Has(place) && Guarded(place, () => _file.Get(place) is IH5Group);

    /// <summary>The names of what a group holds, in its order.</summary>
    public IReadOnlyList<string> Names(string place) => Guarded(place, () => _file.Group(place).Children().Select(child => child.Name).ToArray());

    /// <summary>The names of the datasets of a group.</summary>
    public IReadOnlyList<string> Datasets(string place) => Guarded(place, () => _file.Group(place).Children().OfType<IH5Dataset>().Select(child => child.Name).ToArray());

    /// <summary>Lengths of a dataset along its axes; none of a single value.</summary>
    public IReadOnlyList<long> Shape(string place) => Guarded(place, () => Array.ConvertAll(Dataset(place).Space.Dimensions, length => checked((long)length)));

    /// <summary>Length of a dataset that must have one axis.</summary>
    /// <exception cref="NwbException">It has another number of axes.</exception>
    public long Length(string place) =>
        Shape(place) is [var length] ? length : throw new NwbException(Path, place, $"has {Shape(place).Count} axes; it must have one", "Write the table with one value a row.");

    /// <summary>Whether a dataset holds numbers, or truth values, which are 0 and 1.</summary>
    public bool IsNumeric(string place) => Guarded(place, () => Dataset(place).Type.Class is H5DataTypeClass.FixedPoint or H5DataTypeClass.FloatingPoint or H5DataTypeClass.Enumerated);

    /// <summary>Whether a dataset holds references to other parts of the file.</summary>
    public bool IsReference(string place) => Guarded(place, () => Dataset(place).Type.Class == H5DataTypeClass.Reference);

    /// <summary>All numbers of a dataset, the last axis fastest.</summary>
    public double[] Numbers(string place) => Guarded(place, () =>
    {
        IH5Dataset dataset = Dataset(place);
        CheckSize(place, dataset);
        return Count(dataset) == 0 ? [] : Hdf5Numbers.Read(dataset, null);
    });

    /// <summary>Whole numbers that index other rows, such as those of ragged columns.</summary>
    /// <exception cref="NwbException">One of them is no whole number of at least 0.</exception>
    public long[] Indices(string place)
    {
        double[] values = Numbers(place);
        int wrong = Array.FindIndex(values, value => !(value >= 0 && value < 1L << 53 && value == Math.Floor(value)));
        return wrong < 0
            ? Array.ConvertAll(values, value => (long)value)
            : throw new NwbException(Path, place, FormattableString.Invariant($"row {wrong} is {values[wrong]}; it must be a whole number of at least 0"), CopyAgain);
    }

    /// <summary>Numbers of a dataset of one axis, a block after the other, each of whole chunks. Blocks that are not wanted are not read.</summary>
    /// <param name="place">Path of the dataset.</param>
    /// <param name="isWanted">Whether the numbers from one row up to another are to be read.</param>
    public IEnumerable<(long Start, double[] Values)> Blocks(string place, Func<long, long, bool> isWanted)
    {
        long length = Length(place);
        IH5Dataset dataset = Guarded(place, () => Dataset(place));
        long chunk = Guarded(place, () => dataset.Layout.Class == H5DataLayoutClass.Chunked ? checked((long)dataset.Layout.Chunks[0]) : 1);
        Guarded(place, () => CheckChunk(place, dataset));
        long block = chunk * Math.Max(1, Block / Math.Max(1, chunk));
        for (long start = 0; start < length; start += block)
        {
            long count = Math.Min(block, length - start);
            if (isWanted(start, start + count))
                yield return (start, Guarded(place, () => Hdf5Numbers.Read(dataset, new HyperslabSelection((ulong)start, (ulong)count))));
        }
    }

    /// <summary>The texts of a dataset, or null where it holds something else.</summary>
    public string[]? Texts(string place) => Guarded(place, () =>
    {
        IH5Dataset dataset = Dataset(place);
        if (dataset.Type.Class is not (H5DataTypeClass.String or H5DataTypeClass.VariableLength))
            return null;
        CheckSize(place, dataset);
        if (dataset.Type.Class == H5DataTypeClass.VariableLength && IsSequence(dataset))
            return null;
        return Count(dataset) == 0 ? [] : Array.ConvertAll(dataset.Read<string?[]>(), text => text ?? "");
    });

    /// <summary>For each row of a dataset of references to groups, an attribute of the group that is text; "" where it has none.</summary>
    /// <param name="place">Path of the dataset.</param>
    /// <param name="parent">The group in which those groups lie.</param>
    /// <param name="attribute">Name of the attribute.</param>
    public string[] OfReferences(string place, string parent, string attribute) => Guarded(place, () =>
    {
        IH5Dataset dataset = Dataset(place);
        CheckSize(place, dataset);
        if (Count(dataset) == 0)
            return [];
        var group = (NativeGroup)_file.Group(parent);
        Dictionary<NativeObjectReference1, string> found = [];
        string Of(NativeObjectReference1 reference)
        {
            if (!found.TryGetValue(reference, out string? text))
            {
                IH5Object target = group.Get(reference);
                text = target.AttributeExists(attribute) ? target.Attribute(attribute).Read<string>() : "";
                found[reference] = text;
            }

            return text;
        }

        return Array.ConvertAll(dataset.Read<NativeObjectReference1[]>(), Of);
    });

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static void CheckSignature(string path)
    {
        using FileStream stream = File.OpenRead(path);
        if (!Hdf5File.IsHdf5(stream))
            throw new NwbException(path, null, stream.Length == 0 ? "is empty" : "is no HDF5 file", "Name an .nwb file of NWB 2, or copy it again from where it was made.");
    }

    private IH5Dataset Dataset(string place) => _file.Dataset(place);

    private static long Count(IH5Dataset dataset)
    {
        long count = 1;
        foreach (ulong length in dataset.Space.Dimensions)
            count = checked(count * (long)length);
        return count;
    }

    private void CheckSize(string place, IH5Dataset dataset)
    {
        double bytes = sizeof(double);
        foreach (ulong length in dataset.Space.Dimensions)
            bytes *= length;
        if (bytes > _maxBytes || bytes / sizeof(double) > Array.MaxLength)
            throw new NwbException(Path, place, FormattableString.Invariant($"would take {bytes / (1L << 20):0} MiB; at most {_maxBytes >> 20} MiB are read"), "Read fewer areas, or raise NwbOptions.MaxBytes.");
        CheckChunk(place, dataset);
    }

    private bool CheckChunk(string place, IH5Dataset dataset)
    {
        double bytes = Hdf5File.ChunkBytes(dataset);
        return bytes <= Hdf5File.MaxChunkBytes
            ? true
            : throw new NwbException(Path, place, FormattableString.Invariant($"has chunks of {bytes / (1L << 20):0} MiB; at most {Hdf5File.MaxChunkBytes >> 20} MiB are read at once"), "Repack the file with smaller chunks (h5repack -l CHUNK=100000).");
    }

    /// <summary>Whether values of variable length are sequences, not texts: the reader refuses those as texts.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The package throws Exception itself.")]
    private static bool IsSequence(IH5Dataset dataset)
    {
        if (Count(dataset) == 0)
            return false;
        try
        {
            dataset.Read<string?[]>(new HyperslabSelection(dataset.Space.Rank, new ulong[dataset.Space.Rank], [.. Enumerable.Repeat(1UL, dataset.Space.Rank)]));
            return false;
        }
        catch (Exception e) when (Reason(e).Contains("sequence", StringComparison.Ordinal))
        {
            return true;
        }
    }

    private static string Reason(Exception e) => e.GetBaseException().Message.TrimEnd('.');

    [SuppressMessage("Design", "CA1031", Justification = "The package throws Exception itself, and on damaged files whatever its parsing runs into.")]
    private T Guarded<T>(string place, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not NwbException)
        {
            // A damaged length asks for more memory than there is.
            throw new NwbException(Path, place, $"cannot be read ({Reason(e)})", CopyAgain, e);
        }
    }
}

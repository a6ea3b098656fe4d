using PureHDF;
using PureHDF.Filters;
using PureHDF.VOL.Native;

namespace Rflo.Runs;

/// <summary>Writes arrays as datasets, in groups by the parts of their names.</summary>
internal static class Hdf5Writer
{
    /// <summary>Bytes of a chunk, about; a chunk has one row of the first axis or more.</summary>
    private const long ChunkBytes = 1 << 20;

    /// <summary>Checks that every name is allowed, and none is also the group of another.</summary>
    /// <exception cref="RunFileException">One is refused, or given twice.</exception>
    public static void CheckNames(string path, NamedArray[] arrays)
    {
        NpzWriter.CheckNames(path, arrays);
        HashSet<string> names = [.. arrays.Select(array => array.Name)];
        foreach (NamedArray array in arrays)
            for (int slash = array.Name.IndexOf('/'); slash >= 0; slash = array.Name.IndexOf('/', slash + 1))
                if (names.Contains(array.Name[..slash]))
                    throw new RunFileException(path, array.Name[..slash], $"is an array and would be the group of '{array.Name}' too, which HDF5 does not allow", "Give one of them another name, or write .npz.");
    }

    /// <summary>Writes the file.</summary>
    public static void Write(Stream stream, NamedArray[] arrays, Func<string, IReadOnlyDictionary<string, string>> attributesOf)
    {
        H5File file = [];
        Describe(file, attributesOf(""));
        foreach (NamedArray array in arrays)
        {
            string[] parts = array.Name.Split('/');
            H5Group group = parts[..^1].Aggregate((H5Group)file, GroupOf);
            H5Dataset dataset = DatasetOf(array);
            Describe(dataset, attributesOf(array.Name));
            group[parts[^1]] = dataset;
        }

        file.Write(stream);
    }

    private static void Describe(H5Object target, IReadOnlyDictionary<string, string> attributes)
    {
        foreach ((string name, string text) in attributes)
            target.Attributes[name] = text;
    }

    private static H5Group GroupOf(H5Group parent, string name)
    {
        if (!parent.TryGetValue(name, out object? group))
            parent[name] = group = new H5Group();
        return (H5Group)group;
    }

    private static H5Dataset DatasetOf(NamedArray array)
    {
        object values = array.Type switch
        {
            NpzType.Index => Array.ConvertAll(array.Values, value => (int)value),
            NpzType.Flag => Array.ConvertAll(array.Values, value => value != 0 ? Hdf5Flag.TRUE : Hdf5Flag.FALSE),
            _ => array.Values,
        };
        if (array.Shape.Length == 0)
            return new H5Dataset(((Array)values).GetValue(0)!);
        ulong[] shape = Array.ConvertAll(array.Shape, length => (ulong)length);
        // What is empty has no chunk.
        if (array.Values.Length == 0)
            return new H5Dataset(values, fileDims: shape);
        long rowBytes = sizeof(double) * (long)array.Values.Length / array.Shape[0];
        uint rows = (uint)Math.Clamp(ChunkBytes / rowBytes, 1, array.Shape[0]);
        uint[] chunk = [rows, .. array.Shape.Skip(1).Select(length => (uint)length)];
        return new H5Dataset(values, chunks: chunk, fileDims: shape, datasetCreation: new H5DatasetCreation(Filters: [new H5Filter(Fletcher32Filter.Id)]));
    }
}

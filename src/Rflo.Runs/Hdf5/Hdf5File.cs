using PureHDF;

namespace Rflo.Runs;

/// <summary>What is checked of any HDF5 file before the package reads it. Also compiled into Rflo.Analysis, which does not refer to this project.</summary>
internal static class Hdf5File
{
    /// <summary>Most bytes of one chunk: a chunk is unpacked as a whole.</summary>
    public const long MaxChunkBytes = 1L << 30;

    private static readonly byte[] _signature = [0x89, (byte)'H', (byte)'D', (byte)'F', 0x0d, 0x0a, 0x1a, 0x0a];

    /// <summary>Whether a file begins with HDF5's signature, at byte 0, 512, 1024, 2048 and so on. The stream is at its beginning afterwards.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool IsHdf5(Stream stream)
    {
        byte[] first = new byte[_signature.Length];
        bool isFound = false;
        for (long at = 0; !isFound && at + first.Length <= stream.Length; at = at == 0 ? 512 : 2 * at)
        {
            stream.Position = at;
            stream.ReadExactly(first);
            isFound = first.AsSpan().SequenceEqual(_signature);
        }

        stream.Position = 0;
        return isFound;
    }

    /// <summary>Bytes of a chunk of a dataset; 0 where it has none.</summary>
    public static double ChunkBytes(IH5Dataset dataset) => dataset.Layout.Class == H5DataLayoutClass.Chunked
        ? dataset.Layout.Chunks.Aggregate((double)dataset.Type.Size, (bytes, length) => bytes * length)
        : 0;
}

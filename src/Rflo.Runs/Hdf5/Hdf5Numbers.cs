using PureHDF;
using PureHDF.Selections;

namespace Rflo.Runs;

/// <summary>Numbers of HDF5 as doubles. Also compiled into Rflo.Analysis, which does not refer to this project.</summary>
internal static class Hdf5Numbers
{
    /// <summary>The types that are read, for messages.</summary>
    public const string Allowed = "whole numbers, floating-point numbers of 2, 4 and 8 bytes, and bool";

    /// <summary>Whether a dataset holds numbers, or truth values, which are 0 and 1.</summary>
    public static bool AreIn(IH5Dataset dataset) => (dataset.Type.Class, dataset.Type.Size) switch
    {
        (H5DataTypeClass.FloatingPoint, 2 or 4 or 8) or (H5DataTypeClass.FixedPoint, 1 or 2 or 4 or 8) or (H5DataTypeClass.Enumerated, 1) => true,
        _ => false,
    };

    /// <summary>The numbers of a dataset, the last axis fastest.</summary>
    /// <param name="dataset">The dataset.</param>
    /// <param name="rows">What of it is read; all where null.</param>
    /// <exception cref="NotSupportedException">It holds something else.</exception>
    public static double[] Read(IH5Dataset dataset, Selection? rows)
    {
        static double[] All<T>(T[] values, Converter<T, double> number) => Array.ConvertAll(values, number);
        bool isSigned = dataset.Type.Class == H5DataTypeClass.FixedPoint && dataset.Type.FixedPoint.IsSigned;
        return (dataset.Type.Class, dataset.Type.Size, isSigned) switch
        {
            (H5DataTypeClass.FloatingPoint, 8, _) => dataset.Read<double[]>(rows),
            (H5DataTypeClass.FloatingPoint, 4, _) => All(dataset.Read<float[]>(rows), value => value),
            (H5DataTypeClass.FloatingPoint, 2, _) => All(dataset.Read<Half[]>(rows), value => (double)value),
            (H5DataTypeClass.FixedPoint, 1, true) => All(dataset.Read<sbyte[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 1, false) or (H5DataTypeClass.Enumerated, 1, _) => All(dataset.Read<byte[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 2, true) => All(dataset.Read<short[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 2, false) => All(dataset.Read<ushort[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 4, true) => All(dataset.Read<int[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 4, false) => All(dataset.Read<uint[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 8, true) => All(dataset.Read<long[]>(rows), value => value),
            (H5DataTypeClass.FixedPoint, 8, false) => All(dataset.Read<ulong[]>(rows), value => value),
            _ => throw new NotSupportedException($"it holds {dataset.Type.Class} values of {dataset.Type.Size} bytes, which are no numbers"),
        };
    }
}

using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>Small calculations with samples, shape (samples, units).</summary>
internal static class Samples
{
    /// <summary>The samples without their mean, and the mean.</summary>
    public static (Matrix<double> Centered, Vector<double> Mean) Centered(Matrix<double> samples)
    {
        Vector<double> mean = samples.ColumnSums() / samples.RowCount;
        Matrix<double> centered = samples.Clone();
        for (int row = 0; row < centered.RowCount; row++)
            centered.SetRow(row, centered.Row(row) - mean);
        return (centered, mean);
    }

    /// <summary>Refuses two sets of samples that are not of the same trials and steps.</summary>
    public static void CheckPair(Matrix<double> first, Matrix<double> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.RowCount != second.RowCount)
            throw new ArgumentException($"samples: the first population has {first.RowCount}, the second {second.RowCount}; both must be of the same trials and steps.");
        if (first.RowCount < 2)
            throw new ArgumentException($"samples: there is {first.RowCount}; at least 2 are needed.");
        foreach ((string name, Matrix<double> one) in new[] { ("first", first), ("second", second) })
            if (one.Enumerate().Any(x => !double.IsFinite(x)))
                throw new ArgumentException($"samples: the {name} population has a number that is not finite.");
    }
}

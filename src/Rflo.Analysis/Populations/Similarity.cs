using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Rflo.Analysis;

/// <summary>How far apart the activity of two conditions is.</summary>
public enum Dissimilarity
{
    /// <summary>1 less the correlation over units.</summary>
    Correlation,

    /// <summary>The Euclidean distance.</summary>
    Euclidean,

    /// <summary>1 less the cosine of the angle between them.</summary>
    Cosine,
}

/// <summary>How two populations, or two conditions, compare.</summary>
public static class Similarity
{
    /// <summary>The dissimilarity of every two conditions, shape (conditions, conditions) (Kriegeskorte et al. 2008).</summary>
    /// <param name="conditions">Activity, shape (conditions, units).</param>
    /// <param name="by">By which measure.</param>
    /// <exception cref="ArgumentException">A condition has no variance over units, or is 0, where the measure needs it.</exception>
    public static Matrix<double> Dissimilarities(Matrix<double> conditions, Dissimilarity by = Dissimilarity.Correlation)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        Vector<double>[] rows = [.. Enumerable.Range(0, conditions.RowCount).Select(row => Prepared(conditions.Row(row), row, by))];
        return Matrix<double>.Build.Dense(rows.Length, rows.Length, (a, b) => a == b ? 0 : by == Dissimilarity.Euclidean ? (rows[a] - rows[b]).L2Norm() : 1 - rows[a] * rows[b]);
    }

    /// <summary>Spearman's rank correlation of two matrices of dissimilarities, over the pairs of conditions.</summary>
    /// <exception cref="ArgumentException">They are of other or too few conditions.</exception>
    public static double Correlation(Matrix<double> first, Matrix<double> second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        if (first.RowCount != second.RowCount || first.RowCount != first.ColumnCount || second.RowCount != second.ColumnCount)
            throw new ArgumentException($"dissimilarities: {first.RowCount} x {first.ColumnCount} and {second.RowCount} x {second.ColumnCount} are not of the same conditions.");
        if (first.RowCount < 3)
            throw new ArgumentException($"dissimilarities: {first.RowCount} conditions have too few pairs to compare; at least 3 are needed.");
        return MathNet.Numerics.Statistics.Correlation.Spearman(Pairs(first), Pairs(second));
    }

    /// <summary>Linear centered kernel alignment, from 0 to 1 (Kornblith et al. 2019): 1 where one population is the other rotated and scaled.</summary>
    /// <param name="first">Shape (samples, units).</param>
    /// <param name="second">Of the same samples, shape (samples, units).</param>
    /// <exception cref="ArgumentException">The samples are others, or a population does not vary.</exception>
    public static double CenteredKernelAlignment(Matrix<double> first, Matrix<double> second)
    {
        (Matrix<double> x, Matrix<double> y) = Pair(first, second);
        double between = Overlap(x, y), ofFirst = Overlap(x, x), ofSecond = Overlap(y, y);
        return between / Math.Sqrt(ofFirst * ofSecond);
    }

    /// <summary>
    /// Procrustes distance, from 0 to the square root of 2: between the populations after the best alignment by shift, scale and rotation.
    /// </summary>
    /// <param name="first">Shape (samples, units).</param>
    /// <param name="second">Of the same samples, shape (samples, units).</param>
    /// <returns>The distance, and the orthogonal map from units of the second to units of the first.</returns>
    /// <exception cref="ArgumentException">The samples are others, or a population does not vary.</exception>
    public static (double Distance, Matrix<double> Rotation) Procrustes(Matrix<double> first, Matrix<double> second)
    {
        (Matrix<double> x, Matrix<double> y) = Pair(first, second);
        int units = Math.Max(x.ColumnCount, y.ColumnCount);
        (x, y) = (Widened(x, units) / x.FrobeniusNorm(), Widened(y, units) / y.FrobeniusNorm());
        Svd<double> svd = y.TransposeThisAndMultiply(x).Svd();
        Matrix<double> rotation = svd.U * svd.VT;
        return ((x - y * rotation).FrobeniusNorm(), rotation);
    }

    private static Matrix<double> Widened(Matrix<double> samples, int units) =>
        samples.ColumnCount == units ? samples : samples.Append(Matrix<double>.Build.Dense(samples.RowCount, units - samples.ColumnCount));

    private static (Matrix<double> First, Matrix<double> Second) Pair(Matrix<double> first, Matrix<double> second)
    {
        Samples.CheckPair(first, second);
        (Matrix<double> x, Matrix<double> y) = (Samples.Centered(first).Centered, Samples.Centered(second).Centered);
        foreach ((string name, Matrix<double> one) in new[] { ("first", x), ("second", y) })
            if (!(one.FrobeniusNorm() > 0))
                throw new ArgumentException($"samples: the {name} population does not vary.");
        return (x, y);
    }

    /// <summary>|X'Y|^2, by whichever product is smaller.</summary>
    private static double Overlap(Matrix<double> x, Matrix<double> y)
    {
        if (x.ColumnCount <= x.RowCount || y.ColumnCount <= x.RowCount)
        {
            double norm = x.TransposeThisAndMultiply(y).FrobeniusNorm();
            return norm * norm;
        }

        return x.TransposeAndMultiply(x).PointwiseMultiply(y.TransposeAndMultiply(y)).Enumerate().Sum();
    }

    private static Vector<double> Prepared(Vector<double> condition, int index, Dissimilarity by)
    {
        if (condition.Any(x => !double.IsFinite(x)))
            throw new ArgumentException($"conditions: condition {index} has a number that is not finite.");
        if (by == Dissimilarity.Euclidean)
            return condition;
        if (by == Dissimilarity.Correlation)
            condition -= condition.Average();
        double length = condition.L2Norm();
        return length > 0 ? condition / length : throw new ArgumentException($"conditions: condition {index} {(by == Dissimilarity.Correlation ? "is the same in all units" : "is 0")}, so it has no {by.ToString().ToLowerInvariant()}.");
    }

    private static IEnumerable<double> Pairs(Matrix<double> matrix) =>
        from row in Enumerable.Range(0, matrix.RowCount) from column in Enumerable.Range(0, row) select matrix[row, column];
}

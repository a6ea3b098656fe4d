using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>The participation ratio of a population: (sum of variances)^2 over the sum of their squares, the number of dimensions that it fills.</summary>
/// <param name="Ratio">From 1 to the number of units, of all trials.</param>
/// <param name="Error">Its standard error, from leaving out each trial in turn (jackknife); NaN of a single trial.</param>
/// <param name="Corrected">The ratio less the jackknife's estimate of its bias; NaN of a single trial.</param>
public sealed record Participation(double Ratio, double Error, double Corrected)
{
    /// <summary>The ratio of all steps of all trials.</summary>
    /// <exception cref="ArgumentException">No unit varies, in all trials or without one of them.</exception>
    public static Participation Of(TrialSet activity)
    {
        ArgumentNullException.ThrowIfNull(activity);
        Matrix<double> centered = Samples.Centered(activity.Samples()).Centered;
        bool isTall = centered.RowCount >= centered.ColumnCount;

        // Both products have the same eigenvalues but for zeros.
        Matrix<double> product = isTall ? centered.TransposeThisAndMultiply(centered) : centered.TransposeAndMultiply(centered);
        double total = product.Trace();
        if (!(total > 0))
            throw new ArgumentException("activity: no unit varies, so it fills no dimension.");
        double whole = RatioOf(total, product);
        int trials = activity.Trials;
        if (trials < 2)
            return new Participation(whole, double.NaN, double.NaN);
        var without = new double[trials];
        for (int left = 0; left < trials; left++)
        {
            Matrix<double> rest = isTall ? WithoutTrial(centered, product, left, activity.Steps) : WithoutRows(product, left, activity.Steps);
            double variance = rest.Trace();
            if (!(variance > Rounding * total))
                throw new ArgumentException($"activity: no unit varies without trial {left}.");
            without[left] = RatioOf(variance, rest);
        }

        double mean = without.Average();
        double error = Math.Sqrt((trials - 1.0) / trials * without.Sum(ratio => (ratio - mean) * (ratio - mean)));
        return new Participation(whole, error, trials * whole - (trials - 1) * mean);
    }

    /// <summary>The share of all variance below which the variance that differences leave is rounding.</summary>
    private const double Rounding = 1e-12;

    private static double RatioOf(double total, Matrix<double> product)
    {
        double squares = product.FrobeniusNorm();
        return total * total / (squares * squares);
    }

    /// <summary>
    /// The products of units without the rows of one trial, about the mean of the other rows: as rows sum to 0, S - X_k'X_k - s_k s_k' / (rows left), where
    /// s_k are the sums of trial k. O(steps n^2), where another sum over all other rows would be O(trials steps n^2).
    /// </summary>
    private static Matrix<double> WithoutTrial(Matrix<double> centered, Matrix<double> product, int left, int steps)
    {
        Matrix<double> trial = centered.SubMatrix(left * steps, steps, 0, centered.ColumnCount);
        Vector<double> sums = trial.ColumnSums();
        return product - trial.TransposeThisAndMultiply(trial) - sums.OuterProduct(sums) / (centered.RowCount - steps);
    }

    /// <summary>The products of rows without those of one trial, about the mean of the other rows.</summary>
    private static Matrix<double> WithoutRows(Matrix<double> product, int left, int steps)
    {
        int[] kept = [.. Enumerable.Range(0, product.RowCount).Where(row => row / steps != left)];
        Matrix<double> rest = Matrix<double>.Build.Dense(kept.Length, kept.Length, (i, j) => product[kept[i], kept[j]]);
        Vector<double> means = rest.RowSums() / kept.Length;
        double all = means.Average();
        return Matrix<double>.Build.Dense(kept.Length, kept.Length, (i, j) => rest[i, j] - means[i] - means[j] + all);
    }
}

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
        double whole = Of(activity, left: -1);
        int trials = activity.Trials;
        if (trials < 2)
            return new Participation(whole, double.NaN, double.NaN);
        double[] without = [.. Enumerable.Range(0, trials).Select(left => Of(activity, left))];
        double mean = without.Average();
        double error = Math.Sqrt((trials - 1.0) / trials * without.Sum(ratio => (ratio - mean) * (ratio - mean)));
        return new Participation(whole, error, trials * whole - (trials - 1) * mean);
    }

    private static double Of(TrialSet activity, int left)
    {
        int[] kept = [.. Enumerable.Range(0, activity.Trials).Where(k => k != left)];
        Matrix<double> samples = Matrix<double>.Build.Dense(
            kept.Length * activity.Steps, activity.Units, (row, i) => activity[kept[row / activity.Steps], row % activity.Steps, i]);
        Matrix<double> centered = Samples.Centered(samples).Centered;

        // Both matrices have the same eigenvalues but for zeros.
        Matrix<double> product = centered.RowCount >= centered.ColumnCount ? centered.TransposeThisAndMultiply(centered) : centered.TransposeAndMultiply(centered);
        double total = product.Trace(), squares = product.FrobeniusNorm();
        if (!(total > 0))
            throw new ArgumentException(left < 0 ? "activity: no unit varies, so it fills no dimension." : $"activity: no unit varies without trial {left}.");
        return total * total / (squares * squares);
    }
}

using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>Numbers predicted from activity by ridge regression.</summary>
public static class Regression
{
    /// <summary>How much of the variance of a number, one a trial, is predicted in trials that were left out: for each step, at most 1.</summary>
    /// <param name="activity">The population.</param>
    /// <param name="values">The number of each trial, such as its coherence.</param>
    /// <param name="options">Parts and shrinkage.</param>
    /// <returns>1 less the sum of squared errors over that around the mean.</returns>
    /// <exception cref="ArgumentException">There are too few trials, or the number is the same in all.</exception>
    public static double[] OverTime(TrialSet activity, double[] values, DecodingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(activity);
        options ??= DecodingOptions.Standard;
        activity.CheckTrials("values", values);
        if (options.Folds < 2 || activity.Trials < options.Folds)
            throw new ArgumentException($"folds: {options.Folds} of {activity.Trials} trials; at least 2 folds are needed, and a trial in each.");
        double mean = values.Average(), variance = values.Sum(y => (y - mean) * (y - mean));
        if (!(variance > 0) || !double.IsFinite(variance))
            throw new ArgumentException("values: they must be finite and not all the same.");
        int[] parts = Decoding.Parts(new int[values.Length], options);
        return [.. Enumerable.Range(0, activity.Steps).Select(t => 1 - SquaredError(activity.AtStep(t), values, parts, options) / variance)];
    }

    private static double SquaredError(Matrix<double> at, double[] values, int[] parts, DecodingOptions options)
    {
        double sum = 0;
        for (int part = 0; part < options.Folds; part++)
        {
            int[] seen = [.. Enumerable.Range(0, values.Length).Where(k => parts[k] != part)];
            (Matrix<double> centered, Vector<double> mean) = Samples.Centered(Decoding.Rows(at, seen));
            double level = seen.Average(k => values[k]);
            Vector<double> weights = Ridge(centered, Matrix<double>.Build.Dense(seen.Length, 1, (k, _) => values[seen[k]] - level), options.Shrinkage).Column(0);
            for (int k = 0; k < values.Length; k++)
            {
                if (parts[k] != part)
                    continue;
                double error = values[k] - level - weights * (at.Row(k) - mean);
                sum += error * error;
            }
        }

        return sum;
    }

    /// <summary>Weights, shape (units, targets), from centered activity.</summary>
    internal static Matrix<double> Ridge(Matrix<double> centered, Matrix<double> targets, double shrinkage) =>
        LinearClassifier.Shrunk(centered.TransposeThisAndMultiply(centered), shrinkage).Cholesky().Solve(centered.TransposeThisAndMultiply(targets));
}

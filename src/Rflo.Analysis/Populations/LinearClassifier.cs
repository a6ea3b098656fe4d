using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>A score a class, linear in the activity; the largest wins.</summary>
internal sealed class LinearClassifier
{
    private readonly int[] _classes;
    private readonly Matrix<double> _weights;
    private readonly Vector<double> _offsets;

    private LinearClassifier(int[] classes, Matrix<double> weights, Vector<double> offsets) => (_classes, _weights, _offsets) = (classes, weights, offsets);

    public static LinearClassifier Of(Matrix<double> activity, int[] labels, DecodingOptions options)
    {
        int[] classes = [.. labels.Distinct().Order()];
        return options.Classifier == Classifier.Ridge ? Ridge(activity, labels, classes, options.Shrinkage) : Discriminant(activity, labels, classes, options.Shrinkage);
    }

    public int Predict(Vector<double> activity) => _classes[(_weights * activity + _offsets).MaximumIndex()];

    /// <summary>Scores m' S^-1 x - 1/2 m' S^-1 m + ln p of each class, S the covariance within classes and p the share of the class.</summary>
    private static LinearClassifier Discriminant(Matrix<double> activity, int[] labels, int[] classes, double shrinkage)
    {
        int units = activity.ColumnCount;
        Matrix<double> means = Matrix<double>.Build.Dense(classes.Length, units);
        Matrix<double> within = activity.Clone();
        double[] shares = new double[classes.Length];
        for (int c = 0; c < classes.Length; c++)
        {
            int[] rows = [.. Enumerable.Range(0, labels.Length).Where(k => labels[k] == classes[c])];
            Vector<double> mean = Decoding.Rows(activity, rows).ColumnSums() / rows.Length;
            means.SetRow(c, mean);
            shares[c] = rows.Length / (double)labels.Length;
            foreach (int row in rows)
                within.SetRow(row, within.Row(row) - mean);
        }

        Matrix<double> covariance = within.TransposeThisAndMultiply(within) / Math.Max(1, labels.Length - classes.Length);
        Matrix<double> weights = Shrunk(covariance, shrinkage).Cholesky().Solve(means.Transpose()).Transpose();
        Vector<double> offsets = Vector<double>.Build.Dense(classes.Length, c => -0.5 * (weights.Row(c) * means.Row(c)) + Math.Log(shares[c]));
        return new LinearClassifier(classes, weights, offsets);
    }

    private static LinearClassifier Ridge(Matrix<double> activity, int[] labels, int[] classes, double shrinkage)
    {
        (Matrix<double> centered, Vector<double> mean) = Samples.Centered(activity);
        Matrix<double> targets = Matrix<double>.Build.Dense(labels.Length, classes.Length, (k, c) => labels[k] == classes[c] ? 1 : 0);
        Vector<double> shares = targets.ColumnSums() / labels.Length;
        Matrix<double> weights = Regression.Ridge(centered, targets, shrinkage).Transpose();
        return new LinearClassifier(classes, weights, shares - weights * mean);
    }

    /// <summary>A covariance with a share of its mean variance more in every variance; where nothing varies, the identity.</summary>
    internal static Matrix<double> Shrunk(Matrix<double> covariance, double shrinkage)
    {
        double variance = covariance.Trace() / covariance.RowCount;
        Matrix<double> shrunk = covariance.Clone();
        for (int i = 0; i < shrunk.RowCount; i++)
            shrunk[i, i] += variance > 0 ? shrinkage * variance : 1;
        return shrunk;
    }
}

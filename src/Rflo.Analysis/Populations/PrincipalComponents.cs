using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Rflo.Analysis;

/// <summary>Principal components of a population, by a thin singular value decomposition.</summary>
public sealed record PrincipalComponents
{
    /// <summary>The mean of every unit, shape (units).</summary>
    public required Vector<double> Mean { get; init; }

    /// <summary>The components as columns of length 1, shape (units, components); the largest element of each is positive.</summary>
    public required Matrix<double> Components { get; init; }

    /// <summary>The variance along each, in falling order.</summary>
    public required double[] Variances { get; init; }

    /// <summary>The share of each in the variance of all.</summary>
    public double[] Explained => Array.ConvertAll(Variances, variance => variance / Variances.Sum());

    /// <summary>The components of samples, shape (samples, units): as many as the smaller of the two.</summary>
    /// <exception cref="ArgumentException">There are fewer than two samples.</exception>
    public static PrincipalComponents Of(Matrix<double> samples)
    {
        ArgumentNullException.ThrowIfNull(samples);
        if (samples.RowCount < 2)
            throw new ArgumentException($"activity: {samples.RowCount} sample has no variance; at least 2 are needed.");
        (Matrix<double> centered, Vector<double> mean) = Samples.Centered(samples);
        bool isTall = centered.RowCount >= centered.ColumnCount;
        QR<double> qr = (isTall ? centered : centered.Transpose()).QR(QRMethod.Thin);
        Svd<double> svd = qr.R.Svd();

        // X = Q R and R = U S V': rows of V' are the components of a tall X, columns of Q U those of a wide one.
        Matrix<double> components = isTall ? svd.VT.Transpose() : qr.Q * svd.U;
        for (int k = 0; k < components.ColumnCount; k++)
            if (components[components.Column(k).AbsoluteMaximumIndex(), k] < 0)
                components.SetColumn(k, -components.Column(k));
        return new PrincipalComponents
        {
            Mean = mean,
            Components = components,
            Variances = [.. svd.S.Select(s => s * s / (samples.RowCount - 1))],
        };
    }

    /// <summary>The components of all steps of all trials, or, where conditions are given, of the means over the trials of each condition.</summary>
    /// <param name="activity">The population.</param>
    /// <param name="conditions">The condition of each trial; null for single trials.</param>
    /// <exception cref="ArgumentException">There are fewer than two samples, or more or fewer conditions than trials.</exception>
    public static PrincipalComponents Of(TrialSet activity, int[]? conditions = null)
    {
        ArgumentNullException.ThrowIfNull(activity);
        return Of((conditions is null ? activity : activity.ConditionMeans(conditions)).Samples());
    }

    /// <summary>The activity along the first components, shape (trials, steps, components).</summary>
    /// <param name="activity">A population of the same units.</param>
    /// <param name="components">How many.</param>
    /// <exception cref="ArgumentException">There are not as many, or the units are others.</exception>
    public TrialSet Project(TrialSet activity, int components)
    {
        ArgumentNullException.ThrowIfNull(activity);
        if (components < 1 || components > Components.ColumnCount)
            throw new ArgumentException($"components: {components} were requested; there are {Components.ColumnCount}.");
        return activity.Project(Components.SubMatrix(0, Components.RowCount, 0, components), Mean);
    }
}

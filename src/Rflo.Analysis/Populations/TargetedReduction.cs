using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Rflo.Analysis;

/// <summary>
/// Targeted dimensionality reduction (Mante et al. 2013): the axes of a population along which variables of the task are
/// represented. Each unit and step is regressed on the variables; the coefficients are kept within the first principal components of the
/// condition means; each variable takes those of the step where they are largest; and the axes are made orthogonal in their order.
/// </summary>
public sealed record TargetedReduction
{
    /// <summary>The variables, in their order.</summary>
    public required IReadOnlyList<string> Variables { get; init; }

    /// <summary>The orthogonal axes as columns of length 1, shape (units, variables).</summary>
    public required Matrix<double> Axes { get; init; }

    /// <summary>The coefficients within the principal components before they were made orthogonal, in the step of each, shape (units, variables).</summary>
    public required Matrix<double> Coefficients { get; init; }

    /// <summary>The step from which each variable takes its axis.</summary>
    public required int[] Steps { get; init; }

    /// <summary>The mean of every unit, shape (units).</summary>
    public required Vector<double> Mean { get; init; }

    /// <summary>Finds the axes.</summary>
    /// <param name="activity">The population.</param>
    /// <param name="variables">A value a trial of each variable, by name and in the order in which axes are made orthogonal.</param>
    /// <param name="conditions">The condition of each trial, over whose means components are taken.</param>
    /// <param name="components">How many principal components are kept: 12 in the paper, at most as many as there are.</param>
    /// <exception cref="ArgumentException">Variables depend on each other, or a number does not fit.</exception>
    public static TargetedReduction Of(TrialSet activity, IReadOnlyList<KeyValuePair<string, double[]>> variables, int[] conditions, int components = 12)
    {
        ArgumentNullException.ThrowIfNull(activity);
        ArgumentNullException.ThrowIfNull(variables);
        if (variables.Count == 0)
            throw new ArgumentException("variables: there is none.");
        foreach ((string name, double[] values) in variables)
        {
            activity.CheckTrials($"variable {name}", values);
            if (!Array.TrueForAll(values, double.IsFinite))
                throw new ArgumentException($"variable {name}: a value is not finite.");
        }

        var principal = PrincipalComponents.Of(activity, conditions);
        if (components < variables.Count)
            throw new ArgumentException($"components: {components} are too few for {variables.Count} variables.");
        int kept = Math.Min(components, principal.Variances.Count(variance => variance > 1e-12 * principal.Variances[0]));
        Matrix<double> basis = principal.Components.SubMatrix(0, activity.Units, 0, kept);
        Matrix<double> solve = Solver(activity.Trials, variables);
        int[] steps = new int[variables.Count];
        Matrix<double> coefficients = Matrix<double>.Build.Dense(activity.Units, variables.Count);
        for (int t = 0; t < activity.Steps; t++)
        {
            Matrix<double> raw = (solve * activity.AtStep(t)).Transpose();
            Matrix<double> denoised = basis * basis.TransposeThisAndMultiply(raw);
            for (int v = 0; v < variables.Count; v++)
            {
                if (!(denoised.Column(v).L2Norm() > coefficients.Column(v).L2Norm()))
                    continue;
                coefficients.SetColumn(v, denoised.Column(v));
                steps[v] = t;
            }
        }

        return new TargetedReduction
        {
            Variables = [.. variables.Select(variable => variable.Key)],
            Axes = Orthogonal(coefficients, variables),
            Coefficients = coefficients,
            Steps = steps,
            Mean = principal.Mean,
        };
    }

    /// <summary>The activity along the axes, shape (trials, steps, variables).</summary>
    public TrialSet Project(TrialSet activity)
    {
        ArgumentNullException.ThrowIfNull(activity);
        return activity.Project(Axes, Mean);
    }

    /// <summary>The matrix that maps the activity of all trials to coefficients, without the row of the constant: shape (variables, trials).</summary>
    private static Matrix<double> Solver(int trials, IReadOnlyList<KeyValuePair<string, double[]>> variables)
    {
        Matrix<double> design = Matrix<double>.Build.Dense(trials, variables.Count + 1, (k, v) => v == variables.Count ? 1 : variables[v].Value[k]);
        Svd<double> svd = design.Svd();
        if (trials <= variables.Count || svd.S[variables.Count] <= 1e-10 * svd.S[0])
            throw new ArgumentException($"variables: {CircuitMap.Listed(variables.Select(variable => variable.Key))} and a constant are not independent in {trials} trials.");
        return design.PseudoInverse().SubMatrix(0, variables.Count, 0, trials);
    }

    private static Matrix<double> Orthogonal(Matrix<double> coefficients, IReadOnlyList<KeyValuePair<string, double[]>> variables)
    {
        QR<double> qr = coefficients.QR(QRMethod.Thin);
        Matrix<double> axes = qr.Q.Clone();
        for (int v = 0; v < variables.Count; v++)
        {
            if (Math.Abs(qr.R[v, v]) <= 1e-10 * coefficients.Column(v).L2Norm() || coefficients.Column(v).L2Norm() == 0)
                throw new ArgumentException($"variable {variables[v].Key}: the population has no direction of its own for it.");

            // The variable increases along its axis.
            if (qr.R[v, v] < 0)
                axes.SetColumn(v, -axes.Column(v));
        }

        return axes;
    }
}

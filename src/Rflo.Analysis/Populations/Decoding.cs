using MathNet.Numerics.LinearAlgebra;
using Rflo.Core;

namespace Rflo.Analysis;

/// <summary>A linear classifier.</summary>
public enum Classifier
{
    /// <summary>Linear discriminants: the class whose mean is nearest by the covariance that the classes share, shrunk towards a sphere.</summary>
    LinearDiscriminant,

    /// <summary>Ridge regression on one number a class, 1 or 0: the class with the largest.</summary>
    Ridge,
}

/// <summary>The options of decoding.</summary>
public sealed record DecodingOptions
{
    /// <summary>The defaults.</summary>
    public static DecodingOptions Standard { get; } = new();

    /// <summary>Which classifier.</summary>
    public Classifier Classifier { get; init; } = Classifier.LinearDiscriminant;

    /// <summary>Number of parts, each of which is predicted from the others.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>Share of the mean variance that is added to every variance, more than 0.</summary>
    public double Shrinkage { get; init; } = 0.01;

    /// <summary>Seed of the draw of the parts.</summary>
    public long Seed { get; init; }
}

/// <summary>The accuracy of labels that are predicted from activity in trials that were not used to fit the classifier.</summary>
public sealed record Decoding
{
    /// <summary>Share of trials that are predicted correctly, for each step.</summary>
    public required double[] Accuracy { get; init; }

    /// <summary>Number of trials, each predicted once.</summary>
    public required int Trials { get; init; }

    /// <summary>The share of the most frequent label: the accuracy of a guess without activity.</summary>
    public required double Chance { get; init; }

    /// <summary>Standard error of each accuracy, as though trials were independent.</summary>
    public double[] Errors => Array.ConvertAll(Accuracy, p => Math.Sqrt(p * (1 - p) / Trials));

    /// <summary>Decodes labels in each step separately; all parts have each label in the same share, as far as possible.</summary>
    /// <param name="activity">The population.</param>
    /// <param name="labels">The label of each trial.</param>
    /// <param name="options">Classifier and parts.</param>
    /// <exception cref="ArgumentException">A label has too few trials, or there is one label only.</exception>
    public static Decoding OverTime(TrialSet activity, int[] labels, DecodingOptions? options = null)
    {
        options = Checked(activity, labels, options ?? DecodingOptions.Standard);
        int[] parts = Parts(labels, options);
        double[] accuracy = new double[activity.Steps];
        for (int t = 0; t < accuracy.Length; t++)
        {
            Matrix<double> at = activity.AtStep(t);
            accuracy[t] = Right(at, at, labels, parts, options).Average();
        }

        return new Decoding { Accuracy = accuracy, Trials = activity.Trials, Chance = ChanceOf(labels) };
    }

    /// <summary>Trains in each step and tests in every other: shape (step of training, step of test).</summary>
    /// <param name="activity">The population.</param>
    /// <param name="labels">The label of each trial.</param>
    /// <param name="options">Classifier and parts.</param>
    /// <exception cref="ArgumentException">A label has too few trials, or there is one label only.</exception>
    public static Matrix<double> AcrossTime(TrialSet activity, int[] labels, DecodingOptions? options = null)
    {
        options = Checked(activity, labels, options ?? DecodingOptions.Standard);
        int[] parts = Parts(labels, options);
        Matrix<double>[] steps = [.. Enumerable.Range(0, activity.Steps).Select(activity.AtStep)];
        return Matrix<double>.Build.Dense(steps.Length, steps.Length, (train, test) => Right(steps[train], steps[test], labels, parts, options).Average());
    }

    /// <summary>The share of labels, in each part, as in the whole: which part each trial is in.</summary>
    internal static int[] Parts(int[] labels, DecodingOptions options)
    {
        var stream = new RandomStream(options.Seed, "parts");
        int[] parts = new int[labels.Length];
        int next = 0;
        foreach (int label in labels.Distinct().Order())
        {
            int[] trials = [.. Enumerable.Range(0, labels.Length).Where(k => labels[k] == label)];
            for (int k = trials.Length - 1; k > 0; k--)
            {
                int other = stream.Between(0, k + 1);
                (trials[k], trials[other]) = (trials[other], trials[k]);
            }

            foreach (int trial in trials)
                parts[trial] = next++ % options.Folds;
        }

        return parts;
    }

    private static double ChanceOf(int[] labels) => labels.GroupBy(label => label).Max(group => group.Count()) / (double)labels.Length;

    private static DecodingOptions Checked(TrialSet activity, int[] labels, DecodingOptions options)
    {
        ArgumentNullException.ThrowIfNull(activity);
        activity.CheckTrials("labels", labels);
        if (options.Folds < 2)
            throw new ArgumentException($"folds: {options.Folds}; at least 2 are needed.");
        if (!(options.Shrinkage > 0) || !double.IsFinite(options.Shrinkage))
            throw new ArgumentException(FormattableString.Invariant($"shrinkage: {options.Shrinkage}; it must be finite and more than 0."));
        if (labels.Distinct().Count() < 2)
            throw new ArgumentException("labels: all trials have the same, so there is nothing to decode.");
        IGrouping<int, int> least = labels.GroupBy(label => label).MinBy(group => group.Count())!;
        if (least.Count() < options.Folds)
            throw new ArgumentException($"labels: label {least.Key} has {least.Count()} trials, fewer than {options.Folds} folds. Record more trials, or take fewer folds.");
        return options;
    }

    /// <summary>1 for each trial that is predicted correctly by a classifier of the other parts, else 0.</summary>
    private static double[] Right(Matrix<double> train, Matrix<double> test, int[] labels, int[] parts, DecodingOptions options)
    {
        double[] right = new double[labels.Length];
        for (int part = 0; part < options.Folds; part++)
        {
            int[] seen = [.. Enumerable.Range(0, labels.Length).Where(k => parts[k] != part)];
            var classifier = LinearClassifier.Of(Rows(train, seen), [.. seen.Select(k => labels[k])], options);
            for (int k = 0; k < labels.Length; k++)
                if (parts[k] == part)
                    right[k] = classifier.Predict(test.Row(k)) == labels[k] ? 1 : 0;
        }

        return right;
    }

    internal static Matrix<double> Rows(Matrix<double> matrix, int[] rows) =>
        Matrix<double>.Build.Dense(rows.Length, matrix.ColumnCount, (row, column) => matrix[rows[row], column]);
}

using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>The activity of a population: trials of the same length, shape (trials, steps, units).</summary>
public sealed class TrialSet
{
    private readonly double[] _values;

    /// <summary>Trials from one array, which is copied.</summary>
    /// <param name="values">Shape (trials, steps, units), row-major.</param>
    /// <param name="trials">Number of trials, at least 1.</param>
    /// <param name="steps">Steps of each, at least 1.</param>
    /// <param name="units">Units, at least 1.</param>
    /// <exception cref="ArgumentException">The numbers do not fit the shape, or one of them is not finite.</exception>
    public TrialSet(double[] values, int trials, int steps, int units)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (trials < 1 || steps < 1 || units < 1)
            throw new ArgumentException($"activity: {trials} trials of {steps} steps of {units} units; there must be at least one of each.");
        if (values.Length != (long)trials * steps * units)
            throw new ArgumentException($"activity: {values.Length} numbers are not {trials} trials of {steps} steps of {units} units.");
        int wrong = Array.FindIndex(values, x => !double.IsFinite(x));
        if (wrong >= 0)
            throw new ArgumentException(FormattableString.Invariant($"activity: trial {wrong / units / steps}, step {wrong / units % steps}, unit {wrong % units} is {values[wrong]}; activity must be finite."));
        (_values, Trials, Steps, Units) = ([.. values], trials, steps, units);
    }

    /// <summary>Trials from a matrix each, shape (steps, units).</summary>
    /// <exception cref="ArgumentException">There is none, they differ in shape, or a number is not finite.</exception>
    public static TrialSet Of(IReadOnlyList<Matrix<double>> trials)
    {
        ArgumentNullException.ThrowIfNull(trials);
        if (trials.Count == 0)
            throw new ArgumentException("activity: there is no trial.");
        (int steps, int units) = (trials[0].RowCount, trials[0].ColumnCount);
        double[] values = new double[trials.Count * steps * units];
        for (int k = 0; k < trials.Count; k++)
        {
            if (trials[k].ColumnCount != units)
                throw new ArgumentException($"activity: trial {k} has {trials[k].ColumnCount} units, trial 0 has {units}.");
            if (trials[k].RowCount != steps)
                throw new ArgumentException($"activity: trial {k} has {trials[k].RowCount} steps, trial 0 has {steps}. Take a window of steps that all trials have.");
            trials[k].ToRowMajorArray().CopyTo(values, k * steps * units);
        }

        return new TrialSet(values, trials.Count, steps, units);
    }

    /// <summary>Number of trials.</summary>
    public int Trials { get; }

    /// <summary>Steps of each trial.</summary>
    public int Steps { get; }

    /// <summary>Number of units.</summary>
    public int Units { get; }

    /// <summary>The activity of a unit in a step of a trial, all counted from 0.</summary>
    public double this[int trial, int step, int unit] => _values[(trial * Steps + step) * Units + unit];

    /// <summary>All numbers, shape (trials, steps, units).</summary>
    public double[] ToArray() => [.. _values];

    /// <summary>A trial, shape (steps, units).</summary>
    public Matrix<double> Trial(int trial) => Matrix<double>.Build.Dense(Steps, Units, (t, i) => this[trial, t, i]);

    /// <summary>A step of all trials, shape (trials, units).</summary>
    public Matrix<double> AtStep(int step) => Matrix<double>.Build.Dense(Trials, Units, (k, i) => this[k, step, i]);

    /// <summary>All steps of all trials below each other, shape (trials * steps, units).</summary>
    public Matrix<double> Samples() => Matrix<double>.Build.Dense(Trials * Steps, Units, (row, i) => _values[row * Units + i]);

    /// <summary>The mean over the steps of each trial, shape (trials, units).</summary>
    public Matrix<double> MeanOverSteps() => Matrix<double>.Build.Dense(Trials, Units, (k, i) => Enumerable.Range(0, Steps).Average(t => this[k, t, i]));

    /// <summary>Some steps of every trial.</summary>
    /// <param name="first">The first of them, from 0.</param>
    /// <param name="count">How many.</param>
    /// <exception cref="ArgumentException">The trials do not have them.</exception>
    public TrialSet Window(int first, int count)
    {
        if (first < 0 || count < 1 || first + count > Steps)
            throw new ArgumentException($"window: {count} steps from step {first} are not within trials of {Steps} steps.");
        return From(Trials, count, Units, (k, t, i) => this[k, first + t, i]);
    }

    /// <summary>Some of the trials, in the order given.</summary>
    /// <param name="trials">Their numbers, from 0.</param>
    /// <exception cref="ArgumentException">None is given, or there is no such trial.</exception>
    public TrialSet Take(IReadOnlyList<int> trials)
    {
        ArgumentNullException.ThrowIfNull(trials);
        if (trials.Count == 0)
            throw new ArgumentException("trials: none of them is taken; there must be at least one.");
        foreach (int trial in trials)
            if (trial < 0 || trial >= Trials)
                throw new ArgumentException($"trials: there is no trial {trial}; they are numbered from 0 to {Trials - 1}.");
        return From(trials.Count, Steps, Units, (k, t, i) => this[trials[k], t, i]);
    }

    /// <summary>The mean of the trials of each condition, in rising order of the conditions: a trial each.</summary>
    /// <param name="conditions">The condition of each trial.</param>
    /// <exception cref="ArgumentException">There are more or fewer conditions than trials.</exception>
    public TrialSet ConditionMeans(int[] conditions)
    {
        CheckTrials("conditions", conditions);
        int[][] groups = [.. conditions.Distinct().Order().Select(one => Enumerable.Range(0, Trials).Where(k => conditions[k] == one).ToArray())];
        return From(groups.Length, Steps, Units, (k, t, i) => groups[k].Average(trial => this[trial, t, i]));
    }

    /// <summary>Every trial in other coordinates: (activity - origin) axes.</summary>
    /// <param name="axes">Shape (units, coordinates).</param>
    /// <param name="origin">Shape (units).</param>
    /// <exception cref="ArgumentException">The axes are those of another number of units.</exception>
    public TrialSet Project(Matrix<double> axes, Vector<double> origin)
    {
        ArgumentNullException.ThrowIfNull(axes);
        ArgumentNullException.ThrowIfNull(origin);
        if (axes.RowCount != Units || origin.Count != Units)
            throw new ArgumentException($"axes: they are those of {axes.RowCount} units, and the activity is that of {Units}.");
        Matrix<double> samples = Samples();
        for (int row = 0; row < samples.RowCount; row++)
            samples.SetRow(row, samples.Row(row) - origin);
        Matrix<double> turned = samples * axes;
        return From(Trials, Steps, axes.ColumnCount, (k, t, i) => turned[k * Steps + t, i]);
    }

    internal static TrialSet From(int trials, int steps, int units, Func<int, int, int, double> value)
    {
        double[] values = new double[trials * steps * units];
        for (int at = 0; at < values.Length; at++)
            values[at] = value(at / units / steps, at / units % steps, at % units);
        return new TrialSet(values, trials, steps, units);
    }

    /// <summary>Refuses what is not one value a trial.</summary>
    internal void CheckTrials<T>(string name, T[] perTrial)
    {
        ArgumentNullException.ThrowIfNull(perTrial);
        if (perTrial.Length != Trials)
            throw new ArgumentException($"{name}: {perTrial.Length} were given for {Trials} trials.");
    }
}

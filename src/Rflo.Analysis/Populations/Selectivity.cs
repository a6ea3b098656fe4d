using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>How a unit's activity depends on a factor of the task.</summary>
/// <param name="Explained">The share of the unit's variance over trials, from 0 to 1.</param>
/// <param name="P">The probability of as much without a dependence (F test); NaN of a unit that does not vary.</param>
public sealed record Effect(double Explained, double P);

/// <summary>How the units of a population depend on one factor, or on two and their interaction: analysis of variance, each effect beyond the others of its order.</summary>
public sealed record Selectivity
{
    /// <summary>The effect of the first factor on each unit.</summary>
    public required Effect[] First { get; init; }

    /// <summary>The effect of the second; empty of one factor.</summary>
    public required Effect[] Second { get; init; }

    /// <summary>The effect of their combination beyond both: nonlinear mixed selectivity (Rigotti et al. 2013); empty of one factor.</summary>
    public required Effect[] Interaction { get; init; }

    /// <summary>The units that depend on the factor, at a level.</summary>
    public int[] Selective(double level) => Units(unit => First[unit].P < level);

    /// <summary>The units that depend on both factors, or on their combination, at a level.</summary>
    public int[] Mixed(double level) => Second.Length == 0 ? [] : Units(unit => (First[unit].P < level && Second[unit].P < level) || Interaction[unit].P < level);

    /// <summary>Of one factor: the effect on the activity of each unit.</summary>
    /// <param name="activity">A number a unit and trial, shape (trials, units), such as the mean over a period.</param>
    /// <param name="factor">The level of each trial.</param>
    /// <exception cref="ArgumentException">There are too few levels or trials.</exception>
    public static Selectivity Of(Matrix<double> activity, int[] factor)
    {
        Check(activity, ("the factor", factor));
        var whole = new Design(factor);
        return new Selectivity { First = Effects(activity, new Design(), whole, whole), Second = [], Interaction = [] };
    }

    /// <summary>Of two factors and their interaction.</summary>
    /// <param name="activity">A number a unit and trial, shape (trials, units).</param>
    /// <param name="first">The level of the first factor in each trial.</param>
    /// <param name="second">That of the second.</param>
    /// <exception cref="ArgumentException">There are too few levels or trials, or a combination of levels has no trial.</exception>
    public static Selectivity Of(Matrix<double> activity, int[] first, int[] second)
    {
        Check(activity, ("the first factor", first), ("the second factor", second));
        foreach (int a in first.Distinct().Order())
            foreach (int b in second.Distinct().Order())
                if (!first.Zip(second).Contains((a, b)))
                    throw new ArgumentException($"factors: no trial has level {a} of the first and level {b} of the second.");
        int levels = second.Distinct().Count();
        int[] places = [.. second.Select(level => second.Distinct().Order().ToList().IndexOf(level))];
        int[] cells = [.. first.Select((level, k) => first.Distinct().Order().ToList().IndexOf(level) * levels + places[k])];
        Design both = new(first, second), full = new(cells);
        if (activity.RowCount <= cells.Distinct().Count())
            throw new ArgumentException($"factors: {activity.RowCount} trials are too few for {cells.Distinct().Count()} combinations; more than one in some of them is needed.");
        return new Selectivity
        {
            First = Effects(activity, new Design(second), both, full),
            Second = Effects(activity, new Design(first), both, full),
            Interaction = Effects(activity, both, full, full),
        };
    }

    private static void Check(Matrix<double> activity, params (string Name, int[] Levels)[] factors)
    {
        ArgumentNullException.ThrowIfNull(activity);
        if (activity.Enumerate().Any(x => !double.IsFinite(x)))
            throw new ArgumentException("activity: a number is not finite.");
        foreach ((string name, int[] levels) in factors)
        {
            ArgumentNullException.ThrowIfNull(levels);
            if (levels.Length != activity.RowCount)
                throw new ArgumentException($"{name}: {levels.Length} levels were given for {activity.RowCount} trials.");
            int distinct = levels.Distinct().Count();
            if (distinct < 2)
                throw new ArgumentException($"{name}: all trials have the same level.");
            if (distinct >= levels.Length)
                throw new ArgumentException($"{name}: {levels.Length} trials are too few for {distinct} levels.");
        }
    }

    /// <summary>The variance that a larger design explains beyond a smaller one, compared with the residual variance of the full one.</summary>
    private static Effect[] Effects(Matrix<double> activity, Design smaller, Design larger, Design full)
    {
        Vector<double> without = smaller.Residuals(activity), with = larger.Residuals(activity), left = full.Residuals(activity), total = new Design().Residuals(activity);
        int free = larger.Rank(activity.RowCount) - smaller.Rank(activity.RowCount), rest = activity.RowCount - full.Rank(activity.RowCount);
        return [.. Enumerable.Range(0, activity.ColumnCount).Select(unit =>
        {
            double gain = Math.Max(0, without[unit] - with[unit]);
            if (!(total[unit] > 0))
                return new Effect(0, double.NaN);
            double ratio = gain / free / (left[unit] / rest);
            return new Effect(gain / total[unit], double.IsFinite(ratio) ? 1 - FisherSnedecor.CDF(free, rest, ratio) : gain > 0 ? 0 : 1);
        })];
    }

    private int[] Units(Func<int, bool> isOne) => [.. Enumerable.Range(0, First.Length).Where(isOne)];

    /// <summary>A constant, and one column for each level of each factor but the first.</summary>
    private sealed class Design(params int[][] factors)
    {
        public int Rank(int trials) => Columns(trials).ColumnCount;

        /// <summary>The residual sum of squares of each unit; sums of the size of rounding errors are 0.</summary>
        public Vector<double> Residuals(Matrix<double> activity)
        {
            Matrix<double> q = Columns(activity.RowCount).QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).Q;
            Matrix<double> left = activity - q * q.TransposeThisAndMultiply(activity);
            return Vector<double>.Build.Dense(activity.ColumnCount, unit =>
            {
                double squares = left.Column(unit).DotProduct(left.Column(unit)), all = activity.Column(unit).DotProduct(activity.Column(unit));
                return squares <= 1e-24 * all ? 0 : squares;
            });
        }

        private Matrix<double> Columns(int trials)
        {
            var columns = new List<Vector<double>> { Vector<double>.Build.Dense(trials, 1) };
            foreach (int[] factor in factors)
                foreach (int level in factor.Distinct().Order().Skip(1))
                    columns.Add(Vector<double>.Build.Dense(trials, k => factor[k] == level ? 1 : 0));
            return Matrix<double>.Build.DenseOfColumnVectors(columns);
        }
    }
}

using System.Diagnostics.CodeAnalysis;

namespace Rflo.Core;

/// <content>Checks of names, numbers and weights.</content>
public sealed partial class GraphBuilder
{
    /// <summary>Refuses a missing name, and one that another part of its kind has: names key random streams and identify parts in messages.</summary>
    private static void CheckName(string kind, string? name, IEnumerable<string> others)
    {
        if (string.IsNullOrWhiteSpace(name))
            ThrowHelper.Invalid($"A part of the kind {kind} has no name. Give it one that no other {kind} has.");
        if (others.Contains(name, StringComparer.Ordinal))
            ThrowHelper.Invalid($"Two parts of the kind {kind} are called {name}. Give each a name of its own.");
    }

    private static void Given(string name, [NotNull] object? value)
    {
        if (value is null)
            throw new ArgumentException($"{name} is null; it must be given.");
    }

    private static void Defined<TEnum>(string name, TEnum value)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
            ThrowHelper.Invalid($"{name} is {value}, which is none of {string.Join(", ", Enum.GetNames<TEnum>())}.");
    }

    private static void Finite(string name, double[] values)
    {
        for (int k = 0; k < values.Length; k++)
            if (!double.IsFinite(values[k]))
                ThrowHelper.OutOfRange($"{name}[{k}]", values[k], "finite");
    }

    /// <summary>Refuses undefined values of enumerations, and rules that have no learner.</summary>
    private static void CheckRule(string name, LearningRule rule)
    {
        Defined($"{name}.Path", rule.Path);
        switch (rule)
        {
            case ThreeFactorRule local:
                Defined($"{name}.Memory", local.Memory);
                Defined($"{name}.Post", local.Post);
                Defined($"{name}.Third", local.Third);
                break;
            case StochasticRule stochastic:
                Defined($"{name}.Factors", stochastic.Factors);
                Defined($"{name}.Noise", stochastic.Noise);
                break;
            case BpttRule or TruncatedBpttRule or RtrlRule or KernlRule or FullForceRule:
                break;
            case CustomRule custom:
                if (string.IsNullOrWhiteSpace(custom.Description))
                    ThrowHelper.Invalid($"{name}: the rule {rule.GetType().Name} has no Description, which is part of a run's identity. Give it one, with all constants.");
                break;
            default:
                ThrowHelper.Invalid($"{name}: there is no learner for the rule {rule.GetType().Name}. A rule of your own is a {nameof(CustomRule)}, or a {nameof(ThreeFactorRule)} with functions of your own.");
                break;
        }
    }

    /// <summary>Refuses signs other than -1, 0 and 1, and initial weights that are not finite or violate a sign or a bound.</summary>
    private static void CheckWeights(ProjectionSpec projection, int pre)
    {
        foreach (sbyte sign in projection.Signs ?? [])
            if (sign is < -1 or > 1)
                ThrowHelper.OutOfRange($"{projection.Name}.Signs", sign, "-1, 1, or 0 for a unit of either sign");
        double[] weights = projection.Synapses.Weights;
        for (int k = 0; k < weights.Length; k++)
        {
            if (projection.Synapses is DenseSynapses { Exists: { } exists } && !exists[k])
                continue;
            double weight = weights[k];
            int column = projection.Synapses is SparseSynapses sparse ? sparse.Columns[k] : k % pre;
            int sign = projection.Signs is { } signs ? signs[column] : 0;
            if (!double.IsFinite(weight))
                ThrowHelper.OutOfRange(Place(projection, k, pre), weight, "finite");
            if (sign * weight < 0)
                ThrowHelper.OutOfRange(Place(projection, k, pre), weight, sign > 0 ? "at least 0: Dale's sign of its unit is 1" : "at most 0: Dale's sign of its unit is -1");
            if (!IsWithin(weight, projection.Lower, projection.Upper))
                ThrowHelper.OutOfRange(Place(projection, k, pre), weight, FormattableString.Invariant($"within its bounds, {projection.Lower} to {projection.Upper}"));
        }
    }

    /// <summary>
    /// Whether a weight is within its bounds. A weight from a run in single precision may be the bound rounded to single precision,
    /// which can lie slightly beyond it.
    /// </summary>
    private static bool IsWithin(double weight, double lower, double upper) =>
        (weight >= lower && weight <= upper) || (weight == (float)weight && weight >= (float)lower && weight <= (float)upper);

    private static string Place(ProjectionSpec projection, int entry, int pre)
    {
        if (projection.Synapses is not SparseSynapses sparse)
            return $"the weight ({entry / pre}, {entry % pre}) of {projection.Name}";
        int row = 0;
        while (sparse.RowStart[row + 1] <= entry)
            row++;
        return $"the weight ({row}, {sparse.Columns[entry]}) of {projection.Name}";
    }
}

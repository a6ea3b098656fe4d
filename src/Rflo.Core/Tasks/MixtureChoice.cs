namespace Rflo.Core;

/// <summary>A task drawn anew for every trial, with given probabilities.</summary>
public sealed class MixtureChoice : TaskChoice
{
    private readonly double[] _shares;
    private readonly string _part;

    /// <summary>A draw among tasks in proportion to <paramref name="weights"/>.</summary>
    /// <param name="weights">Each finite and more than 0; only their proportions matter.</param>
    /// <param name="part">Name of the part of a trial's stream to draw from; mixtures within mixtures need different ones.</param>
    /// <exception cref="ArgumentException">There is no weight, or one is not allowed.</exception>
    public MixtureChoice(IReadOnlyList<double> weights, string part = "mixture")
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(part);
        if (weights.Count == 0)
            ThrowHelper.NotPositive(nameof(weights), 0);
        foreach (double weight in weights)
            if (!(weight > 0) || !double.IsFinite(weight))
                ThrowHelper.OutOfRange(nameof(weights), weight, "finite and more than 0");
        double sum = weights.Sum();
        _shares = [.. weights.Select(weight => weight / sum)];
        _part = part;
    }

    /// <inheritdoc/>
    public override int Count => _shares.Length;

    /// <inheritdoc/>
    public override int Choose(int trial, RandomStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        double left = stream.Part(_part).Uniform(0, 1);
        for (int k = 0; k < _shares.Length - 1; k++)
        {
            if (left < _shares[k])
                return k;
            left -= _shares[k];
        }

        return _shares.Length - 1;
    }
}

namespace Rflo.Core;

/// <summary>A signal of the circuit that modulates a local rule, <see cref="ThirdFactor.Signal"/>.</summary>
public abstract record Neuromodulator
{
    private protected Neuromodulator()
    {
    }
}

/// <summary>The output of a readout in the step, the same for all units: M(t) = y(t).</summary>
/// <param name="Readout">The readout.</param>
/// <param name="Output">Which of its outputs.</param>
public sealed record ReadoutModulator(ReadoutId Readout, int Output = 0) : Neuromodulator;

/// <summary>
/// The temporal-difference error of a readout that predicts rewards, the same for all units:
/// M(t) = r(t) + gamma V(t) - V(t-1) (Sutton and Barto 2018, Eq 6.5, where step t is the transition from t-1 to t).
/// </summary>
/// <remarks>
/// V(t) is the output that the readout had in step t, with the weights of that step. V(0) is its output from the rates with which the
/// trial begins. The last step of a trial is terminal: V(T) counts as 0.
/// </remarks>
/// <param name="Readout">The readout whose output is V.</param>
/// <param name="Gamma">gamma, the discount of a step, in [0, 1].</param>
/// <param name="Output">Which of its outputs.</param>
public sealed record TemporalDifferenceModulator(ReadoutId Readout, double Gamma, int Output = 0) : Neuromodulator;

/// <summary>
/// Firing rates of an area, some steps ago: of one unit, the same for all that receive it, M(t) = h_k(t-d), or through fixed weights,
/// M(t) = W h(t-d).
/// </summary>
public sealed record AreaModulator : Neuromodulator
{
    /// <summary>One unit.</summary>
    /// <param name="area">The area that it is of.</param>
    /// <param name="unit">Which unit.</param>
    /// <param name="delay">d, at least 1.</param>
    public AreaModulator(AreaId area, int unit, int delay = 1) => (Area, Unit, Delay) = (area, unit, delay);

    /// <summary>All units, through weights.</summary>
    /// <param name="area">The area.</param>
    /// <param name="weights">W, shape (post, pre), row-major; copied.</param>
    /// <param name="delay">d, at least 1.</param>
    public AreaModulator(AreaId area, double[] weights, int delay = 1)
    {
        ArgumentNullException.ThrowIfNull(weights);
        (Area, Weights, Delay) = (area, [.. weights], delay);
    }

    /// <summary>The area that sends.</summary>
    public AreaId Area { get; }

    /// <summary>Which of its units, where all receive the same.</summary>
    public int Unit { get; }

    /// <summary>W, shape (post, pre), row-major; null where all units receive one rate.</summary>
    public IReadOnlyList<double>? Weights { get; }

    /// <summary>d, in steps.</summary>
    public int Delay { get; }

    /// <summary>Equal where weights are.</summary>
    public bool Equals(AreaModulator? other) =>
        other is not null && (Area, Unit, Delay) == (other.Area, other.Unit, other.Delay)
        && (Weights is null ? other.Weights is null : other.Weights is not null && Weights.SequenceEqual(other.Weights));

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Area, Unit, Delay, Weights is { Count: > 0 } weights ? weights[0] : 0);
}

namespace Rflo.Core;

/// <summary>One projection: a block of weights from a signal to the units of an area, or to a readout.</summary>
public sealed record ProjectionSpec
{
    /// <summary>Its name in the model, such as "cortex->cortex".</summary>
    public required string Name { get; init; }

    /// <summary>Where it comes from.</summary>
    public required Source Source { get; init; }

    /// <summary>Where it ends.</summary>
    public required Target Target { get; init; }

    /// <summary>Connections and weights, shape (post, pre).</summary>
    public required Synapses Synapses { get; init; }

    /// <summary>When its gate is open.</summary>
    public Gate Gate { get; init; } = Gate.Always;

    /// <summary>How it learns; null for frozen weights.</summary>
    public Plasticity? Plasticity { get; init; }

    /// <summary>
    /// Dale's law: the sign of each presynaptic unit, +1 or -1, shape (pre); null for none. A weight that an update
    /// would carry across zero becomes exactly 0, and may grow back with its own sign.
    /// </summary>
    public sbyte[]? Signs { get; init; }

    /// <summary>No weight falls below this.</summary>
    public double Lower { get; init; } = double.NegativeInfinity;

    /// <summary>No weight rises above this.</summary>
    public double Upper { get; init; } = double.PositiveInfinity;

    /// <summary>
    /// Decoupled weight decay (Loshchilov and Hutter 2019): an update also subtracts learning rate * decay * weight, past the optimizer
    /// and past clipping; once a trial, in equal parts where updates are more.
    /// </summary>
    public double Decay { get; init; }

    /// <summary>
    /// L2 penalty, lambda / 2 times the sum of squared weights, once a trial: its gradient is added to the rule's increment, before
    /// clipping and the optimizer. The reported loss does not include it.
    /// </summary>
    public double L2 { get; init; }

    /// <summary>L1 penalty, lambda times the sum of absolute weights, in the same way; a weight of 0 has no slope.</summary>
    public double L1 { get; init; }

    /// <summary>Whether a penalty enters its updates.</summary>
    internal bool IsPenalized => L1 != 0 || L2 != 0;
}

/// <summary>The feedback of a readout's error to an area: the feedback matrix B.</summary>
public sealed record FeedbackSpec
{
    /// <summary>The readout that sends its error.</summary>
    public required ReadoutId Readout { get; init; }

    /// <summary>The area that receives it.</summary>
    public required AreaId Area { get; init; }

    /// <summary>
    /// B, shape (units, outputs), row-major; null where B is the transpose of the current readout weights.
    /// </summary>
    public double[]? Matrix { get; init; }
}

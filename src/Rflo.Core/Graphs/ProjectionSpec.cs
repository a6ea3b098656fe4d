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

    /// <summary>When it lets its signal through.</summary>
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

    /// <summary>L2 decay: every update also subtracts learning rate * decay * weight.</summary>
    public double Decay { get; init; }
}

/// <summary>One way of a readout's error to an area: the feedback matrix B.</summary>
public sealed record FeedbackSpec
{
    /// <summary>Whose error.</summary>
    public required ReadoutId Readout { get; init; }

    /// <summary>Which area is told.</summary>
    public required AreaId Area { get; init; }

    /// <summary>
    /// B, shape (units, outputs), row-major; null where B is the transpose of the current readout weights.
    /// </summary>
    public double[]? Matrix { get; init; }
}

namespace Rflo.Core;

/// <summary>
/// A compiled circuit: numbers and indices, independent of how it runs and in which precision. Immutable; made by
/// <see cref="GraphBuilder"/>, run by <see cref="Session"/>.
/// </summary>
public sealed class Graph
{
    internal Graph(
        IReadOnlyList<AreaSpec> areas, IReadOnlyList<InputSpec> inputs, IReadOnlyList<ReadoutSpec> readouts,
        IReadOnlyList<ProjectionSpec> projections, IReadOnlyList<FeedbackSpec> feedbacks, IReadOnlyList<PerturbationSpec> perturbations, int history = 0)
    {
        Areas = areas;
        Inputs = inputs;
        Readouts = readouts;
        Projections = projections;
        Feedbacks = feedbacks;
        Perturbations = perturbations;
        InputChannels = inputs.Sum(input => input.Channels);
        Outputs = readouts.Sum(readout => readout.Outputs);
        Units = areas.Sum(area => area.Units);
        MaxDelay = projections.Select(projection => projection.Source.Delay).DefaultIfEmpty(1).Max();
        MaxDelay = Math.Max(1, MaxDelay);
        int oldest = projections.Select(projection => projection.Plasticity?.Rule).OfType<ThreeFactorRule>()
            .Select(rule => rule.Source).OfType<AreaModulator>().Select(modulator => modulator.Delay)
            .Append(history).Max();
        History = Math.Max(oldest, MaxDelay);
    }

    /// <summary>The areas in the order of declaration.</summary>
    public IReadOnlyList<AreaSpec> Areas { get; }

    /// <summary>The external inputs; their channels lie side by side in this order in a trial.</summary>
    public IReadOnlyList<InputSpec> Inputs { get; }

    /// <summary>The readouts; their targets lie side by side in this order in a trial.</summary>
    public IReadOnlyList<ReadoutSpec> Readouts { get; }

    /// <summary>The projections in the order of declaration.</summary>
    public IReadOnlyList<ProjectionSpec> Projections { get; }

    /// <summary>The plasticity of all trainable parameters: weights of projections, time constants and initial states of areas.</summary>
    internal IEnumerable<Plasticity> Plasticities =>
        Projections.Select(projection => projection.Plasticity).Concat(Areas.SelectMany(area => new[] { area.TauPlasticity, area.InitialPlasticity })).OfType<Plasticity>();

    /// <summary>The feedback matrices that carry errors to areas.</summary>
    public IReadOnlyList<FeedbackSpec> Feedbacks { get; }

    /// <summary>What perturbs the circuit in its trials, in the order in which it acts.</summary>
    public IReadOnlyList<PerturbationSpec> Perturbations { get; }

    /// <summary>Channels of all inputs together.</summary>
    public int InputChannels { get; }

    /// <summary>Outputs of all readouts together.</summary>
    public int Outputs { get; }

    /// <summary>Units of all areas together.</summary>
    public int Units { get; }

    /// <summary>The longest delay of any projection, in steps, at least 1.</summary>
    public int MaxDelay { get; }

    /// <summary>Steps before the first whose rates are kept: the longest delay of any projection or modulator.</summary>
    internal int History { get; }

    /// <summary>Number of weights that exist.</summary>
    public long Weights => Projections.Sum(projection => (long)projection.Synapses.Count);

    /// <summary>The shape of a projection's weights: units that receive, and presynaptic signals.</summary>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    public (int Post, int Pre) ShapeOf(ProjectionId projection)
    {
        if (projection.Index < 0 || projection.Index >= Projections.Count)
            ThrowHelper.Unknown(nameof(projection), projection.Index, Projections.Count);
        ProjectionSpec spec = Projections[projection.Index];
        return (Postsynaptic(spec), Presynaptic(spec));
    }

    /// <summary>Number of presynaptic signals of a projection: the columns of its weights.</summary>
    internal int Presynaptic(ProjectionSpec projection) => projection.Source switch
    {
        { Units: { } units } => units.Length,
        { Kind: SignalKind.Area } source => Areas[source.Index].Units,
        { Kind: SignalKind.Input } source => Inputs[source.Index].Channels,
        { Kind: SignalKind.Readout } source => Readouts[source.Index].Outputs,
        _ => 1,
    };

    /// <summary>Number of units that a projection reaches: the rows of its weights.</summary>
    internal int Postsynaptic(ProjectionSpec projection) => projection.Target switch
    {
        { Units: { } units } => units.Length,
        { IsReadout: true } target => Readouts[target.Index].Outputs,
        { } target => Areas[target.Index].Units,
    };

    /// <summary>Whether any projection carries a readout's outputs back into an area.</summary>
    internal bool IsFedBack(int readout) =>
        Projections.Any(projection => projection.Source is { Kind: SignalKind.Readout } source && source.Index == readout);
}

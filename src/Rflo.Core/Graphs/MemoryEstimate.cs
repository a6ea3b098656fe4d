namespace Rflo.Core;

/// <summary>What a session will take of memory, in bytes, known before anything is taken.</summary>
/// <param name="Weights">Weights, and increments collected between updates.</param>
/// <param name="Activity">Rates, signals, slopes and outputs of the longest trial, and the credit that BPTT and trial-end RFLO keep of it.</param>
/// <param name="Traces">Eligibility traces of online rules.</param>
/// <param name="Influence">RTRL's influence tensor: units * weights * longest delay, the only cubic thing.</param>
public sealed record MemoryEstimate(long Weights, long Activity, long Traces, long Influence)
{
    /// <summary>All of it.</summary>
    public long Total => Weights + Activity + Traces + Influence;

    /// <summary>Estimates a session of a graph.</summary>
    /// <param name="graph">The circuit, with its rules.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="precision">The numbers to compute with.</param>
    public static MemoryEstimate Of(Graph graph, int maxSteps, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(graph);
        long size = precision == Precision.Single ? sizeof(float) : sizeof(double);
        long weights = 0, traces = 0, columns = 0, row = 0;
        foreach (ProjectionSpec projection in graph.Projections)
        {
            long stored = projection.Synapses is SparseSynapses sparse ? sparse.Count * 2L : (long)graph.Postsynaptic(projection) * graph.Presynaptic(projection);
            row += graph.Presynaptic(projection);
            weights += stored;
            if (projection.Plasticity is not { LearningRate: > 0 } plastic)
                continue;
            if (plastic.Schedule is { Time: UpdateTime.TrialEnd, Trials: > 1 })
                weights += stored;
            if (plastic is { Rule: RfloRule, Schedule.Time: UpdateTime.Online } && !projection.Target.IsReadout)
                traces += stored;
            if (plastic.Rule is RtrlRule && (!projection.Target.IsReadout || graph.IsFedBack(projection.Target.Index)))
                columns += projection.Synapses.Count;
        }

        long steps = maxSteps + graph.MaxDelay + 1L;
        return new MemoryEstimate(
            weights * size, steps * (row + 4L * graph.Units + 3L * graph.Outputs) * size, traces * size,
            columns * graph.Units * graph.MaxDelay * size);
    }
}

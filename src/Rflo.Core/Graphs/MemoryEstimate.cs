namespace Rflo.Core;

/// <summary>The size of one projection, which is all that memory depends on.</summary>
/// <param name="Post">Units that receive.</param>
/// <param name="Pre">Presynaptic signals.</param>
/// <param name="Count">Connections that exist.</param>
/// <param name="IsSparse">Whether only those are stored.</param>
/// <param name="OntoReadout">Whether it ends at a readout.</param>
/// <param name="OntoFedBack">Whether that readout's outputs return to an area.</param>
/// <param name="Plasticity">How it learns; null for frozen weights.</param>
public readonly record struct BlockSize(long Post, long Pre, long Count, bool IsSparse, bool OntoReadout, bool OntoFedBack, Plasticity? Plasticity);

/// <summary>What a session will take of memory, in bytes, known before anything is taken.</summary>
/// <param name="Weights">Weights, and increments collected between updates.</param>
/// <param name="Activity">Rates, signals, slopes and outputs of the longest trial, and the credit that BPTT and trial-end RFLO keep of it.</param>
/// <param name="Traces">Eligibility traces of online rules.</param>
/// <param name="Influence">RTRL's influence tensor: units * weights * longest delay, the only cubic thing.</param>
public sealed record MemoryEstimate(double Weights, double Activity, double Traces, double Influence)
{
    /// <summary>All of it.</summary>
    public double Total => Weights + Activity + Traces + Influence;

    /// <summary>Estimates a session of a graph.</summary>
    /// <param name="graph">The circuit, with its rules.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="precision">The numbers to compute with.</param>
    public static MemoryEstimate Of(Graph graph, int maxSteps, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(graph);
        IEnumerable<BlockSize> blocks = graph.Projections.Select(projection => new BlockSize(
            graph.Postsynaptic(projection), graph.Presynaptic(projection), projection.Synapses.Count, projection.Synapses is SparseSynapses,
            projection.Target.IsReadout, projection.Target.IsReadout && graph.IsFedBack(projection.Target.Index), projection.Plasticity));
        return Of(blocks, graph.Units, graph.Outputs, graph.MaxDelay, maxSteps, precision);
    }

    /// <summary>Estimates a session from sizes alone, before a weight is drawn.</summary>
    /// <param name="blocks">The projections.</param>
    /// <param name="units">Units of all areas.</param>
    /// <param name="outputs">Outputs of all readouts.</param>
    /// <param name="maxDelay">The longest delay, in steps.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="precision">The numbers to compute with.</param>
    public static MemoryEstimate Of(IEnumerable<BlockSize> blocks, long units, long outputs, long maxDelay, long maxSteps, Precision precision)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        double size = precision == Precision.Single ? sizeof(float) : sizeof(double);
        double weights = 0, traces = 0, columns = 0, row = 0;
        foreach (BlockSize block in blocks)
        {
            // The declaration's own double-precision weights stay beside those of the session.
            double stored = block.IsSparse ? block.Count : (double)block.Post * block.Pre;
            row += block.Pre;
            weights += stored * (size + sizeof(double) + (block.IsSparse ? sizeof(int) : 0));
            if (block.Plasticity is not { LearningRate: > 0 } plastic)
                continue;
            bool waitsForLook = plastic is { Rule: TruncatedBpttRule, Schedule.IsStepwise: true };
            if (waitsForLook || !plastic.Optimiser.IsDirect || plastic.Schedule is not ({ Time: UpdateTime.Online } or { Time: UpdateTime.TrialEnd, Every: 1 }))
                weights += stored * size;
            weights += stored * size * (int)plastic.Optimiser.Kind;
            if (plastic is { Rule: ThreeFactorRule, Schedule.IsStepwise: true } && !block.OntoReadout)
                traces += stored * size;
            if (plastic.Rule is RtrlRule && (!block.OntoReadout || block.OntoFedBack))
                columns += block.Count;
        }

        double steps = maxSteps + maxDelay + 1;
        return new MemoryEstimate(
            weights, steps * (row + 4.0 * units + 3.0 * outputs) * size, traces, columns * units * maxDelay * size);
    }
}

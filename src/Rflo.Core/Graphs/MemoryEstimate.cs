namespace Rflo.Core;

/// <summary>The size of one projection, which is all that memory depends on.</summary>
/// <param name="Post">Units that receive.</param>
/// <param name="Pre">Presynaptic signals.</param>
/// <param name="Count">Connections that exist.</param>
/// <param name="IsSparse">Whether only those are stored.</param>
/// <param name="OntoReadout">Whether it ends at a readout.</param>
/// <param name="OntoFedBack">Whether that readout's outputs return to an area.</param>
/// <param name="Target">Which area or readout it ends at.</param>
/// <param name="Plasticity">How it learns; null for frozen weights.</param>
public readonly record struct BlockSize(long Post, long Pre, long Count, bool IsSparse, bool OntoReadout, bool OntoFedBack, int Target, Plasticity? Plasticity)
{
    /// <summary>Whether it solves least squares.</summary>
    internal bool IsLeastSquares => Plasticity is { LearningRate: > 0 } plastic && plastic.IsLeastSquares(OntoReadout);
}

/// <summary>The units of an area, which is what activity depends on.</summary>
/// <param name="Units">How many.</param>
/// <param name="States">State variables of each, d.</param>
/// <param name="HasStates">Whether its states are kept beside its rates: in the current form and under unit models.</param>
/// <param name="HasJacobian">Whether A(t), shape (d, d), is kept: under unit models.</param>
public readonly record struct UnitSize(long Units, int States, bool HasStates, bool HasJacobian)
{
    /// <summary>Rates, slopes and what backward passes keep, in every step; states, gains and Jacobians where there are any.</summary>
    internal double NumbersAStep => Units * (3.0 + States + (HasStates ? 2.0 * States : 0) + (HasJacobian ? (double)States * States : 0));

    /// <summary>That of an area.</summary>
    public static UnitSize Of(AreaSpec area)
    {
        ArgumentNullException.ThrowIfNull(area);
        return new UnitSize(area.Units, area.StateCount, area.Model is not null || area.Dynamics == Dynamics.CurrentForm, area.Model is not null);
    }
}

/// <summary>The memory of a session in bytes, computed before any of it is allocated.</summary>
/// <param name="Weights">Weights, increments collected between updates, and the matrices of least squares.</param>
/// <param name="Activity">Rates, signals, slopes and outputs of the longest trial, and the credit that BPTT and trial-end RFLO keep of it.</param>
/// <param name="Traces">
/// Traces of online rules, and what else has the shape of the weights. Large areas with short trials take less: online rules
/// keep products over the steps of a trial instead, which depends on more than sizes.
/// </param>
/// <param name="Influence">RTRL's influence tensor, units * weights * longest delay, the only cubic term; or its approximation.</param>
public sealed record MemoryEstimate(double Weights, double Activity, double Traces, double Influence)
{
    /// <summary>Bytes that all lanes together may take: how many there are follows from it.</summary>
    private const double MostOfLanes = 512 << 20;

    /// <summary>
    /// Activity, traces and influence of trials that run side by side: of the lanes that share updates, beside the first; or, where every update is of
    /// several trials, of those that may, which a run takes with its first update.
    /// </summary>
    public double Lanes { get; init; }

    /// <summary>All of it.</summary>
    public double Total => Weights + Activity + Traces + Influence + Lanes;

    /// <summary>How many trials of an update there is room for side by side; fewer than two are none.</summary>
    /// <param name="trials">Trials of an update.</param>
    internal int RoomFor(int trials) => (int)Math.Min(Math.Min(SideBySide.Most, trials), MostOfLanes / Math.Max(1, OfTrial));

    /// <summary>What one more trial takes that runs beside others.</summary>
    private double OfTrial => Activity + Traces + Influence;

    /// <summary>Estimates a session of a graph.</summary>
    /// <param name="graph">The circuit, with its rules.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <param name="sharing">Lanes that share every update; 1 for one trial after another.</param>
    public static MemoryEstimate Of(Graph graph, int maxSteps, Precision precision, int sharing = 1)
    {
        ArgumentNullException.ThrowIfNull(graph);
        IEnumerable<BlockSize> blocks = graph.Projections.Select(projection => new BlockSize(
            graph.Postsynaptic(projection), graph.Presynaptic(projection), projection.Synapses.Count, projection.Synapses is SparseSynapses,
            projection.Target.IsReadout, projection.Target.IsReadout && graph.IsFedBack(projection.Target.Index), projection.Target.Index, projection.Plasticity));
        return Of(blocks, [.. graph.Areas.Select(UnitSize.Of)], graph.Outputs, graph.MaxDelay, maxSteps, precision, sharing);
    }

    /// <summary>Estimates a session from sizes alone, before a weight is drawn.</summary>
    /// <param name="blocks">The projections.</param>
    /// <param name="areas">The units of each area, by the places that projections name.</param>
    /// <param name="outputs">Outputs of all readouts.</param>
    /// <param name="maxDelay">The longest delay, in steps.</param>
    /// <param name="maxSteps">The longest trial.</param>
    /// <param name="precision">The numbers to compute with.</param>
    /// <param name="sharing">Lanes that share every update; 1 for one trial after another.</param>
    public static MemoryEstimate Of(
        IEnumerable<BlockSize> blocks, IReadOnlyList<UnitSize> areas, long outputs, long maxDelay, long maxSteps, Precision precision, int sharing = 1)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        ArgumentNullException.ThrowIfNull(areas);
        long units = areas.Sum(area => area.Units * area.States);
        double unitRows = areas.Sum(area => area.NumbersAStep);
        double size = precision == Precision.Single ? sizeof(float) : sizeof(double);
        double steps = maxSteps + maxDelay + 1;
        double weights = 0, traces = 0, columns = 0, row = 0, rows = 0, square = 0;
        BlockSize[] all = [.. blocks];
        BlockSize[] inProducts = InProducts(all, maxSteps);
        rows += inProducts.DistinctBy(block => block.Target).Sum(block => block.Post);
        foreach (BlockSize block in all)
        {
            // The declaration's own double-precision weights stay beside those of the session.
            double stored = block.IsSparse ? block.Count : (double)block.Post * block.Pre;
            row += block.Pre;
            weights += stored * (size + sizeof(double) + (block.IsSparse ? sizeof(int) : 0));
            if (block is { IsLeastSquares: true, OntoReadout: false })
                rows += 2 * block.Post;
            if (block.IsLeastSquares || block.Plasticity is not { LearningRate: > 0 } plastic)
                continue;
            bool waitsForLook = plastic is { Rule: TruncatedBpttRule, Schedule.IsStepwise: true };
            if (sharing > 1 || waitsForLook || !plastic.IsDirect || plastic.Schedule is not ({ Time: UpdateTime.Online } or { Time: UpdateTime.TrialEnd, Every: 1 }))
                weights += stored * size;
            weights += stored * size * plastic.Optimizer.Memory;
            if (plastic.Rule is RtrlRule && (!block.OntoReadout || block.OntoFedBack))
                columns += block.Count;
            if (block.OntoReadout)
                continue;
            if (!inProducts.Contains(block))
                traces += LikeWeights(plastic) * stored * size * (plastic.Rule is ThreeFactorRule { Post: PostSignal.Slope } ? areas[block.Target].States : 1);
            rows += RowOfSteps(plastic, block);
            columns += plastic.Rule is StochasticRule { Factors: InfluenceFactors.ReverseKronecker } ? block.Pre : 0;
            square = Math.Max(square, plastic.Rule switch
            {
                StochasticRule { Factors: InfluenceFactors.Kronecker } => (double)units * units * maxDelay,
                KernlRule => (double)units * units,
                _ => 0,
            });
        }

        var one = new MemoryEstimate(
            weights + LeastSquares(all), steps * (row + rows + unitRows + 3.0 * outputs) * size, traces, (columns * units * maxDelay + square) * size);
        if (sharing > 1)
            return one with { Lanes = (sharing - 1) * one.OfTrial };
        int lanes = one.RoomFor(TrialsOfUpdate(all));
        return lanes < 2 ? one : one with { Lanes = lanes * one.OfTrial };
    }

    /// <summary>Trials of the shortest update; 0 where they do not run side by side.</summary>
    private static int TrialsOfUpdate(BlockSize[] blocks)
    {
        Plasticity[] learning = [.. blocks.Select(block => block.Plasticity).OfType<Plasticity>()];
        return SideBySide.OfLearning(learning, blocks.Any(block => block.IsLeastSquares)) is null
            ? learning.Where(plasticity => plasticity.LearningRate > 0).Min(plasticity => plasticity.Schedule.Every)
            : 0;
    }

    /// <summary>
    /// The projections of which UORO keeps its factor as products over the steps of a trial: all that learn by it at ends of
    /// trials, where they are dense and products are less than matrices, or none.
    /// </summary>
    private static BlockSize[] InProducts(BlockSize[] all, long maxSteps)
    {
        BlockSize[] learning = [.. all.Where(block => !block.OntoReadout && block.Plasticity is
            { LearningRate: > 0, Rule: StochasticRule { Factors: InfluenceFactors.RankOne }, Schedule.IsStepwise: false })];
        double rows = learning.DistinctBy(block => block.Target).Sum(block =>
            block.Post + all.Where(other => !other.OntoReadout && other.Target == block.Target).Sum(other => (double)other.Pre));
        bool pays = !learning.Any(block => block.IsSparse) && WeightFactor.ProductsPay(maxSteps, rows, learning.Sum(block => (double)block.Post * block.Pre));
        return pays ? learning : [];
    }

    /// <summary>How often a rule keeps something in the shape of the weights: traces, factors, sums of a trial.</summary>
    private static int LikeWeights(Plasticity plastic) => plastic.Rule switch
    {
        ThreeFactorRule => plastic.Schedule.IsStepwise ? 1 : 0,
        StochasticRule { Factors: InfluenceFactors.RankOne } => 2,
        KernlRule => plastic.Schedule.IsStepwise ? 1 : 2,

        // A sum, and weights and increments in double precision.
        CustomRule => 3,
        _ => 0,
    };

    /// <summary>Numbers that a rule keeps of each step of a trial, beyond what the network keeps itself.</summary>
    private static double RowOfSteps(Plasticity plastic, BlockSize block) => plastic.Rule switch
    {
        ThreeFactorRule local =>
            (local.Post != PostSignal.Slope || !local.PostShaping.IsPlain ? block.Post : 0)
            + (local.PreAlpha < 1 || !local.PreShaping.IsPlain ? block.Pre : 0)
            + (local.Memory == TraceMemory.OwnJacobian ? block.Post : 0)
            + (local.Source is AreaModulator { Weights: not null } ? block.Post : 0),
        StochasticRule { Factors: not InfluenceFactors.RankOne } => block.Post + block.Pre,
        _ => 0,
    };

    /// <summary>
    /// The matrices of least squares over all presynaptic signals of a readout: one for all outputs, or one for each where some
    /// connections do not exist; an update of ridge regression takes two more. Masks that differ between outputs are not
    /// counted, since they are known only when trials are generated.
    /// </summary>
    private static double LeastSquares(BlockSize[] blocks) =>
        blocks.Where(block => block.IsLeastSquares).GroupBy(block => (block.OntoReadout, block.Target, Solved: block.OntoReadout ? (object)block.Plasticity!.Readout : block.Plasticity!.Rule)).Sum(group =>
        {
            double outputs = group.First().Post, signals = group.Sum(block => (double)block.Count / block.Post);
            double matrices = group.All(block => block.Count == block.Post * block.Pre) ? 1 : outputs;
            return sizeof(double) * signals * signals * (matrices + (group.Key.Solved is RidgeReadout ? 2 : 0));
        });
}

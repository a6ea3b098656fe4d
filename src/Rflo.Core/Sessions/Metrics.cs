namespace Rflo.Core;

/// <summary>What was measured in each trained trial; grows with the run.</summary>
public sealed class Metrics
{
    private readonly double[][] _alignments;

    internal Metrics(int feedbacks)
    {
        _alignments = new double[feedbacks][];
        for (int k = 0; k < feedbacks; k++)
            _alignments[k] = [];
    }

    /// <summary>Number of trials measured.</summary>
    public int Count { get; private set; }

    /// <summary>The trial with the smallest loss, the first of several; -1 where there was none.</summary>
    public int BestTrial { get; private set; } = -1;

    /// <summary>L of every trial, measured while it ran and so before its update.</summary>
    public ReadOnlySpan<double> Losses => LossBuffer.AsSpan(0, Count);

    /// <summary>Wall time of every trial, in seconds.</summary>
    public ReadOnlySpan<double> Seconds => SecondsBuffer.AsSpan(0, Count);

    /// <summary>The rewards that the task gave in every trial, summed over its steps; 0 where it gives none.</summary>
    public ReadOnlySpan<double> Rewards => RewardBuffer.AsSpan(0, Count);

    /// <summary>What the session's probes have measured, a series for each of their columns.</summary>
    public IReadOnlyList<ProbeSeries> Probes { get; internal set; } = [];

    private double[] LossBuffer { get; set; } = [];

    private double[] SecondsBuffer { get; set; } = [];

    private double[] RewardBuffer { get; set; } = [];

    /// <summary>
    /// Alignment after every trial's update: sum W_out B / (|W_out| |B|), both as vectors (Murray 2019, Fig 2c).
    /// </summary>
    /// <param name="feedback">Place of the feedback in the graph.</param>
    public ReadOnlySpan<double> Alignments(int feedback) => _alignments[feedback].AsSpan(0, Count);

    /// <summary>The losses as an array of their own.</summary>
    public double[] CopyLosses() => Losses.ToArray();

    /// <summary>The times as an array of their own.</summary>
    public double[] CopySeconds() => Seconds.ToArray();

    /// <summary>The sums of rewards as an array of their own.</summary>
    public double[] CopyRewards() => Rewards.ToArray();

    /// <summary>The alignments of one feedback as an array of their own.</summary>
    public double[] CopyAlignments(int feedback) => Alignments(feedback).ToArray();

    /// <summary>Saves or restores all that was measured; a visitor that restores a number of trials finds the room for them.</summary>
    internal void Visit(StateVisitor visitor)
    {
        int count = Count, best = BestTrial;
        visitor.Visit("trials", ref count);
        visitor.Visit("best", ref best);
        if (visitor.Restores)
        {
            BestTrial = best;
            Count = 0;
            Reserve(count);
            Count = count;
        }

        visitor.Visit("losses", LossBuffer.AsSpan(0, count));
        visitor.Visit("seconds", SecondsBuffer.AsSpan(0, count));
        visitor.Visit("rewards", RewardBuffer.AsSpan(0, count));
        for (int k = 0; k < _alignments.Length; k++)
            visitor.Visit("alignment", _alignments[k].AsSpan(0, count), k);
        for (int k = 0; k < Probes.Count; k++)
            Probes[k].Visit(visitor.Of("probe", k));
    }

    /// <summary>Makes room, so that measuring allocates nothing.</summary>
    internal void Reserve(int trials)
    {
        if (trials <= LossBuffer.Length - Count)
            return;

        // At least twice the room, so that many short runs do not copy everything each time.
        int needed = (int)Math.Min(Array.MaxLength, Math.Max((long)Count + trials, 2L * LossBuffer.Length));
        LossBuffer = Grown(LossBuffer, needed);
        SecondsBuffer = Grown(SecondsBuffer, needed);
        RewardBuffer = Grown(RewardBuffer, needed);
        for (int k = 0; k < _alignments.Length; k++)
            _alignments[k] = Grown(_alignments[k], needed);
    }

    internal void Add(double loss, double seconds, double reward)
    {
        Reserve(1);
        LossBuffer[Count] = loss;
        SecondsBuffer[Count] = seconds;
        if (BestTrial < 0 || loss < LossBuffer[BestTrial])
            BestTrial = Count;
        RewardBuffer[Count] = reward;
        Count++;
    }

    /// <summary>Forgets trials that could not be finished.</summary>
    /// <param name="count">How many trials stay.</param>
    /// <param name="best">The best of them.</param>
    internal void Truncate(int count, int best) => (Count, BestTrial) = (count, best);

    /// <summary>The alignment of the trial added last.</summary>
    internal void SetAlignment(int feedback, double alignment) => _alignments[feedback][Count - 1] = alignment;

    private static double[] Grown(double[] old, int length)
    {
        double[] grown = new double[length];
        old.CopyTo(grown, 0);
        return grown;
    }
}

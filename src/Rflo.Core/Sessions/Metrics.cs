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

    /// <summary>
    /// The trial with which the smallest mean loss was reached, over the window of <see cref="Session.Stopping"/>, or the smallest validation
    /// loss where <see cref="Stopping.ByValidation"/> is set; the first of several; -1 before there was any.
    /// </summary>
    public int BestTrial => Choice.BestTrial;

    /// <summary>L of every trial, measured while it ran and so before its update; NaN where the trial had no target.</summary>
    public ReadOnlySpan<double> Losses => LossBuffer.AsSpan(0, Count);

    /// <summary>Wall time of every trial, in seconds.</summary>
    public ReadOnlySpan<double> Seconds => SecondsBuffer.AsSpan(0, Count);

    /// <summary>The rewards that the task gave in every trial, summed over its steps; 0 where it gives none.</summary>
    public ReadOnlySpan<double> Rewards => RewardBuffer.AsSpan(0, Count);

    /// <summary>Steps of every trial.</summary>
    public ReadOnlySpan<int> Steps => StepBuffer.AsSpan(0, Count);

    /// <summary>Whether the last trial had no target, and so no loss: its NaN is no divergence.</summary>
    public bool LastIsUnscored { get; private set; }

    /// <summary>The mean loss of the last trials.</summary>
    internal LossWindow Window { get; private set; } = new(Stopping.DefaultWindow);

    /// <summary>The mean loss that early stopping, schedules and the choice of the best weights use.</summary>
    internal LossWindow Choice => IsByValidation ? ValidationWindow : Window;

    /// <summary>Whether that is the validation loss.</summary>
    internal bool IsByValidation { get; set; }

    /// <summary>The results of test trials; null where none are run.</summary>
    internal ValidationSeries? Validation
    {
        get;
        set => (field, ValidationWindow) = (value, new LossWindow(1));
    }

    private LossWindow ValidationWindow { get; set; } = new(1);

    /// <summary>What the session's probes have measured, a series for each of their columns.</summary>
    public IReadOnlyList<ProbeSeries> Probes { get; internal set; } = [];

    private double[] LossBuffer { get; set; } = [];

    private double[] SecondsBuffer { get; set; } = [];

    private double[] RewardBuffer { get; set; } = [];

    private int[] StepBuffer { get; set; } = [];

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

    /// <summary>The numbers of steps as an array of their own.</summary>
    public int[] CopySteps() => Steps.ToArray();

    /// <summary>The alignments of one feedback as an array of their own.</summary>
    public double[] CopyAlignments(int feedback) => Alignments(feedback).ToArray();

    /// <summary>Saves or restores all that was measured; when a number of trials is restored, memory for them is allocated.</summary>
    internal void Visit(StateVisitor visitor)
    {
        int count = Count;
        visitor.Visit("trials", ref count);
        if (visitor.Restores)
        {
            Count = 0;
            Reserve(count);
            Count = count;
        }

        visitor.Visit("losses", LossBuffer.AsSpan(0, count));
        visitor.Visit("seconds", SecondsBuffer.AsSpan(0, count));
        visitor.Visit("rewards", RewardBuffer.AsSpan(0, count));
        visitor.Visit("steps", StepBuffer.AsSpan(0, count));
        for (int k = 0; k < _alignments.Length; k++)
            visitor.Visit("alignment", _alignments[k].AsSpan(0, count), k);
        for (int k = 0; k < Probes.Count; k++)
            Probes[k].Visit(visitor.Of("probe", k));
        if (visitor.Restores)
            ValidationWindow = new LossWindow(1);
        if (visitor.Restores)
            LookAt(Window.Length);
        if (visitor.Restores && Validation is { } validation)
            for (int k = 0; k < validation.Loss.Count; k++)
                ValidationWindow.Add(validation.Loss[k].Trial, validation.Loss[k].Value);
    }

    /// <summary>Adds the results of test trials after a trial.</summary>
    internal void AddValidation(int trial, double loss, double performance)
    {
        Validation!.Loss.Add(trial, loss);
        Validation.Performance.Add(trial, performance);
        ValidationWindow.Add(trial, loss);
    }

    /// <summary>Sets the trials of the mean for early stopping; means of the trials so far are recomputed from their losses.</summary>
    internal void LookAt(int trials)
    {
        Window = new LossWindow(trials);
        for (int trial = 0; trial < Count; trial++)
            Window.Add(trial, LossBuffer[trial]);
    }

    /// <summary>Allocates memory in advance, so that measuring allocates nothing.</summary>
    internal void Reserve(int trials)
    {
        if (trials <= LossBuffer.Length - Count)
            return;

        // At least twice the size, so that many short runs do not copy everything each time.
        int needed = (int)Math.Min(Array.MaxLength, Math.Max((long)Count + trials, 2L * LossBuffer.Length));
        LossBuffer = Grown(LossBuffer, needed);
        SecondsBuffer = Grown(SecondsBuffer, needed);
        RewardBuffer = Grown(RewardBuffer, needed);
        StepBuffer = Grown(StepBuffer, needed);
        for (int k = 0; k < _alignments.Length; k++)
            _alignments[k] = Grown(_alignments[k], needed);
    }

    /// <param name="loss">L; of a diverged trial it may be infinite or NaN.</param>
    /// <param name="isUnscored">Whether the trial had no target, so that it has no loss.</param>
    /// <param name="seconds">Wall time.</param>
    /// <param name="reward">Sum of its rewards.</param>
    /// <param name="steps">Its steps.</param>
    internal void Add(double loss, bool isUnscored, double seconds, double reward, int steps)
    {
        Reserve(1);
        LossBuffer[Count] = isUnscored ? double.NaN : loss;
        LastIsUnscored = isUnscored;
        SecondsBuffer[Count] = seconds;
        RewardBuffer[Count] = reward;
        StepBuffer[Count] = steps;
        Window.Add(Count, LossBuffer[Count]);
        Count++;
    }

    /// <summary>Removes trials that could not be finished.</summary>
    /// <param name="count">How many trials stay.</param>
    internal void Truncate(int count)
    {
        Count = count;
        LookAt(Window.Length);
    }

    /// <summary>The alignment of the trial added last.</summary>
    internal void SetAlignment(int feedback, double alignment) => _alignments[feedback][Count - 1] = alignment;

    private static TNumber[] Grown<TNumber>(TNumber[] old, int length)
    {
        var grown = new TNumber[length];
        old.CopyTo(grown, 0);
        return grown;
    }
}

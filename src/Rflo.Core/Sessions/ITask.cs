namespace Rflo.Core;

/// <summary>Inputs and targets, trial by trial.</summary>
public interface ITask
{
    /// <summary>The number of input channels.</summary>
    int Inputs { get; }

    /// <summary>The number of outputs, for which the task has targets.</summary>
    int Outputs { get; }

    /// <summary>The longest trial, in steps.</summary>
    int MaxSteps { get; }

    /// <summary>Kinds of events that the task marks, for gates.</summary>
    int Events { get; }

    /// <summary>Whether its trials carry rewards. Where this is false, a rule that uses rewards changes no weights.</summary>
    bool GivesRewards => false;

    /// <summary>
    /// Names of the conditions of a trial, such as "coherence": <see cref="Trial.Conditions"/>, in this order. No number
    /// of a run depends on them.
    /// </summary>
    IReadOnlyList<string> Conditions => [];

    /// <summary>
    /// Whether <see cref="Performance"/> follows from its arguments alone, whichever trial was filled last. Test trials run side by side where it does, or
    /// where the task does not implement it.
    /// </summary>
    bool IsPerformancePure => false;

    /// <summary>The performance in a trial, such as 1 for a correct choice and 0 for a wrong one; NaN where the task or the trial defines none.</summary>
    /// <param name="trial">The trial that was filled last; where <see cref="IsPerformancePure"/>, any that was filled.</param>
    /// <param name="outputs">y(t) of all readouts side by side, shape (steps, outputs), row-major.</param>
    double Performance(Trial trial, double[] outputs) => double.NaN;

    /// <summary>Writes one trial.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="stream">Random numbers of this trial and no other; the object is reused for the next trial.</param>
    /// <param name="into">
    /// The trial to fill. It is as a new one: <see cref="MaxSteps"/> steps, inputs, targets and rewards 0, no events, every target counts, conditions NaN.
    /// </param>
    /// <remarks>
    /// Inputs, rewards, masks and the targets that count must be finite, masks at least 0. A target whose mask is 0 may be
    /// anything, such as NaN for "no target". A run of a trial that breaks this ends as <see cref="RunEnd.Failed"/>.
    /// Where an update is of several trials, all of them may be filled before the first is run, in order and on one thread; test trials likewise
    /// (<see cref="Session.Evaluate"/>). A task whose trials depend on learning implements <see cref="IProgressTask"/>.
    /// </remarks>
    void Fill(int trial, RandomStream stream, Trial into);
}

/// <summary>One presentation: inputs, targets, mask and events of steps 1 .. <see cref="Steps"/>.</summary>
public sealed class Trial
{
    private int _steps;

    /// <summary>An empty trial with room for <paramref name="maxSteps"/> steps; every target counts.</summary>
    /// <param name="maxSteps">The most steps.</param>
    /// <param name="inputs">Input channels.</param>
    /// <param name="outputs">Outputs.</param>
    /// <param name="events">Kinds of events.</param>
    /// <param name="conditions">Conditions (<see cref="ITask.Conditions"/>).</param>
    /// <exception cref="ArgumentException">An array would be longer than arrays can be.</exception>
    public Trial(int maxSteps, int inputs, int outputs, int events, int conditions = 0)
    {
        if (!Storage.IsSketch)
            SizeLimits.OfTrial(maxSteps, inputs, outputs, events);
        MaxSteps = maxSteps;
        InputChannels = inputs;
        Outputs = outputs;
        Inputs = Storage.New<double>((long)maxSteps * inputs);
        Targets = Storage.New<double>((long)maxSteps * outputs);
        Mask = Storage.New<double>((long)maxSteps * outputs);
        Mask.AsSpan().Fill(1);
        Events = Storage.New<bool>((long)maxSteps * events);
        Rewards = Storage.New<double>(maxSteps);
        EventKinds = events;
        Conditions = new double[conditions];
        Conditions.AsSpan().Fill(double.NaN);
        _steps = maxSteps;
    }

    /// <summary>An empty trial with room for any of a task's.</summary>
    public static Trial For(ITask task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return new Trial(task.MaxSteps, task.Inputs, task.Outputs, task.Events, task.Conditions.Count);
    }

    /// <summary>Steps T of this trial, 1 .. <see cref="MaxSteps"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not in that range.</exception>
    public int Steps
    {
        get => _steps;
        set
        {
            if (value < 1 || value > MaxSteps)
                ThrowHelper.OutOfRange(nameof(Steps), value, $"in 1 .. {MaxSteps}");
            _steps = value;
        }
    }

    /// <summary>Makes it as a new one: all its steps, inputs, targets and rewards 0, no events, every target counts, conditions NaN.</summary>
    public void Clear()
    {
        _steps = MaxSteps;
        Inputs.AsSpan().Clear();
        Targets.AsSpan().Clear();
        Mask.AsSpan().Fill(1);
        Events.AsSpan().Clear();
        Rewards.AsSpan().Clear();
        Conditions.AsSpan().Fill(double.NaN);
    }

    /// <summary>The room there is, in steps.</summary>
    public int MaxSteps { get; }

    /// <summary>Input channels.</summary>
    public int InputChannels { get; }

    /// <summary>Outputs.</summary>
    public int Outputs { get; }

    /// <summary>Kinds of events.</summary>
    public int EventKinds { get; }

    /// <summary>x(t), shape (steps, channels), row-major; row 0 is step t = 1.</summary>
    public double[] Inputs { get; }

    /// <summary>y*(t), shape (steps, outputs), row-major; row 0 is step t = 1. Not read where the mask is 0.</summary>
    public double[] Targets { get; }

    /// <summary>m(t), shape (steps, outputs): 1 where a target counts, 0 where not, or any weight between.</summary>
    public double[] Mask { get; }

    /// <summary>The reward that the task gives in each step, shape (steps); 0 where it gives none.</summary>
    public double[] Rewards { get; }

    /// <summary>Which events happen, shape (steps, kinds).</summary>
    public bool[] Events { get; }

    /// <summary>The conditions of the trial, one number for each of <see cref="ITask.Conditions"/>; NaN where the trial has none of that name.</summary>
    public double[] Conditions { get; }

    /// <summary>Whether any target counts, in any step. A trial in which none does has no loss.</summary>
    public bool HasTarget
    {
        get
        {
            foreach (double weight in Mask.AsSpan(0, Steps * Outputs))
                if (weight > 0)
                    return true;
            return false;
        }
    }
}

namespace Rflo.Core;

/// <summary>
/// The learning rate of each trial, as a factor of the declared one: a state that is kept between trials, and an update of it by
/// each trial's loss. An assembly adds a schedule by deriving from this.
/// </summary>
public abstract record LearningRateSchedule
{
    /// <summary>The same throughout.</summary>
    public static LearningRateSchedule Constant { get; } = new ConstantRate();

    /// <summary>How many numbers are kept from one trial to the next.</summary>
    public virtual int Memory => 0;

    /// <summary>
    /// Its description, with all of its constants, such as "halved every 500 trials". Schedules that differ need different descriptions: it is
    /// part of a run's identity.
    /// </summary>
    public abstract string Description { get; }

    /// <summary>Its constants that are out of range, each with what is allowed.</summary>
    public virtual IEnumerable<OutOfRange> Problems => [];

    /// <summary>Sets what is kept as it is before the first trial; all 0 if this does nothing.</summary>
    /// <param name="memory">What is kept, shape (<see cref="Memory"/>).</param>
    public virtual void Initialize(Span<double> memory)
    {
    }

    /// <summary>The factor in a trial.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="memory">What is kept.</param>
    /// <returns>Finite and at least 0.</returns>
    public abstract double Factor(int trial, ReadOnlySpan<double> memory);

    /// <summary>After a trial: takes its loss.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="loss">The mean loss over the window of the run, of trials that have a target; NaN before there is one.</param>
    /// <param name="memory">What is kept. Updated.</param>
    public virtual void Observe(int trial, double loss, Span<double> memory)
    {
    }

    /// <summary><see cref="Description"/>, whatever the culture.</summary>
    public sealed override string ToString() => Description;
}

/// <summary>The same rate throughout.</summary>
public sealed record ConstantRate : LearningRateSchedule
{
    /// <inheritdoc/>
    public override string Description => "constant";

    /// <inheritdoc/>
    public override double Factor(int trial, ReadOnlySpan<double> memory) => 1;
}

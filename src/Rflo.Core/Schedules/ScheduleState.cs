using System.Diagnostics.CodeAnalysis;

namespace Rflo.Core;

/// <summary>The state of a schedule in a run: the factor of the current trial, and what is kept between trials.</summary>
internal sealed class ScheduleState
{
    private readonly LearningRateSchedule _schedule;
    private readonly double[] _memory;

    public ScheduleState(LearningRateSchedule schedule)
    {
        _schedule = schedule;
        _memory = new double[schedule.Memory];
        schedule.Initialize(_memory);
    }

    /// <summary>The factor of the current trial.</summary>
    public double Factor { get; private set; } = 1;

    /// <summary>Saves or restores what is kept.</summary>
    public void Visit(StateVisitor visitor) => visitor.Visit<double>("schedule", _memory);

    /// <summary>Before the first step of a trial.</summary>
    /// <exception cref="TaskException">A function of the user's threw, or gave no factor.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "The function of a schedule is user code and may throw anything.")]
    public void Begin(int trial)
    {
        try
        {
            Factor = _schedule.Factor(trial, _memory);
            if (!(Factor >= 0) || !double.IsFinite(Factor))
                ThrowHelper.Invalid(FormattableString.Invariant($"the factor is {Factor}; it must be finite and at least 0"));
        }
        catch (Exception e)
        {
            throw new TaskException(0, $"the learning rate schedule, {_schedule.Description}", e);
        }
    }

    /// <summary>After a trial: takes its loss.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A schedule may be user code and may throw anything.")]
    public void Observe(int trial, double loss)
    {
        try
        {
            _schedule.Observe(trial, loss, _memory);
        }
        catch (Exception e)
        {
            throw new TaskException(0, $"the learning rate schedule, {_schedule.Description}", e);
        }
    }
}

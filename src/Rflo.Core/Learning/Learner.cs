using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// One way of learning at work on some projections of a network. In every step all learners are first told (they read
/// errors and weights), then all learn (they may change weights), so that none sees another's change of the same step.
/// At the end of a trial it is the same: all conclude, then all end.
/// </summary>
internal abstract class Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What it calculates, and what it reads and writes for that. One without an operator in the steps is not called in them.</summary>
    public abstract IReadOnlyList<PlanOperator> Operators { get; }

    /// <summary>What it learns by and where. The same for the learners of a probe as for those that train.</summary>
    public LearnerKey Key { get; set; } = LearnerKey.None;

    /// <summary>Forgets the trial before.</summary>
    /// <param name="trial">Number of the trial that begins; its random draws are keyed by it.</param>
    /// <param name="steps">Steps T of that trial.</param>
    public virtual void Begin(int trial, int steps)
    {
    }

    /// <summary>After the forward step: takes what it needs of errors and weights.</summary>
    public virtual void Tell(int step)
    {
    }

    /// <summary>After all were told: advances traces, and changes weights if it learns online.</summary>
    public virtual void Learn(int step)
    {
    }

    /// <summary>After the time constants of an area were set between two trials: what it derived from the old ones follows.</summary>
    public virtual void FollowTimeConstants(AreaState<T> area)
    {
    }

    /// <summary>Saves or restores what it keeps from one trial to the next.</summary>
    public virtual void Visit(StateVisitor visitor)
    {
    }

    /// <summary>After the last step: takes what it needs of errors and weights.</summary>
    public virtual void Conclude(int steps)
    {
    }

    /// <summary><see cref="Conclude"/> of trials that ran side by side, with the bits of one after the other.</summary>
    /// <param name="twins">The learner of each lane that is this one's, this one first.</param>
    /// <param name="steps">Steps of each of their trials.</param>
    /// <param name="panels">For products that are made together.</param>
    public virtual void ConcludeTogether(ReadOnlySpan<Learner<T>> twins, ReadOnlySpan<int> steps, LanePanels<T> panels)
    {
        for (int k = 0; k < twins.Length; k++)
            twins[k].Conclude(steps[k]);
    }

    /// <summary>After all have concluded: changes weights if it learns at ends of trials.</summary>
    public virtual void End(int steps)
    {
    }

    /// <summary>Whether it keeps trials, beside those of projections, whose update is still to come.</summary>
    public virtual bool HasOpenBatch => false;

    /// <summary>Applies them, fewer than an update is made of.</summary>
    /// <param name="trial">The last of them.</param>
    public virtual void ApplyOpenBatch(int trial)
    {
    }
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A learning rule for some projections of a network. In every step all learners first observe (they read errors and weights),
/// then all apply updates (they may change weights), so that none reads another's update of the same step. At the end of a
/// trial all observe the trial first, then all apply its updates.
/// </summary>
internal abstract class Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Its calculations, with the buffers that they read and write. A learner without an operator in the steps is not called in them.</summary>
    public abstract IReadOnlyList<PlanOperator> Operators { get; }

    /// <summary>What its own arrays are for, in a plan.</summary>
    public virtual BufferPurpose Purpose => BufferPurpose.Traces;

    /// <summary>Identifies it by its part and plasticity. The learners of a probe have the same keys as those that train.</summary>
    public LearnerKey Key { get; set; } = LearnerKey.None;

    /// <summary>Before the first step of a trial: resets the state of the trial before.</summary>
    /// <param name="trial">Number of the trial that begins; its random draws are keyed by it.</param>
    /// <param name="steps">Steps T of that trial.</param>
    public virtual void Begin(int trial, int steps)
    {
    }

    /// <summary>After the forward step: reads errors and weights.</summary>
    public virtual void ObserveStep(int step)
    {
    }

    /// <summary>After all have observed the step: advances traces, and changes weights if it learns online.</summary>
    public virtual void ApplyStep(int step)
    {
    }

    /// <summary>After the time constants of an area were set between two trials: recomputes what it derived from the old ones.</summary>
    public virtual void FollowTimeConstants(AreaState<T> area)
    {
    }

    /// <summary>Saves or restores what it keeps from one trial to the next.</summary>
    public virtual void Visit(StateVisitor visitor)
    {
    }

    /// <summary>After the last step: reads errors and weights of the trial.</summary>
    public virtual void ObserveTrial(int steps)
    {
    }

    /// <summary><see cref="ObserveTrial"/> of trials that ran in parallel lanes, with the bits of one after the other.</summary>
    /// <param name="twins">The corresponding learner of each lane, this one first.</param>
    /// <param name="steps">Steps of each of their trials.</param>
    /// <param name="panels">Memory of joint products.</param>
    public virtual void ObserveTrials(ReadOnlySpan<Learner<T>> twins, ReadOnlySpan<int> steps, LanePanels<T> panels)
    {
        for (int k = 0; k < twins.Length; k++)
            twins[k].ObserveTrial(steps[k]);
    }

    /// <summary>After all have observed the trial: changes weights if it learns at ends of trials.</summary>
    public virtual void ApplyTrial(int steps)
    {
    }

    /// <summary>Whether it has collected trials, beside those of projections, that are not yet applied.</summary>
    public virtual bool HasOpenBatch => false;

    /// <summary>Applies them, although they are fewer than the trials of an update.</summary>
    /// <param name="trial">The last of them.</param>
    public virtual void ApplyOpenBatch(int trial)
    {
    }
}

namespace Rflo.Core;

/// <summary>Selects one of several tasks for each trial.</summary>
public abstract class TaskChoice
{
    /// <summary>How many tasks there are to choose among.</summary>
    public abstract int Count { get; }

    /// <summary>How many numbers it keeps from trial to trial.</summary>
    public virtual int StateLength => 0;

    /// <summary>The task of a trial, from 0.</summary>
    /// <param name="trial">Number of the trial, from 0.</param>
    /// <param name="stream">Random numbers of the trial. A choice draws from a part of it, so that it does not change the draws of the selected task.</param>
    public abstract int Choose(int trial, RandomStream stream);

    /// <summary>Receives the loss and the reward of a trained trial.</summary>
    public virtual void Learned(double loss, double reward)
    {
    }

    /// <summary>Receives the mean loss and performance of test trials.</summary>
    public virtual void Validated(double loss, double performance)
    {
    }

    /// <summary>Copies what it keeps.</summary>
    public virtual void Save(Span<double> state)
    {
    }

    /// <summary>Restores what <see cref="Save"/> copied.</summary>
    public virtual void Restore(ReadOnlySpan<double> state)
    {
    }
}

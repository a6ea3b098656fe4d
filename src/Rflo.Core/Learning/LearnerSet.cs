using System.Numerics;

namespace Rflo.Core;

/// <summary>All learners of a network, taken through a trial together.</summary>
internal sealed class LearnerSet<T>(Learner<T>[] learners, Plastic<T>[] plastics)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nobody learns.</summary>
    public static LearnerSet<T> None { get; } = new([], []);

    /// <summary>Who learns; for whoever asks which form of a rule was chosen.</summary>
    public IReadOnlyList<Learner<T>> Learners => learners;

    /// <summary>The same learners, asked in the opposite order: it must not matter.</summary>
    public LearnerSet<T> Reversed() => new([.. learners.Reverse()], plastics);

    /// <summary>Shows what learning keeps from one trial to the next.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < plastics.Length; k++)
            plastics[k].Visit(visitor.Of($"plastic{k}"));
        for (int k = 0; k < learners.Length; k++)
            learners[k].Visit(visitor.Of($"learner{k}"));
    }

    public void Begin(int trial, int steps)
    {
        foreach (Plastic<T> plastic in plastics)
            plastic.BeginTrial(trial);
        foreach (Learner<T> learner in learners)
            learner.Begin(trial, steps);
    }

    /// <summary>After a forward step: all are told, then all learn.</summary>
    public void Step(int step)
    {
        foreach (Learner<T> learner in learners)
            learner.Tell(step);
        foreach (Learner<T> learner in learners)
            learner.Learn(step);
    }

    /// <summary>After the last step: all conclude, then all change weights.</summary>
    public void End(int steps)
    {
        foreach (Learner<T> learner in learners)
            learner.Conclude(steps);
        foreach (Learner<T> learner in learners)
            learner.End(steps);
    }
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>All learners of a network, taken through a trial together.</summary>
/// <param name="learners">The learners.</param>
/// <param name="plastics">The projections that learn by them.</param>
/// <param name="taus">The time constants that learn by them.</param>
/// <param name="starts">The initial states that learn by them.</param>
/// <param name="joint">The updates that are clipped together.</param>
/// <param name="readsOutputsInSteps">Whether any reads signals, outputs or errors of readouts before the trial has ended.</param>
internal sealed class LearnerSet<T>(Learner<T>[] learners, Plastic<T>[] plastics, PlasticTau<T>[] taus, PlasticStart<T>[] starts, JointClip joint, bool readsOutputsInSteps)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The empty set.</summary>
    public static LearnerSet<T> None { get; } = new([], [], [], [], new JointClip(), false);

    /// <summary>The learners of several sets as one set.</summary>
    public static LearnerSet<T> Together(IReadOnlyCollection<LearnerSet<T>> sets) => new(
        [.. sets.SelectMany(set => set.Learners)], [.. sets.SelectMany(set => set.Plastics)], [], [], new JointClip(), sets.Any(set => set.ReadsOutputsInSteps));

    /// <summary>The learners; callers that need the chosen form of a rule find it here.</summary>
    public IReadOnlyList<Learner<T>> Learners => learners;

    /// <summary>The updates that are clipped together.</summary>
    public JointClip Joint => joint;

    /// <summary>The projections that learn by them.</summary>
    public IReadOnlyList<Plastic<T>> Plastics => plastics;

    /// <summary>The time constants that learn by them.</summary>
    public IReadOnlyList<PlasticTau<T>> Taus => taus;

    /// <summary>The initial states that learn by them.</summary>
    public IReadOnlyList<PlasticStart<T>> Starts => starts;

    /// <summary>Whether a rule keeps anything from one trial to the next, beside what is collected for weights.</summary>
    public bool KeepsMemory
    {
        get
        {
            var memory = new Dictionary<string, double[]>();
            VisitMemory(new StateWriter("", memory));
            return memory.Values.Any(numbers => numbers.Length > 0);
        }
    }

    private readonly Learner<T>[] _acting = [.. learners.Where(learner => learner.Operators.Any(one => one.IsInSteps))];

    /// <summary>The operators of all learners.</summary>
    public IEnumerable<PlanOperator> Operators => learners.SelectMany(learner => learner.Operators);

    /// <summary>Whether any learner reads signals, outputs or errors of readouts before the trial has ended.</summary>
    public bool ReadsOutputsInSteps => readsOutputsInSteps;

    /// <summary>The same learners in the opposite order, which must give the same numbers.</summary>
    public LearnerSet<T> Reversed() => new([.. learners.Reverse()], plastics, taus, starts, joint, readsOutputsInSteps);

    /// <summary>Saves or restores the state of learning that is kept from one trial to the next.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < plastics.Length; k++)
            plastics[k].Visit(visitor.Of("plastic", k));
        foreach (PlasticStart<T> start in starts)
            start.Visit(visitor.Of("initial states", start.Area.Index));
        VisitMemory(visitor);
    }

    /// <summary>Saves or restores the state of the rules themselves, without the collected increments of weights.</summary>
    public void VisitMemory(StateVisitor visitor)
    {
        for (int k = 0; k < learners.Length; k++)
            learners[k].Visit(visitor.Of("learner", k));
    }

    /// <summary>Copies the state of the same learners from another set.</summary>
    public void TakeMemoryOf(LearnerSet<T> other)
    {
        foreach ((Learner<T> learner, Dictionary<string, double[]> own) in Remembering(learners))
        {
            Dictionary<string, double[]> memory = Remembering(other.Learners)
                .First(pair => pair.Learner.Key == learner.Key && own.Keys.All(pair.Memory.ContainsKey)).Memory;
            learner.Visit(new StateReader("", memory));
        }
    }

    /// <summary>After the time constants of an area were set between two trials.</summary>
    public void FollowTimeConstants(AreaState<T> area)
    {
        foreach (Learner<T> learner in learners)
            learner.FollowTimeConstants(area);
    }

    public void Begin(int trial, int steps)
    {
        BeginUpdates(trial);
        BeginLearners(trial, steps);
    }

    /// <summary>The part of <see cref="Begin"/> that belongs to the weights: the learning rates of a trial. Initial states are of these.</summary>
    public void BeginUpdates(int trial)
    {
        joint.Clear();
        foreach (Plastic<T> plastic in plastics)
            plastic.BeginTrial(trial);
        foreach (PlasticStart<T> start in starts)
            start.BeginTrial(trial);
    }

    /// <summary>The part of <see cref="Begin"/> that belongs to the activity of a trial.</summary>
    public void BeginLearners(int trial, int steps)
    {
        foreach (Learner<T> learner in learners)
            learner.Begin(trial, steps);
    }

    /// <summary>After a forward step: all observe the step, then all apply its updates.</summary>
    public void Step(int step)
    {
        ObserveStep(step);
        ApplyStep(step);
        joint.Apply();
    }

    /// <summary>After a forward step: all learners read the errors and weights that they need.</summary>
    public void ObserveStep(int step)
    {
        foreach (Learner<T> learner in _acting)
            learner.ObserveStep(step);
    }

    /// <summary>When all have read: all learners advance traces, and collect or apply increments.</summary>
    public void ApplyStep(int step)
    {
        foreach (Learner<T> learner in _acting)
            learner.ApplyStep(step);
    }

    /// <summary>When the learners of all lanes have collected their increments of a step: applies what is due, once for all of them.</summary>
    /// <param name="step">t.</param>
    /// <param name="steps">Steps of the longest of their trials.</param>
    public void ApplyStepOfLanes(int step, int steps)
    {
        foreach (Plastic<T> plastic in plastics)
            plastic.EndStepOfLanes(step, steps);
        foreach (PlasticTau<T> tau in taus)
            tau.EndStepOfLanes(step, steps);
        foreach (PlasticStart<T> start in starts)
            start.EndStepOfLanes(step, steps);
        joint.Apply();
    }

    /// <summary>After the last step: all observe the trial, then all apply its updates.</summary>
    public void End(int steps)
    {
        ObserveTrial(steps);
        ApplyTrial(steps);
    }

    /// <summary>After the last step: all read errors and weights of the trial.</summary>
    public void ObserveTrial(int steps)
    {
        foreach (Learner<T> learner in learners)
            learner.ObserveTrial(steps);
    }

    /// <summary>After all have observed the trial: all change weights, or their collected increments.</summary>
    public void ApplyTrial(int steps)
    {
        foreach (Learner<T> learner in learners)
            learner.ApplyTrial(steps);
        joint.Apply();
    }

    /// <summary>After a trained trial: passes its loss to schedules of rates.</summary>
    /// <param name="trial">Number of the trial.</param>
    /// <param name="loss">The mean loss over the window of the run; NaN before there is one.</param>
    public void ObserveLoss(int trial, double loss)
    {
        foreach (Plastic<T> plastic in plastics)
            plastic.ObserveLoss(trial, loss);
        foreach (PlasticTau<T> tau in taus)
            tau.ObserveLoss(trial, loss);
        foreach (PlasticStart<T> start in starts)
            start.ObserveLoss(trial, loss);
    }

    /// <summary>Whether there are collected trials that are not yet applied.</summary>
    public bool HasOpenBatch => Array.Exists(plastics, plastic => plastic.HasOpenBatch) || Array.Exists(starts, start => start.HasOpenBatch) || Array.Exists(learners, learner => learner.HasOpenBatch);

    /// <summary>Applies the collected trials, although they are fewer than the trials of an update.</summary>
    /// <param name="trial">The last of them.</param>
    public void ApplyOpenBatch(int trial)
    {
        foreach (Plastic<T> plastic in plastics)
            plastic.ApplyOpenBatch(trial);
        foreach (PlasticStart<T> start in starts)
            start.ApplyOpenBatch(trial);
        foreach (Learner<T> learner in learners)
            learner.ApplyOpenBatch(trial);
        joint.Apply();
    }

    /// <summary>The learners of areas with state between trials, and that state.</summary>
    private static IEnumerable<(Learner<T> Learner, Dictionary<string, double[]> Memory)> Remembering(IEnumerable<Learner<T>> learners)
    {
        foreach (Learner<T> learner in learners.Where(learner => learner is not LeastSquares<T>))
        {
            var memory = new Dictionary<string, double[]>();
            learner.Visit(new StateWriter("", memory));
            if (memory.Count > 0)
                yield return (learner, memory);
        }
    }
}

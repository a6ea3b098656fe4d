using System.Numerics;

namespace Rflo.Core;

/// <summary>A rule that is computed but not applied: its increments for each plastic projection onto an area, at fixed weights.</summary>
internal sealed class PassiveUpdate<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly (Plastic<T> Plastic, Segment Segment)?[] _collected;
    private readonly Graph _graph;
    private readonly bool _isOwn;

    public PassiveUpdate(Network<T> network, PassiveRule rule)
    {
        _graph = network.Graph;
        _isOwn = rule.Rule is null;

        HasFunction = _isOwn
            ? _graph.Projections.Any(projection => LearningRule.HasFunction(projection.Plasticity?.Rule))
            : LearningRule.HasFunction(rule.Rule);

        // Projections onto readouts are left out; those that solve least squares would change their weights.
        Learners = Rflo.Core.Learners.Passive(
            network, segment => !Learns(segment.Spec) ? null : _isOwn ? segment.Plasticity : Given(rule), out _collected);
    }

    public LearnerSet<T> Learners { get; }

    /// <summary>Whether a function of a rule is called.</summary>
    public bool HasFunction { get; }

    /// <summary>Whether a projection is among those that rules are compared on.</summary>
    public static bool Learns(ProjectionSpec projection) => !projection.Target.IsReadout && projection.Plasticity is { LearningRate: > 0, Rule: not FullForceRule };

    /// <summary>
    /// Before a trial: clears the increments of the one before. The projections' own rules copy the running means of the rules
    /// that train; another rule's means are over the trials that it ran through.
    /// </summary>
    public void Begin(LearnerSet<T> training)
    {
        foreach ((Plastic<T> Plastic, Segment Segment)? block in _collected)
            block?.Plastic.Collected!.Clear();
        if (_isOwn)
            Learners.TakeMemoryOf(training);
    }

    /// <summary>Saves or restores the running means, which live through trials; those of the projections' own rules are the training's.</summary>
    public void Visit(StateVisitor visitor)
    {
        if (!_isOwn)
            Learners.VisitMemory(visitor);
    }

    /// <summary>1/T times the sum of a projection's increments at learning rate 1.</summary>
    public double[] Increments(int projection)
    {
        (Plastic<T> plastic, Segment segment) = _collected[projection]!.Value;
        return plastic.Afferents.Read(segment, plastic.Collected!, _graph.Postsynaptic(segment.Spec));
    }

    private static Plasticity Given(PassiveRule rule) => new(rule.Rule!, 1, new UpdateSchedule(rule.Time));
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule that learns online, for areas that are large compared with the length of a trial: the weights are written
/// once a trial, by <see cref="PendingChange{T}"/>.
/// </summary>
/// <remarks>The same numbers as <see cref="ThreeFactorOnline{T}"/> but for rounding.</remarks>
internal sealed class ThreeFactorDeferred<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly ThreeFactorRule _rule;
    private readonly Eligibility<T> _eligibility;
    private readonly ThirdFactorSignal<T> _third;
    private readonly bool _writes;
    private readonly AlignedArray<T> _signal;

    public ThreeFactorDeferred(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        (_network, _area, _plastic, _rule) = (network, area, plastic, rule);
        _eligibility = new Eligibility<T>(network, area, rule, plastic.Segments);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments);
        Pending = new PendingChange<T>(network, area, plastic, _eligibility, _eligibility.DecayChanges, _third.OneColumn);
        _writes = network.Lanes.AreSeveral || _third.OneColumn is null;
        _signal = new AlignedArray<T>(area.Padded);
    }

    /// <summary>The area whose weights learn.</summary>
    public AreaState<T> Area => _area;

    /// <summary>The changes of the trial in hand.</summary>
    public PendingChange<T> Pending { get; }

    public override BufferPurpose Purpose => BufferPurpose.Activity;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        .. ThreeFactorOnline<T>.Observing(_network, _area, _plastic, _rule),
        ThreeFactorOnline<T>.Updating(_area, _plastic, _rule) with { Stage = PlanStage.ApplyTrial, Form = Forms.Deferred.Title() },
    ];

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps)
    {
        _eligibility.Begin();
        Pending.Begin(steps);
    }

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _third.Take(step);
        if (_writes)
            _third.Write(step, _signal.Span);
    }

    public override void ApplyStep(int step) => Pending.Learn(step, _eligibility.Decay(step), _signal.Span);

    public override void ApplyTrial(int steps) => Pending.End(steps);
}

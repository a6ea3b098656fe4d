using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule that takes the slopes of a unit model, at the end of a trial, without traces: z(s) = g(s) M(s) + A(s+1)' z(s+1), and one
/// product over time, dW = eta / T * sum over s of (c(s) . z(s)) pre(s)'.
/// </summary>
/// <remarks>
/// The same sum as <see cref="ThreeFactorStatesOnline{T}"/> at fixed weights, in another order. O(d^2 post) a step backward, then one matrix
/// product over the trial.
/// </remarks>
internal sealed class ThreeFactorStatesTrialEnd<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T> _eligibility;
    private readonly StateMemory<T> _memory;
    private readonly ThirdFactorSignal<T> _third;
    private readonly AlignedArray<T> _signal;
    private readonly AlignedArray<T> _ofStates;
    private readonly AlignedArray<T> _carried;
    private readonly AlignedArray<T> _delta;

    public ThreeFactorStatesTrialEnd(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        _network = network;
        _rule = rule;
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule, plastic.Segments);
        _memory = new StateMemory<T>(network, area, rule);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments, readsLater: true);
        _signal = new AlignedArray<T>(area.Padded);
        _ofStates = new AlignedArray<T>(area.StateWidth);
        _carried = new AlignedArray<T>(area.StateWidth);
        _delta = new AlignedArray<T>(network.MaxSteps + 1, area.Padded);
    }

    public override BufferPurpose Purpose => BufferPurpose.Activity;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        .. Eligibility<T>.Operators(_area, _rule, _plastic.Name),
        .. StateMemory<T>.Operators(_area, _rule, _plastic.Name),
        ThirdFactorSignal<T>.Operator(_network, _area, _rule, _plastic.Name, _third.IsTaken ? PlanStage.ObserveStep : PlanStage.ObserveTrial),
        new(PlanStage.ObserveTrial, $"backward filter of {_plastic.Name}", [new(LearningSignal(_plastic.Name)), .. Eligibility<T>.Reads(_area, _rule, _plastic.Name)], [Traces(_plastic.Name)]),
        .. _plastic.Around(_plastic.Update("product over the trial", new(Traces(_plastic.Name)), new PlanRead(Signals(_area.Spec.Name)))),
    ];

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps) => _eligibility.Begin();

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _memory.Take(step);
        _third.Take(step);
    }

    public override void ObserveTrial(int steps)
    {
        _third.TakeTrial(steps);
        _carried.Span.Clear();
        for (int t = steps; t >= 1; t--)
        {
            _third.Write(t, _signal.Span);
            _area.CarryCredit(t, _memory.Of(t), _signal.Span, _ofStates.Span, _delta.Row(t, _area.Padded), _carried.Span);
        }
    }

    public override void ApplyTrial(int steps)
    {
        _plastic.BeginIncrements(1);
        _plastic.AddTrial(_delta.From(1, _area.Padded), _area.Padded, _eligibility.PreFrom(1), 1, steps);
        _plastic.FinishTrial();
    }
}

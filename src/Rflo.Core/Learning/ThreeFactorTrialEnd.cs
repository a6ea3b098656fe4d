using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule at the end of a trial, without traces: the third factors are filtered backward,
/// Z(s) = M(s) + decay(s+1) Z(s+1), and one product over time gives the sum of all increments,
/// dW = eta / T * sum over s of (Z(s) post(s)) pre(s)'.
/// </summary>
/// <remarks>
/// The same sum as <see cref="ThreeFactorOnline{T}"/> at fixed weights, in another order (they agree to rounding).
/// O(post) a step backward, then one matrix product over the trial.
/// </remarks>
internal sealed class ThreeFactorTrialEnd<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T> _eligibility;
    private readonly ThirdFactorSignal<T> _third;
    private readonly AlignedArray<T> _signal;
    private readonly AlignedArray<T> _credit;
    private readonly AlignedArray<T> _delta;
    private readonly T[] _forgotten;

    public ThreeFactorTrialEnd(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        _network = network;
        _rule = rule;
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule, plastic.Segments);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments, readsLater: true);
        _signal = new AlignedArray<T>(area.Padded);
        _credit = new AlignedArray<T>(area.Padded);
        _delta = new AlignedArray<T>(network.MaxSteps + 1, area.Padded);
        _forgotten = new T[rule.Oja ? area.Units : 0];
    }

    public override BufferPurpose Purpose => BufferPurpose.Activity;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        .. Eligibility<T>.Operators(_area, _rule, _plastic.Name),
        ThirdFactorSignal<T>.Operator(_network, _area, _rule, _plastic.Name, _third.IsTaken ? PlanStage.ObserveStep : PlanStage.ObserveTrial),
        new(PlanStage.ObserveTrial, $"backward filter of {_plastic.Name}", [new(LearningSignal(_plastic.Name)), .. Eligibility<T>.Reads(_area, _rule, _plastic.Name)], [Traces(_plastic.Name)]),
        .. _plastic.Around(_plastic.Update(
            "product over the trial", [new(Traces(_plastic.Name)), new(Signals(_area.Spec.Name)), .. _forgotten.Length > 0 ? _plastic.WeightReads : []])),
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
        _third.Take(step);
    }

    public override void ObserveTrial(int steps)
    {
        _third.TakeTrial(steps);
        _credit.Span.Clear();
        _forgotten.AsSpan().Clear();
        for (int t = steps; t >= 1; t--)
            Back(t, steps);
    }

    public override void ApplyTrial(int steps)
    {
        _plastic.BeginIncrements(1);
        for (int i = 0; i < _forgotten.Length; i++)
            _plastic.AddOfWeights(i, -_forgotten[i], steps);
        _plastic.AddTrial(_delta.From(1, _area.Padded), _area.Padded, _eligibility.PreFrom(1), 1, steps);
        _plastic.FinishTrial();
    }

    private void Back(int step, int steps)
    {
        Span<T> signal = _signal.Span, post = _eligibility.Post(step);
        _third.Write(step, signal);
        for (int i = 0; i < _forgotten.Length; i++)
            _forgotten[i] += signal[i] * post[i] * post[i];
        Kernels.BackwardFilter(_credit.Span, _eligibility.Decay(Math.Min(step + 1, steps)), signal, post, _delta.Row(step, _area.Padded));
    }
}

using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// Learns time constants by a local rule that receives an error: s(t) = decay s(t-1) + dh(t)/d ln tau at fixed h(t-1),
/// d ln tau = eta / T * M(t) s(t). For RFLO, decay is 1 - alpha: the effect through other units is left out, as it
/// is for weights.
/// </summary>
/// <remarks>Time and memory O(units) a step.</remarks>
internal sealed class TauTrace<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private readonly PlasticTau<T> _plastic;
    private readonly AreaState<T> _area;
    private readonly Eligibility<T> _eligibility;
    private readonly ThirdFactorSignal<T> _third;
    private readonly AlignedArray<T> _signal;
    private readonly T[] _trace;
    private int _steps;

    public TauTrace(Network<T> network, PlasticTau<T> plastic, ThreeFactorRule rule)
    {
        _network = network;
        _rule = rule;
        _plastic = plastic;
        _area = network.Areas[plastic.Area.Index];
        _eligibility = new Eligibility<T>(network, _area, rule, []);
        _third = new ThirdFactorSignal<T>(network, _area, rule);
        _signal = new AlignedArray<T>(_area.Padded);
        _trace = new T[_area.Units];
    }

    public override IReadOnlyList<PlanOperator> Operators
    {
        get
        {
            string name = TimeConstants(_area.Spec.Name);
            return
            [
                .. Eligibility<T>.Operators(_area, _rule, name),
                ThirdFactorSignal<T>.Operator(_network, _area, _rule, name, PlanStage.ObserveStep),
                new(PlanStage.ObserveStep, $"trace of {name}", [new(LearningSignal(name)), new(Rates(_area.Spec.Name)), .. Eligibility<T>.Reads(_area, _rule, name)], [Increments(name)]),
                _plastic.Operator([new(Increments(name))]),
            ];
        }
    }

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
        _plastic.Visit(visitor.Of("tau"));
    }

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _plastic.BeginTrial(trial);
        _eligibility.Begin();
        _trace.AsSpan().Clear();
    }

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _third.Take(step);
        _third.Write(step, _signal.Span);
        Span<T> before = _area.States(step - 1), now = _area.States(step), decay = _eligibility.Decay(step);
        var share = T.CreateTruncating(1.0 / _steps);
        for (int i = 0; i < _trace.Length; i++)
        {
            _trace[i] = T.FusedMultiplyAdd(decay[i], _trace[i], before[i] - now[i]);
            _plastic.Collected[i] = T.FusedMultiplyAdd(share * _signal.Span[i], _trace[i], _plastic.Collected[i]);
        }
    }

    public override void ApplyStep(int step) => _plastic.EndStep(step, _steps);

    public override void ApplyTrial(int steps) => _plastic.FinishTrial();

    public override bool HasOpenBatch => _plastic.HasOpenBatch;

    public override void ApplyOpenBatch(int trial) => _plastic.ApplyOpenBatch(trial);
}

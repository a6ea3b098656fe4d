using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// Learns initial states by a local rule that receives an error: the trace of s(0) on its own unit, eps(0) = 1 and eps(t) = decay eps(t-1) with the
/// decay of the rule's own traces, ds(0) = eta / T * sum over t of M(t) g(t) eps(t). For RFLO, decay is 1 - alpha: the effect of s(0) through other
/// units is left out, as it is for weights. Of a unit model eps has d numbers, and eps(0) is 1 for the first state.
/// </summary>
/// <remarks>Time and memory O(d^2 units) a step.</remarks>
internal sealed class StartTrace<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private readonly PlasticStart<T> _plastic;
    private readonly AreaState<T> _area;
    private readonly Eligibility<T> _eligibility;
    private readonly StateMemory<T>? _memory;
    private readonly ThirdFactorSignal<T> _third;
    private readonly AlignedArray<T> _signal;
    private readonly AlignedArray<T> _trace;
    private readonly AlignedArray<T> _ofRates;
    private readonly T[] _increments;
    private int _steps;

    public StartTrace(Network<T> network, AreaState<T> area, PlasticStart<T> plastic, ThreeFactorRule rule)
    {
        _network = network;
        _rule = rule;
        _plastic = plastic;
        _area = area;
        _eligibility = new Eligibility<T>(network, area, rule, []);
        _memory = area.HasModel ? new StateMemory<T>(network, area, rule) : null;
        _third = new ThirdFactorSignal<T>(network, area, rule);
        _signal = new AlignedArray<T>(area.Padded);
        _trace = new AlignedArray<T>(area.StateWidth);
        _ofRates = new AlignedArray<T>(area.HasModel ? area.Padded : 0);
        _increments = new T[area.Units];
    }

    public override IReadOnlyList<PlanOperator> Operators
    {
        get
        {
            string name = InitialStates(_area.Spec.Name);
            return
            [
                .. Eligibility<T>.Operators(_area, _rule, name),
                .. _area.HasModel ? StateMemory<T>.Operators(_area, _rule, name) : [],
                ThirdFactorSignal<T>.Operator(_network, _area, _rule, name, PlanStage.ObserveStep),
                new(PlanStage.ObserveStep, $"trace of {name}", [new(LearningSignal(name)), .. Eligibility<T>.Reads(_area, _rule, name)], [Increments(name)]),
                _plastic.Operator([new(Increments(name))]),
            ];
        }
    }

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _eligibility.Begin();
        _trace.Span.Clear();
        for (int i = 0; i < _area.Units; i++)
            _trace.Span[i] = _area.IsStartHeld(i) ? T.Zero : T.One;
        _increments.AsSpan().Clear();
    }

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _memory?.Take(step);
        _third.Take(step);
        _third.Write(step, _signal.Span);
        Span<T> trace = _trace.Span, signal = _signal.Span;
        if (_memory is { } memory)
        {
            _area.CarryTrace(memory.Of(step), trace);
            _area.ToRates(step, trace, _ofRates.Span);
            trace = _ofRates.Span;
        }
        else
        {
            Span<T> decay = _eligibility.Decay(step);
            for (int i = 0; i < _area.Units; i++)
                trace[i] *= decay[i];
        }

        for (int i = 0; i < _increments.Length; i++)
            _increments[i] = T.FusedMultiplyAdd(signal[i], trace[i], _increments[i]);
    }

    public override void ApplyStep(int step)
    {
        if (!_plastic.IsStepwise)
            return;
        _plastic.Add(_increments, _steps);
        _increments.AsSpan().Clear();
        _plastic.EndStep(step, _steps);
    }

    public override void ApplyTrial(int steps)
    {
        if (!_plastic.IsStepwise)
            _plastic.Add(_increments, steps);
        _plastic.FinishTrial();
    }
}

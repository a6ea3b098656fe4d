using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>A readout that learns to predict rewards, TD(lambda); see <see cref="TdReadout"/> for what it computes.</summary>
/// <remarks>
/// Step by step it keeps one trace for all signals. At the end of a trial it needs no trace: errors are filtered backward,
/// Z(s) = delta(s+1) + gamma lambda Z(s+1), and one product over time is the same sum. O(pre) a step.
/// </remarks>
internal sealed class TemporalDifferenceRule<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadoutState<T> _readout;
    private readonly Plastic<T> _plastic;
    private readonly TemporalDifference<T> _difference;
    private readonly T _decay;
    private readonly T[] _slope;
    private readonly AlignedArray<T> _trace;
    private readonly AlignedArray<T> _post;
    private int _steps;

    public TemporalDifferenceRule(Network<T> network, ReadoutState<T> readout, Plastic<T> plastic, TdReadout rule)
    {
        _readout = readout;
        _plastic = plastic;
        _difference = new TemporalDifference<T>(network, readout, 0, rule.Gamma);
        _decay = T.CreateTruncating(rule.Gamma * rule.Lambda);
        _slope = new T[readout.Outputs];
        _trace = new AlignedArray<T>(plastic.IsStepwise ? readout.Afferents.Stride : 0);
        _post = new AlignedArray<T>(plastic.IsStepwise ? 1 : network.MaxSteps, readout.Padded);
    }

    public override IReadOnlyList<PlanOperator> Operators =>
        [.. _plastic.Around(_plastic.Update("temporal differences", new(Outputs(_readout.Spec.Name)), new(BufferNames.Rewards), new PlanRead(Signals(_readout.Spec.Name))))];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        if (!_plastic.IsStepwise)
            return;
        _trace.Span.Clear();
        AdvanceTrace(0);
    }

    public override void ApplyStep(int step)
    {
        if (!_plastic.IsStepwise)
            return;

        // The error of the transition from t-1 to t, and the trace up to t-1.
        _post.Span[0] = _difference.Error(step);
        _plastic.BeginIncrements(_steps);
        _plastic.AddStep(_post.Span, _trace.Span, _steps);
        _plastic.EndStep(step, _steps);
        AdvanceTrace(step);
    }

    public override void ApplyTrial(int steps)
    {
        if (!_plastic.IsStepwise)
        {
            T credit = T.Zero;
            for (int s = steps - 1; s >= 0; s--)
            {
                credit = _difference.Error(s + 1) + _decay * credit;
                _post.Row(s, _readout.Padded)[0] = credit * Slope(s);
            }

            _plastic.BeginIncrements(1);
            _plastic.AddSteps(_post.Span, _readout.Padded, _readout.Afferents.SignalsFrom(0), steps, steps);
        }

        _plastic.FinishTrial();
    }

    /// <summary>e(t) = gamma lambda e(t-1) + f'(t) s(t).</summary>
    private void AdvanceTrace(int step)
    {
        Kernels.Scale(_trace.Span, _decay, _trace.Span);
        Kernels.AddScaled(_trace.Span, Slope(step), _readout.Afferents.Signals(step));
    }

    /// <summary>dV(t) / d(sum): 1 of a linear readout.</summary>
    private T Slope(int step)
    {
        _slope[0] = T.One;
        _readout.ThroughNonlinearity(step, _slope);
        return _slope[0];
    }
}

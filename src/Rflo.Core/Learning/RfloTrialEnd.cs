using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// RFLO at the end of a trial, without traces: the learning signals are filtered backward, Z(s) = l(s) + (1 - alpha) Z(s+1),
/// and one product over time gives the sum of all increments, dW = eta / T * sum over s of (Z(s) alpha phi'(u(s))) s(s)'.
/// </summary>
/// <remarks>
/// The same sum as <see cref="RfloOnline{T}"/> at fixed weights, in another order (they agree to rounding).
/// O(post) a step backward, then one matrix product over the trial.
/// </remarks>
internal sealed class RfloTrialEnd<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly LearningSignal<T> _signal;
    private readonly AlignedArray<T> _told;
    private readonly AlignedArray<T> _credit;
    private readonly AlignedArray<T> _delta;

    public RfloTrialEnd(Network<T> network, AreaState<T> area, Plastic<T> plastic, ErrorPath path)
    {
        _area = area;
        _plastic = plastic;
        _signal = new LearningSignal<T>(network, area, path);
        _told = new AlignedArray<T>(area.Padded);
        _credit = new AlignedArray<T>(area.Padded);
        _delta = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
    }

    public override void Conclude(int steps)
    {
        _credit.Span.Clear();
        for (int t = steps; t >= 1; t--)
            Back(t);
    }

    public override void End(int steps)
    {
        _plastic.AddTrial(_delta.From(1, _area.Padded), _area.Padded, 1, steps);
        _plastic.FinishTrial();
    }

    private void Back(int step)
    {
        _signal.Tell(step, _told.Span);
        Kernels.BackwardFilter(_credit.Span, _area.Decay.Span, _told.Span, _area.Post(step), _delta.Row(step, _area.Padded));
    }
}

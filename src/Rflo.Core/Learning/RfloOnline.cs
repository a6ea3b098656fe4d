using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// RFLO step by step: p(t) = (1 - alpha) p(t-1) + alpha phi'(u(t)) s(t)', dW(t) = eta / T * l(t) p(t)
/// (Murray 2019, Eqs 5 and 6; s is the signal that made the current of step t, so x(t) for an input).
/// </summary>
/// <remarks>Time and memory O(post * pre) a step: one pass over traces and weights.</remarks>
internal sealed class RfloOnline<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly LearningSignal<T> _signal;
    private readonly WeightStore<T> _traces;
    private readonly AlignedArray<T> _told;
    private int _steps;

    public RfloOnline(Network<T> network, AreaState<T> area, Plastic<T> plastic, ErrorPath path)
    {
        _area = area;
        _plastic = plastic;
        _signal = new LearningSignal<T>(network, area, path);
        _traces = area.Afferents.NewStore();
        _told = new AlignedArray<T>(area.Padded);
    }

    public override void Begin(int steps)
    {
        _steps = steps;
        _traces.Clear();
    }

    public override void Tell(int step) => _signal.Tell(step, _told.Span);

    public override void Learn(int step)
    {
        Afferents<T> afferents = _area.Afferents;
        if (_plastic.IsDirect)
            _plastic.Forget(1.0 / _steps);
        WeightStore<T> to = _plastic.Destination;
        Span<T> signals = afferents.Signals(step), post = _area.Post(step), decay = _area.Decay.Span, told = _told.Span;
        foreach (Plastic<T>.Run run in _plastic.Runs)
        {
            T scale = _plastic.Scale(run.LearningRate, _steps);
            Span<T> pre = signals.Slice(run.Offset, run.Width);
            for (int i = 0; i < _area.Units; i++)
            {
                Kernels.AdvanceTrace(
                    _traces.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    decay[i], post[i], pre, scale * told[i]);
            }
        }

        foreach (Segment segment in _plastic.Segments)
        {
            if (segment.Sparse is { } pattern)
            {
                int at = afferents.Place(segment);
                Kernels.AdvanceTraceSparse(
                    pattern, _traces.Sparse[at], to.Sparse[at], decay, post, signals.Slice(segment.Offset, segment.Width), told,
                    _plastic.Scale(segment.Plasticity!.LearningRate, _steps));
            }
        }

        if (_plastic.IsDirect)
            _plastic.Constrain();
    }

    public override void End(int steps) => _plastic.FinishTrial();
}

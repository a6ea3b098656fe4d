using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule step by step: e(t) = decay e(t-1) + post(t) pre(t)', dW(t) = eta / T * M(t) e(t). For RFLO,
/// post is alpha phi'(u(t)), pre the signal that made the current of step t (x(t) for an input) and M the error sent
/// back (Murray 2019, Eqs 5 and 6).
/// </summary>
/// <remarks>Time and memory O(post * pre) a step: one pass over traces and weights.</remarks>
internal sealed class ThreeFactorOnline<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T> _eligibility;
    private readonly ThirdFactorSignal<T> _third;
    private readonly WeightStore<T> _traces;
    private readonly AlignedArray<T> _told;
    private readonly bool _forgets;
    private int _steps;

    public ThreeFactorOnline(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments);
        _traces = area.Afferents.NewStore();
        _told = new AlignedArray<T>(area.Padded);
        _forgets = rule.Oja;
    }

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _traces.Clear();
        _eligibility.Begin();
    }

    public override void Tell(int step)
    {
        _eligibility.Take(step);
        _third.Take(step);
        _third.Tell(step, _told.Span);
    }

    public override void Learn(int step)
    {
        _plastic.BeginIncrements(_steps);
        if (_forgets)
            ForgetRows(step);
        WeightStore<T> to = _plastic.Destination;
        Afferents<T> afferents = _area.Afferents;
        Span<T> pre = _eligibility.Pre(step), post = _eligibility.Post(step), decay = _eligibility.Decay(step), told = _told.Span;
        foreach (Plastic<T>.Run run in _plastic.Runs)
        {
            T scale = _plastic.Scale(run.LearningRate, _steps);
            Span<T> signals = pre.Slice(run.Offset, run.Width);
            for (int i = 0; i < _area.Units; i++)
            {
                Kernels.AdvanceTrace(
                    _traces.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    decay[i], post[i], signals, scale * told[i]);
            }
        }

        foreach (Segment segment in _plastic.Segments)
        {
            if (segment.Sparse is { } pattern)
            {
                int at = afferents.Place(segment);
                Kernels.AdvanceTraceSparse(
                    pattern, _traces.Sparse[at], to.Sparse[at], decay, post, pre.Slice(segment.Offset, segment.Width), told,
                    _plastic.Scale(segment.Plasticity!.LearningRate, _steps));
            }
        }

        _plastic.EndStep(step, _steps);
    }

    public override void End(int steps) => _plastic.FinishTrial();

    /// <summary>Oja's term: dW_ij -= eta / T * M_i post_i^2 W_ij.</summary>
    private void ForgetRows(int step)
    {
        Span<T> post = _eligibility.Post(step);
        for (int i = 0; i < _area.Units; i++)
            _plastic.AddOfWeights(i, -(_told.Span[i] * post[i] * post[i]), _steps);
    }
}

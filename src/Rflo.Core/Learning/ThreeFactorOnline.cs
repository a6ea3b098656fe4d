using System.Numerics;
using static Rflo.Core.BufferNames;

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
    private readonly AlignedArray<T> _signal;
    private readonly bool _forgets;
    private readonly bool _ownsSparse;
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private int _steps;

    /// <param name="network">The network.</param>
    /// <param name="area">The area whose weights learn.</param>
    /// <param name="plastic">How.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="looksAhead">Whether the pass over traces and weights computes the dense currents of the next step too.</param>
    /// <param name="sparseToo">Whether it computes the sparse ones as well.</param>
    public ThreeFactorOnline(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule, bool looksAhead, bool sparseToo)
    {
        _network = network;
        _rule = rule;
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule, plastic.Segments);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments);
        _traces = area.Afferents.NewStore();
        _signal = new AlignedArray<T>(area.Padded);
        _forgets = rule.Oja;
        LooksAhead = looksAhead;
        _ownsSparse = sparseToo;
    }

    /// <summary>The operators of any three-factor rule online that read a step.</summary>
    public static IEnumerable<PlanOperator> Observing(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule) =>
        [.. Eligibility<T>.Operators(area, rule, plastic.Name), ThirdFactorSignal<T>.Operator(network, area, rule, plastic.Name, PlanStage.ObserveStep)];

    /// <summary>The operator that advances traces and changes weights.</summary>
    public static PlanOperator Updating(AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule) => plastic.UpdateByTraces(
        [.. Eligibility<T>.Reads(area, rule, plastic.Name), new(LearningSignal(plastic.Name)), .. rule.Oja ? plastic.WeightReads : []]);

    public override IReadOnlyList<PlanOperator> Operators
    {
        get
        {
            PlanOperator update = Updating(_area, _plastic, _rule);
            return [.. Observing(_network, _area, _plastic, _rule), .. _plastic.Around(LooksAhead ? update with { Form = Forms.Ahead.Title() } : update)];
        }
    }

    /// <summary>
    /// Whether the pass over traces and weights computes the currents of the next step too, so that weights are loaded once a
    /// step: where no other operator changes them, and the signals of the next step are available.
    /// </summary>
    public bool LooksAhead { get; }

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

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _third.Take(step);
        _third.Write(step, _signal.Span);
    }

    public override void ApplyStep(int step)
    {
        _plastic.BeginIncrements(_steps);
        if (_forgets)
            ForgetRows(step);
        if (LooksAhead && _network.GatherAhead(_area, step + 1))
        {
            AdvanceAhead(step);
        }
        else
        {
            AdvanceRows(step);
            AdvanceSparse(step);
        }

        _plastic.EndStep(step, _steps);
    }

    public override void ApplyTrial(int steps) => _plastic.FinishTrial();

    private void AdvanceAhead(int step)
    {
        Afferents<T> afferents = _area.Afferents;
        int stride = afferents.DenseStride, used = afferents.DenseUsed;
        Span<T> current = _area.Current.Span;
        if (stride > 0)
        {
            // Every other step from the last row to the first: the rows used last are still in the cache.
            Kernels.AdvanceTraces(
                _traces.Dense.Span, afferents.Weights.Dense.Span, stride, _eligibility.Decay(step), _eligibility.Post(step), _eligibility.Pre(step)[..used], _signal.Span,
                _plastic.Scale(_plastic.Runs[0].LearningRate, _steps), afferents.Signals(step + 1)[..used], current[.._area.Units], backward: step % 2 == 0);
        }
        else
        {
            current.Clear();
        }

        afferents.DenseAhead = step + 1;
        if (!_ownsSparse)
        {
            AdvanceSparse(step);
            return;
        }

        afferents.SparseAhead = step + 1;
        foreach (Segment segment in _plastic.Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = afferents.Place(segment);
            Kernels.AdvanceTracesSparse(
                pattern, _traces.Sparse[at], afferents.Weights.Sparse[at], _eligibility.Decay(step), _eligibility.Post(step),
                _eligibility.Pre(step).Slice(segment.Offset, segment.Width), _signal.Span, _plastic.Scale(segment.Plasticity!.LearningRate, _steps),
                afferents.Signals(step + 1).Slice(segment.Offset, segment.Width), current);
        }
    }

    private void AdvanceRows(int step) => TraceRows.AdvanceDense(
        _plastic, _traces, null, _eligibility.Decay(step), _eligibility.Post(step), _eligibility.Pre(step), _signal.Span, _steps);

    private void AdvanceSparse(int step) => TraceRows.AdvanceSparse(
        _plastic, _traces, null, _eligibility.Decay(step), _eligibility.Post(step), _eligibility.Pre(step), _signal.Span, _steps);

    /// <summary>Oja's term: dW_ij -= eta / T * M_i post_i^2 W_ij.</summary>
    private void ForgetRows(int step)
    {
        Span<T> post = _eligibility.Post(step);
        for (int i = 0; i < _area.Units; i++)
            _plastic.AddOfWeights(i, -(_signal.Span[i] * post[i] * post[i]), _steps);
    }
}

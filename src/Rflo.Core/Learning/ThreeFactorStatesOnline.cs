using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule that takes the slopes of a unit model, step by step: eps(t) = A(t) eps(t-1) + c(t) pre(t)' for each synapse, with d
/// numbers, e(t) = g(t) . eps(t), dW(t) = eta / T * M(t) e(t) (Bellec et al. 2020, Eqs 13 and 14).
/// </summary>
/// <remarks>Time O(d^2 post * pre) a step, memory O(d post * pre).</remarks>
internal sealed class ThreeFactorStatesOnline<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ThreeFactorRule _rule;
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T> _eligibility;
    private readonly StateMemory<T> _memory;
    private readonly ThirdFactorSignal<T> _third;
    private readonly WeightStore<T>[] _traces;
    private readonly AlignedArray<T> _signal;
    private readonly AlignedArray<T> _next;
    private readonly T[] _pre;
    private int _steps;

    public ThreeFactorStatesOnline(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        _network = network;
        _rule = rule;
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule, plastic.Segments);
        _memory = new StateMemory<T>(network, area, rule);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments);
        _traces = [.. Enumerable.Range(0, area.StateCount).Select(_ => area.Afferents.NewStore())];
        _signal = new AlignedArray<T>(area.Padded);
        _next = new AlignedArray<T>(area.StateCount, area.Afferents.Stride);
        _pre = new T[area.Afferents.Stride];
    }

    public override IReadOnlyList<PlanOperator> Operators =>
        [.. StateMemory<T>.Operators(_area, _rule, _plastic.Name), .. ThreeFactorOnline<T>.Observing(_network, _area, _plastic, _rule), .. _plastic.Around(ThreeFactorOnline<T>.Updating(_area, _plastic, _rule))];

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        foreach (WeightStore<T> trace in _traces)
            trace.Clear();
        _eligibility.Begin();
    }

    public override void ObserveStep(int step)
    {
        _eligibility.Take(step);
        _memory.Take(step);
        _third.Take(step);
        _third.Write(step, _signal.Span);
    }

    public override void ApplyStep(int step)
    {
        _plastic.BeginIncrements(_steps);
        ReadOnlySpan<T> pre = _eligibility.Pre(step);
        foreach (Plastic<T>.Run run in _plastic.Runs)
            for (int i = 0; i < _area.Units; i++)
                Advance(step, i, new Place(-1, i * _area.Afferents.DenseStride + run.Offset, run.Width), pre.Slice(run.Offset, run.Width), _plastic.Scale(run.LearningRate, _steps));
        foreach (Segment segment in _plastic.Segments)
            if (segment.Sparse is { } pattern)
                AdvanceSparse(step, segment, pattern, pre[segment.Offset..]);
        _plastic.EndStep(step, _steps);
    }

    public override void ApplyTrial(int steps) => _plastic.FinishTrial();

    private void AdvanceSparse(int step, Segment segment, SparseRows pattern, ReadOnlySpan<T> pre)
    {
        int at = _area.Afferents.Place(segment);
        T scale = _plastic.Scale(segment.Plasticity!.LearningRate, _steps);
        for (int i = 0; i < _area.Units; i++)
        {
            int start = pattern.Start[i], count = pattern.Start[i + 1] - start;
            for (int n = 0; n < count; n++)
                _pre[n] = pre[pattern.Column[start + n]];
            Advance(step, i, new Place(at, start, count), _pre.AsSpan(0, count), scale);
        }
    }

    /// <summary>Advances the traces of one unit over some of its synapses, and adds their increments to the weights.</summary>
    private void Advance(int step, int unit, Place place, ReadOnlySpan<T> pre, T scale)
    {
        int d = _area.StateCount, padded = _area.Padded;
        ReadOnlySpan<T> memory = _memory.Of(step), slope = _area.Post(step), gain = _area.Gain(step);
        for (int k = 0; k < d; k++)
        {
            Span<T> next = Next(k, place.Length);
            Kernels.Scale(pre, slope[k * padded + unit], next);
            for (int l = 0; l < d; l++)
                Kernels.AddScaled(next, memory[(k * d + l) * padded + unit], place.In(_traces[l]));
        }

        Span<T> weights = place.In(_plastic.Destination);
        for (int k = 0; k < d; k++)
        {
            Span<T> next = Next(k, place.Length);
            next.CopyTo(place.In(_traces[k]));
            Kernels.AddScaled(weights, scale * _signal.Span[unit] * gain[k * padded + unit], next);
        }
    }

    private Span<T> Next(int state, int length) => _next.Span.Slice(state * _area.Afferents.Stride, length);

    /// <summary>The place of one unit's synapses: in the dense rows, or in a sparse block.</summary>
    private readonly record struct Place(int Block, int Start, int Length)
    {
        public Span<T> In(WeightStore<T> store) => Block < 0 ? store.Dense.Span.Slice(Start, Length) : store.Sparse[Block].AsSpan(Start, Length);
    }
}

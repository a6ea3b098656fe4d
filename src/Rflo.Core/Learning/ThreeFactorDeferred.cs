using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// A three-factor rule that learns online, for areas that are large beside the length of a trial: the changes of a trial
/// are products of one step's pre with one vector of units each, so they are kept as such, and their share in the currents is added.
/// </summary>
/// <remarks>
/// With e(t) = sum over s up to t of D(s, t) post(s) pre(s)', where D multiplies the decays of steps s + 1 .. t, the weights
/// of step t are W(t) = W(0) + eta / T * sum over s of c(s, t) pre(s)' with c(s, t) = sum over t' from s to t of M(t') D(s, t') post(s).
/// So W(t) x = W(0) x + eta / T * sum over s of c(s, t) (pre(s)' x): every step reads the weights once and writes none of
/// them, and one product over the trial makes the change at its end. The same numbers as <see cref="ThreeFactorOnline{T}"/>
/// but for rounding, for a quarter of its traffic with memory; time O(post * pre + T * (post + pre)) a step, memory O(T * post).
/// </remarks>
internal sealed class ThreeFactorDeferred<T> : Learner<T>, IPendingChange<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T> _eligibility;
    private readonly ThirdFactorSignal<T> _third;
    private readonly AlignedArray<T> _told;
    private readonly AlignedArray<T> _memory;
    private readonly AlignedArray<T> _change;
    private readonly AlignedArray<T> _overlap;
    private readonly AlignedArray<T> _unheard;
    private int _steps;

    public ThreeFactorDeferred(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule)
    {
        _area = area;
        _plastic = plastic;
        _eligibility = new Eligibility<T>(network, area, rule);
        _third = new ThirdFactorSignal<T>(network, area, rule, plastic.Segments);
        _told = new AlignedArray<T>(area.Padded);
        _memory = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        _change = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        _overlap = new AlignedArray<T>(network.MaxSteps + 1);
        _unheard = new AlignedArray<T>(area.Padded);
    }

    /// <summary>
    /// Whether it may be chosen: nothing else reads or changes the area's weights within a trial, they are all dense, and the
    /// sums over steps are small beside the weights.
    /// </summary>
    public static bool Suits(Network<T> network, AreaState<T> area, Plastic<T> plastic, ThreeFactorRule rule) =>
        plastic.OwnsDense && plastic.Segments.Length == area.Afferents.Segments.Length && area.Afferents.DenseStride == area.Afferents.Stride
        && plastic.Segments.All(segment => segment.Spec.Decay == 0) && area.Spec.Dynamics == Dynamics.Leaky
        && !rule.Oja && network.Loop is null && area.Afferents.DenseStride >= 2 * network.MaxSteps
        && network.Graph.Projections.All(projection => projection.Plasticity?.Rule is null or ThreeFactorRule { Memory: not TraceMemory.OwnJacobian });

    public override void Visit(StateVisitor visitor)
    {
        _eligibility.Visit(visitor);
        _third.Visit(visitor.Of("third"));
    }

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _eligibility.Begin();
        _area.Afferents.Pending = this;
    }

    public override void Tell(int step)
    {
        _eligibility.Take(step);
        _third.Take(step);
        _third.Tell(step, _told.Span);
    }

    public override void Learn(int step)
    {
        Span<T> memory = _memory.Row(step, _area.Padded);
        _eligibility.Post(step).CopyTo(memory);
        TensorPrimitives.Multiply<T>(_told.Span, memory, _change.Row(step, _area.Padded));
        if (step == _steps)
            Advance(step, _overlap.Span[..(step - 1)], _unheard.Span);
    }

    /// <summary>The share of this trial's changes so far in the currents of a step: (W(step - 1) - W(0)) signals.</summary>
    public void AddTo(int step, ReadOnlySpan<T> signals, Span<T> current)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlap.Span[..(step - 1)];
        Kernels.Multiply(_eligibility.PreFrom(1), signals, overlap);
        TensorPrimitives.Multiply(overlap, _plastic.Scale(_plastic.Runs[0].LearningRate, _steps), overlap);
        Advance(step - 1, overlap[..^1], current);
        Kernels.AddScaled(current, overlap[^1], _change.Row(step - 1, _area.Padded));
    }

    public override void End(int steps)
    {
        _area.Afferents.Pending = null;
        _plastic.AddTrial(_change.From(1, _area.Padded), _area.Padded, _eligibility.PreFrom(1), 1, steps);
    }

    /// <summary>Takes the traces of earlier steps to this one, and what the step was told of them.</summary>
    private void Advance(int step, ReadOnlySpan<T> overlap, Span<T> current) => Kernels.AdvancePending(
        _memory.From(1, _area.Padded), _change.From(1, _area.Padded), overlap, _eligibility.Decay(step), _told.Span, current);
}

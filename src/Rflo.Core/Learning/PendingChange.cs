using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The weight changes of a rule that learns online, for an area that is large beside the length of a trial: each is a product
/// of one step's pre with one vector of units, so they are kept as such, and their share in the currents is added.
/// </summary>
/// <remarks>
/// With e(t) = sum over s up to t of D(s, t) post(s) pre(s)', where D multiplies the decays of steps s + 1 .. t, the weights
/// of step t are W(t) = W(0) + eta / T * sum over s of c(s, t) pre(s)' with c(s, t) = sum over t' from s to t of M(t') D(s, t') post(s).
/// So W(t) x = W(0) x + eta / T * sum over s of c(s, t) (pre(s)' x): every step reads the weights once and writes none of
/// them, and one product over the trial makes the change at its end. The same numbers as traces give, but for rounding, for a
/// quarter of their traffic with memory; time O(T * (post + pre)) a step beside the product, memory O(T * post).
/// </remarks>
internal sealed class PendingChange<T> : IPendingChange<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T> _area;
    private readonly Plastic<T> _plastic;
    private readonly Eligibility<T>? _eligibility;
    private readonly AlignedArray<T> _memory;
    private readonly AlignedArray<T> _change;
    private readonly AlignedArray<T> _decay;
    private readonly AlignedArray<T> _told;
    private readonly AlignedArray<T> _overlap;
    private readonly AlignedArray<T> _overlapBeside;
    private readonly AlignedArray<T> _unheard;
    private int _steps;

    /// <param name="network">The network.</param>
    /// <param name="area">The area whose weights learn.</param>
    /// <param name="plastic">How.</param>
    /// <param name="eligibility">Whose presynaptic factors count; null where they are the signals themselves.</param>
    public PendingChange(Network<T> network, AreaState<T> area, Plastic<T> plastic, Eligibility<T>? eligibility)
    {
        _area = area;
        _plastic = plastic;
        _eligibility = eligibility;
        _memory = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        _change = new AlignedArray<T>((network.MaxSteps + 1) * area.Padded);
        _decay = new AlignedArray<T>(area.Padded);
        _told = new AlignedArray<T>(area.Padded);
        _overlap = new AlignedArray<T>(network.MaxSteps + 1);
        _overlapBeside = new AlignedArray<T>(network.MaxSteps + 1);
        _unheard = new AlignedArray<T>(area.Padded);
    }

    /// <summary>
    /// Whether changes of an area's weights may wait, and pay: nobody else changes them within a trial, they are all dense, and
    /// the sums over steps are small beside the weights. Who reads weights within a trial must ask for what is pending too.
    /// </summary>
    public static bool Suits(Network<T> network, AreaState<T> area, Plastic<T> plastic) =>
        plastic.IsStepwise && plastic.OwnsDense
        && plastic.Segments.Length == area.Afferents.Segments.Length && area.Afferents.DenseStride == area.Afferents.Stride
        && plastic.Segments.All(segment => segment.Spec.Decay == 0) && area.Spec.Dynamics == Dynamics.Leaky
        && network.Loop is null && area.Afferents.DenseStride >= 2 * network.MaxSteps;

    /// <summary>Before the first step of a trial: nothing is pending.</summary>
    public void Begin(int steps)
    {
        _steps = steps;
        _area.Afferents.Pending = this;
    }

    /// <summary>Takes a step's factors. Steps come in order.</summary>
    /// <param name="step">t.</param>
    /// <param name="post">Postsynaptic factors, shape (padded units).</param>
    /// <param name="decay">What was left of earlier traces, same shape.</param>
    /// <param name="told">Learning signal, same shape.</param>
    public void Learn(int step, ReadOnlySpan<T> post, ReadOnlySpan<T> decay, ReadOnlySpan<T> told)
    {
        decay.CopyTo(_decay.Span);
        told.CopyTo(_told.Span);
        post.CopyTo(_memory.Row(step, _area.Padded));
        TensorPrimitives.Multiply(told, post, _change.Row(step, _area.Padded));
        if (step == _steps)
            Advance(_overlap.Span[..(step - 1)], _unheard.Span);
    }

    public void AddTo(int step, ReadOnlySpan<T> signals, Span<T> current)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlap.Span[..(step - 1)];
        Kernels.Multiply(PreFrom(1), signals, overlap);
        AddAdvanced(step, overlap, current);
    }

    public void AddBeside(int step, ReadOnlySpan<T> row, Span<T> product)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlapBeside.Span[..(step - 1)];
        Kernels.Multiply(PreFrom(1), row, overlap);
        AddChange(overlap, product);
    }

    public void AddToBoth(int step, ReadOnlySpan<T> signals, Span<T> current, ReadOnlySpan<T> row, Span<T> product)
    {
        if (step == 1)
            return;
        Span<T> overlap = _overlap.Span[..(step - 1)], beside = _overlapBeside.Span[..(step - 1)];
        Kernels.MultiplyBoth(PreFrom(1), signals, row, overlap, beside);
        AddAdvanced(step, overlap, current);
        AddChange(beside, product);
    }

    /// <summary>After the last step: makes the changes.</summary>
    public void End(int steps)
    {
        _area.Afferents.Pending = null;
        _plastic.AddTrial(_change.From(1, _area.Padded), _area.Padded, PreFrom(1), 1, steps);
    }

    /// <summary>eta / T.</summary>
    private T Rate => _plastic.Scale(_plastic.Runs[0].LearningRate, _steps);

    private Span<T> PreFrom(int step) => _eligibility is { } own ? own.PreFrom(step) : _area.Afferents.SignalsFrom(step);

    /// <summary>Takes the products of earlier steps to the step before this one, whose own is there, and adds their share by the overlaps of signals.</summary>
    private void AddAdvanced(int step, Span<T> overlap, Span<T> current)
    {
        TensorPrimitives.Multiply(overlap, Rate, overlap);
        Advance(overlap[..^1], current);
        Kernels.AddScaled(current, overlap[^1], _change.Row(step - 1, _area.Padded));
    }

    private void AddChange(Span<T> overlap, Span<T> product)
    {
        TensorPrimitives.Multiply(overlap, Rate, overlap);
        Kernels.AddTransposed(_change.From(1, _area.Padded), overlap, product);
    }

    /// <summary>Takes the traces of earlier steps to the last one, and what it was told of them.</summary>
    private void Advance(ReadOnlySpan<T> overlap, Span<T> current) => Kernels.AdvancePending(
        _memory.From(1, _area.Padded), _change.From(1, _area.Padded), overlap, _decay.Span, _told.Span, current);
}

using System.Numerics;
using System.Numerics.Tensors;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// Truncated back-propagation through time: in every stride-th step, and in the last of a trial, a backward pass carries the
/// errors since the last pass back over the steps of the window (Williams and Peng 1990). Its credit is multiplied with the
/// signals at once where updates are online; otherwise it is summed over passes, with one product at the end of the trial.
/// </summary>
/// <remarks>
/// The gradient of those errors with respect to the weights as they were used within the window. Time
/// O(window / stride * post * pre) a step online, O(window / stride * post * pre) backward and one product a trial at its
/// end; memory O(window * units). Jacobians of earlier steps are computed with the weights of the step of the pass.
/// </remarks>
internal sealed class TruncatedBptt<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly BackwardCredit<T> _backward;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly (ReadoutState<T> Readout, Plastic<T> Plastic)[] _readouts;
    private readonly (AreaState<T> Area, PlasticStart<T> Plastic, T[] Increments)[] _starts;
    private readonly AlignedArray<T>[] _areaSums;
    private readonly AlignedArray<T>[] _readoutSums;
    private readonly int _window;
    private readonly int _stride;
    private readonly bool _isStepwise;
    private readonly int _history;
    private int _steps;
    private int _first;

    public TruncatedBptt(
        Network<T> network, TruncatedBpttRule rule, bool isStepwise, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts, IReadOnlyList<(AreaState<T> Area, PlasticStart<T> Plastic)> starts)
    {
        _window = Math.Min(rule.Window, network.MaxSteps);
        _stride = rule.Stride;
        _isStepwise = isStepwise;
        _history = network.Graph.MaxDelay;
        _backward = new BackwardCredit<T>(network, rule.Path, _window);
        _areas = [.. areas];
        _readouts = [.. readouts];
        _starts = [.. starts.Select(start => (start.Area, start.Plastic, new T[start.Area.Units]))];
        int rows = isStepwise ? 0 : _history + network.MaxSteps + 1;
        _areaSums = [.. _areas.Select(pair => new AlignedArray<T>(rows, pair.Area.Padded))];
        _readoutSums = [.. _readouts.Select(pair => new AlignedArray<T>(rows, pair.Readout.Padded))];
    }

    public override BufferPurpose Purpose => BufferPurpose.Activity;

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "backward pass of a window", _backward.Reads, ["credit"]),
        .. _isStepwise ? Array.Empty<PlanOperator>() : [new(PlanStage.ApplyStep, "sum over backward passes", [new("credit")], ["credit of all passes"])],
        .. _areas.SelectMany(pair => Product(pair.Plastic, pair.Area.Spec.Name)),
        .. _readouts.SelectMany(pair => Product(pair.Plastic, pair.Readout.Spec.Name)),
        .. _starts.Select(start => start.Plastic.Operator([new("credit")])),
    ];

    private IEnumerable<PlanOperator> Product(Plastic<T> plastic, string target) =>
        plastic.Around(plastic.Update("product over steps", new(_isStepwise ? "credit" : "credit of all passes"), new PlanRead(Signals(target))));

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        foreach (AlignedArray<T> sum in _areaSums)
            sum.Span.Clear();
        foreach (AlignedArray<T> sum in _readoutSums)
            sum.Span.Clear();
        foreach ((_, _, T[] increments) in _starts)
            increments.AsSpan().Clear();
    }

    public override void ObserveStep(int step)
    {
        if (!IsLook(step))
            return;
        _first = Math.Max(1, step - _window + 1);
        _backward.Look(_first, step, firstError: (step - 1) / _stride * _stride + 1);
    }

    public override void ApplyStep(int step)
    {
        bool isLook = IsLook(step);
        foreach ((AreaState<T> area, PlasticStart<T> plastic, T[] increments) in _starts)
        {
            // The credit is 0 where the window does not reach step 1.
            if (isLook)
                TensorPrimitives.Add(increments, _backward.StartCredit(area)[..increments.Length], increments);
            if (!_isStepwise)
                continue;
            plastic.Add(increments, _steps);
            increments.AsSpan().Clear();
            plastic.EndStep(step, _steps);
        }

        for (int k = 0; k < _areas.Length; k++)
        {
            (AreaState<T> area, Plastic<T> plastic) = _areas[k];
            if (isLook)
                Take(plastic, area.Afferents, area.Padded, _backward.DeltaFrom(area, _first), _first, step, _areaSums[k]);
            if (_isStepwise)
                plastic.EndStep(step, _steps);
        }

        for (int k = 0; k < _readouts.Length; k++)
        {
            (ReadoutState<T> readout, Plastic<T> plastic) = _readouts[k];
            int first = _backward.FirstOutput;
            if (isLook)
                Take(plastic, readout.Afferents, readout.Padded, _backward.OutputDeltaFrom(readout, first), first, step, _readoutSums[k]);
            if (_isStepwise)
                plastic.EndStep(step, _steps);
        }
    }

    public override void ApplyTrial(int steps)
    {
        foreach ((_, PlasticStart<T> plastic, T[] increments) in _starts)
        {
            if (!_isStepwise)
                plastic.Add(increments, steps);
            plastic.FinishTrial();
        }

        for (int k = 0; k < _areas.Length; k++)
            End(_areas[k].Plastic, _areas[k].Area.Afferents, _areas[k].Area.Padded, 1, steps, _areaSums[k]);
        for (int k = 0; k < _readouts.Length; k++)
            End(_readouts[k].Plastic, _readouts[k].Readout.Afferents, _readouts[k].Readout.Padded, 1 - _history, steps, _readoutSums[k]);
    }

    private bool IsLook(int step) => step % _stride == 0 || step == _steps;

    /// <summary>Adds the credit of a pass, for the steps first .. last, to the increments or to the sum over passes.</summary>
    private void Take(Plastic<T> plastic, Afferents<T> afferents, int stride, ReadOnlySpan<T> found, int first, int last, AlignedArray<T> sums)
    {
        if (_isStepwise)
        {
            plastic.AddSteps(found, stride, afferents.SignalsFrom(first), last - first + 1, _steps);
            return;
        }

        Span<T> sum = sums.Span.Slice((_history + first) * stride, (last - first + 1) * stride);
        TensorPrimitives.Add(sum, found[..sum.Length], sum);
    }

    private void End(Plastic<T> plastic, Afferents<T> afferents, int stride, int first, int steps, AlignedArray<T> sums)
    {
        if (!_isStepwise)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(sums.From(_history + first, stride), stride, afferents.SignalsFrom(first), first, steps);
        }

        plastic.FinishTrial();
    }
}

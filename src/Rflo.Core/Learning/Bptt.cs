using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Back-propagation through time over a whole circuit (Murray 2019, Eqs 18 to 23, with every delay, gate and fed-back
/// output): z(t) = l(t) + (1 - alpha) z(t+1) + what later currents pass back through the weights; then
/// dW = eta / T * sum over t of (z(t) alpha phi'(u(t))) s(t)'.
/// </summary>
/// <remarks>
/// The exact gradient of the loss for every differentiable circuit. Time O(post * pre) a step, memory O(units) a step.
/// The path of a carried-over state into earlier trials is cut.
/// </remarks>
internal sealed class Bptt<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _credit;
    private readonly AlignedArray<T>[] _delta;
    private readonly AlignedArray<T>[] _outputCredit;
    private readonly AlignedArray<T> _told;
    private readonly AlignedArray<T> _back;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly (ReadoutState<T> Readout, Plastic<T> Plastic)[] _readouts;
    private readonly int _history;
    private readonly bool _anyFedBack;

    public Bptt(
        Network<T> network, ErrorPath path, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts)
    {
        _network = network;
        _areas = [.. areas];
        _readouts = [.. readouts];
        _history = network.Graph.MaxDelay;
        _anyFedBack = network.Readouts.Any(readout => readout.IsFedBack);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _credit = [.. network.Areas.Select(area => new AlignedArray<T>((network.MaxSteps + 1) * area.Padded))];
        _delta = [.. network.Areas.Select(area => new AlignedArray<T>((network.MaxSteps + 1) * area.Padded))];
        _outputCredit = [.. network.Readouts.Select(readout => new AlignedArray<T>((_history + network.MaxSteps + 1) * readout.Padded))];
        _told = new AlignedArray<T>(network.Areas.Max(area => area.Padded));
        int widest = network.Areas.Max(area => area.Afferents.Stride);
        foreach (ReadoutState<T> readout in network.Readouts)
            widest = Math.Max(widest, readout.Afferents.Stride);
        _back = new AlignedArray<T>(widest);
    }

    public override void Conclude(int steps)
    {
        for (int k = 0; k < _credit.Length; k++)
            _credit[k].Span[..((steps + 1) * _network.Areas[k].Padded)].Clear();
        foreach (AlignedArray<T> credit in _outputCredit)
            credit.Span.Clear();

        for (int t = steps; t >= 1; t--)
            Back(t);
        foreach (ReadoutState<T> readout in _network.Readouts)
            if (readout.IsFedBack)
                for (int t = 0; t > -_history; t--)
                    BackBeforeTrial(readout, t);
    }

    public override void End(int steps)
    {
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(_delta[area.Index].From(1, area.Padded), area.Padded, area.Afferents.SignalsFrom(1), 1, steps);
            plastic.FinishTrial();
        }

        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in _readouts)
        {
            int first = 1 - _history;
            plastic.BeginIncrements(1);
            plastic.AddTrial(
                _outputCredit[readout.Index].From(_history + first, readout.Padded), readout.Padded, readout.Afferents.SignalsFrom(first), first, steps);
            plastic.FinishTrial();
        }
    }

    /// <summary>Credit of one step: from outputs to rates, from rates to currents, from currents to earlier signals.</summary>
    private void Back(int step)
    {
        foreach (ReadoutState<T> readout in _network.Readouts)
            if (readout.IsFedBack)
                BackThroughReadout(readout, step);

        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> credit = _credit[area.Index].Row(step, area.Padded);
            Span<T> told = _told.Span[..area.Padded];
            _signals[area.Index].Tell(step, told);
            TensorPrimitives.Add(credit, told, credit);
        }

        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> credit = _credit[area.Index].Row(step, area.Padded);
            Span<T> delta = _delta[area.Index].Row(step, area.Padded);
            TensorPrimitives.Multiply(credit, area.Post(step), delta);
            if (step == 1 && !_anyFedBack)
                continue;
            Span<T> before = _credit[area.Index].Row(step - 1, area.Padded);
            TensorPrimitives.MultiplyAdd(credit, area.Decay.Span, before, before);
            Span<T> back = _back.Span[..area.Afferents.Stride];
            area.Afferents.Transposed(delta, back);
            Scatter(area.Afferents, back, step);
        }
    }

    /// <summary>What later steps told the outputs of this one goes back to its sums, and on to the rates.</summary>
    private void BackThroughReadout(ReadoutState<T> readout, int step)
    {
        Span<T> told = _outputCredit[readout.Index].Row(_history + step, readout.Padded);
        readout.ThroughNonlinearity(step, told);
        Span<T> back = _back.Span[..readout.Afferents.Stride];
        readout.Afferents.Transposed(told, back);
        foreach (Segment segment in readout.Afferents.Segments)
            if (segment.Source.Kind == SignalKind.Area)
                AddTo(_credit[segment.Source.Index].Row(step, _network.Areas[segment.Source.Index].Padded), segment, back);
        TensorPrimitives.Add(told, readout.Error(step), told);
    }

    /// <summary>Outputs before step 1 depend on the readout's weights too; their rates are given.</summary>
    private void BackBeforeTrial(ReadoutState<T> readout, int step) =>
        readout.ThroughNonlinearity(step, _outputCredit[readout.Index].Row(_history + step, readout.Padded));

    /// <summary>The transpose of gathering: every presynaptic signal hands its credit to the rate or output that it was.</summary>
    private void Scatter(Afferents<T> afferents, ReadOnlySpan<T> back, int step)
    {
        foreach (Segment segment in afferents.Segments)
        {
            Source source = segment.Source;
            int from = step - source.Delay;
            if (source.Kind is not (SignalKind.Area or SignalKind.Readout) || !_network.IsOpen(segment.Spec.Gate, step))
                continue;
            if (source.Kind == SignalKind.Area && from >= 1)
                AddTo(_credit[source.Index].Row(from, _network.Areas[source.Index].Padded), segment, back);
            else if (source.Kind == SignalKind.Readout && from > -_history)
                AddTo(_outputCredit[source.Index].Row(_history + from, _network.Readouts[source.Index].Padded), segment, back);
        }
    }

    private static void AddTo(Span<T> credit, Segment segment, ReadOnlySpan<T> back)
    {
        ReadOnlySpan<T> share = back.Slice(segment.Offset, segment.Width);
        if (segment.Source.Units is not { } units)
        {
            Span<T> to = credit[..segment.Width];
            TensorPrimitives.Add(to, share, to);
            return;
        }

        for (int k = 0; k < units.Length; k++)
            credit[units[k]] += share[k];
    }
}

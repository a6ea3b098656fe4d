using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// A backward pass in time over a whole circuit (Murray 2019, Eqs 18 to 23, with every delay, gate and fed-back
/// output): z(t) = l(t) + (1 - alpha) z(t+1) + the credit of later currents through the transposed weights, from a last step
/// down to a first one. Credit for signals before the first step is dropped.
/// </summary>
/// <remarks>Time O(post * pre) and memory O(units) for each step of the pass.</remarks>
internal sealed partial class BackwardCredit<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _credit;
    private readonly AlignedArray<T>?[] _carried;
    private readonly AlignedArray<T>?[] _ofStates;
    private readonly AlignedArray<T>?[] _start;
    private readonly AlignedArray<T>[] _delta;
    private readonly AlignedArray<T>[] _outputCredit;
    private readonly AlignedArray<T> _back;
    private readonly int _history;
    private readonly bool _anyStart;
    private readonly bool _passesBeforeStart;
    private readonly AreaState<T>[] _alone;
    private readonly AreaState<T>[] _together;
    private int _first;

    /// <param name="network">The network.</param>
    /// <param name="path">How the error reaches the areas.</param>
    /// <param name="longest">The most steps of a pass.</param>
    public BackwardCredit(Network<T> network, ErrorPath path, int longest)
    {
        _network = network;
        _history = network.Graph.MaxDelay;
        _anyStart = network.Areas.Any(area => area.LearnsStart);
        _passesBeforeStart = _anyStart || network.Readouts.Any(readout => readout.IsFedBack);
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _credit = [.. network.Areas.Select(area => new AlignedArray<T>(longest + 1, area.Padded))];
        _carried = [.. network.Areas.Select(area => area.HasGain ? new AlignedArray<T>(area.StateWidth) : null)];
        _ofStates = [.. network.Areas.Select(area => area.HasModel ? new AlignedArray<T>(area.StateWidth) : null)];
        _start = [.. network.Areas.Select(area => area.LearnsStart ? new AlignedArray<T>(area.Padded) : null)];
        _delta = [.. network.Areas.Select(area => new AlignedArray<T>(longest + 1, area.Padded))];
        _outputCredit = [.. network.Readouts.Select(readout => new AlignedArray<T>(_history + longest + 1, readout.Padded))];
        int widest = network.Areas.Max(area => area.Afferents.Stride);
        foreach (ReadoutState<T> readout in network.Readouts)
            widest = Math.Max(widest, readout.Afferents.Stride);
        _back = new AlignedArray<T>(widest);
        _alone = [.. network.Areas.Where(IsAlone)];
        _together = [.. network.Areas.Except(_alone)];
    }

    /// <summary>The buffers that a pass reads: the weights of the circuit, slopes, and the sources of learning signals.</summary>
    public IReadOnlyList<PlanRead> Reads => [.. _network.Carrying(_signals).Union(_network.FedBackErrors)];

    /// <summary>The areas whose credit is carried back in one call.</summary>
    public int Alone => _alone.Length;

    /// <summary>The first step for which a readout's outputs received credit: steps before the trial are included where the pass reaches step 1.</summary>
    public int FirstOutput => _first == 1 ? 1 - _history : _first;

    /// <summary>z(t) alpha phi'(u(t)) of an area, the credit of its currents, from a step of the last pass on; rows of padded units.</summary>
    public Span<T> DeltaFrom(AreaState<T> area, int step) => _delta[area.Index].From(step - _first + 1, area.Padded);

    /// <summary>The credit of a fed-back readout's sums, from a step of the last pass on; rows of padded outputs.</summary>
    public Span<T> OutputDeltaFrom(ReadoutState<T> readout, int step) =>
        _outputCredit[readout.Index].From(_history + step - _first + 1, readout.Padded);

    /// <summary>Carries out a pass. Allocates nothing.</summary>
    /// <param name="first">The earliest step that receives credit, at least 1.</param>
    /// <param name="last">The step to begin at.</param>
    /// <param name="firstError">The first step whose errors are included; those of later steps up to <paramref name="last"/> are included too.</param>
    public void Look(int first, int last, int firstError)
    {
        _first = first;
        foreach (AreaState<T> area in _alone)
            LookAtArea(area, first, last, firstError);
        if (_together.Length == 0)
            return;
        BeginTogether(first, last);
        for (int t = last; t >= first; t--)
            Back(t, t >= firstError);
        EndTogether(first);
    }

    private void BeginTogether(int first, int last)
    {
        foreach (AreaState<T> area in _together)
        {
            _credit[area.Index].Span[..((last - first + 2) * area.Padded)].Clear();
            _carried[area.Index]?.Span.Clear();
            _start[area.Index]?.Span.Clear();
        }

        foreach (AlignedArray<T> credit in _outputCredit)
            credit.Span.Clear();
    }

    private void EndTogether(int first)
    {
        if (first > 1)
            return;
        foreach (ReadoutState<T> readout in _network.Readouts)
            if (readout.IsFedBack)
                for (int t = 0; t > -_history; t--)
                    BackBeforeTrial(readout, t);
        foreach (AreaState<T> area in _together)
            if (_start[area.Index] is { } start)
                BackToStart(area, start.Span);
    }

    /// <summary>-dL/ds(0) of the first state variable of an area's units, where it learns; 0 where the last pass did not reach step 1. Shape (padded units).</summary>
    public ReadOnlySpan<T> StartCredit(AreaState<T> area) => _start[area.Index]!.Span;

    /// <summary>Computes the credit of s(0): that of the rates before step 1, all of which are h(0), and that carried back by the leak.</summary>
    private void BackToStart(AreaState<T> area, Span<T> start)
    {
        for (int i = 0; i < area.Units; i++)
            if (area.IsStartHeld(i))
                start[i] = T.Zero;
        if (_carried[area.Index] is not { } carried)
        {
            TensorPrimitives.Add(start, Credit(area, 0), start);
            return;
        }

        TensorPrimitives.Multiply(start, area.Gain(0)[..area.Padded], start);
        TensorPrimitives.Add(start, carried.Span[..area.Padded], start);
    }

    /// <summary>
    /// Whether an area is isolated: it receives only itself, one step later and through dense weights, and no other area or fed-back
    /// readout receives it. Then the credit of its rates comes from later steps through its own currents only.
    /// </summary>
    private bool IsAlone(AreaState<T> area)
    {
        bool Reads(Segment segment) => segment.Source.Kind == SignalKind.Area && segment.Source.Index == area.Index;
        string name = area.Spec.Name;
        string? obstacle =
            area.LearnsStart ? $"initial states of {name} learn"
            : area.DecayChanges ? $"a perturbation cuts states of {name}"
            : area.HasGain ? $"units of {name} have states beside their rates"
            : area.Afferents is not { IsShared: true, DenseStride: > 0 } afferents || !Reads(afferents.Segments[0]) || afferents.Segments[0].Source.Delay != 1
                ? $"{name} does not receive from itself alone, dense and one step later"
            : _network.Areas.FirstOrDefault(other => other.Index != area.Index && other.Afferents.Segments.Any(Reads)) is { } next ? $"{next.Spec.Name} receives from {name}"
            : _network.Readouts.FirstOrDefault(readout => readout.IsFedBack && readout.Afferents.Segments.Any(Reads)) is { } back ? $"{back.Spec.Name} is fed back"
            : null;
        return _network.Choose(Forms.WholePass, $"backward pass of {name}", obstacle);
    }

    private void LookAtArea(AreaState<T> area, int first, int last, int firstError)
    {
        LearningSignal<T> signal = _signals[area.Index];
        Span<T> weights = area.Afferents.Weights.Dense.Span, decay = area.Decay.Span, post = area.PostFrom(first);
        Span<T> credit = _credit[area.Index].From(1, area.Padded), delta = DeltaFrom(area, first)[..((last - first + 1) * area.Padded)];
        if (signal.IsOneColumn && firstError <= first)
        {
            Kernels.LookBack(weights, area.Units, decay, post, credit, delta, signal.Column, signal.ErrorsFrom(first), signal.ErrorStride);
            return;
        }

        for (int t = first; t <= last; t++)
        {
            if (t >= firstError)
                signal.Write(t, Credit(area, t));
            else
                Credit(area, t).Clear();
        }

        Kernels.LookBack(weights, area.Units, decay, post, credit, delta);
    }

    /// <summary>z(t) of an area, -dL/ds(t) of its states, in a step of the last pass; padded units.</summary>
    public Span<T> Credit(AreaState<T> area, int step) => _credit[area.Index].Row(step - _first + 1, area.Padded);

    private Span<T> OutputCredit(ReadoutState<T> readout, int step) =>
        _outputCredit[readout.Index].Row(_history + step - _first + 1, readout.Padded);

    /// <summary>Credit of one step: from outputs to rates, from rates to currents, from currents to earlier signals.</summary>
    private void Back(int step, bool withErrors)
    {
        BackFromOutputs(step, withErrors);
        foreach (AreaState<T> area in _together)
        {
            BackThroughUnits(area, step);
            if (!PassesOn(step))
                continue;
            if (area.Afferents is { IsShared: true, DenseStride: > 0 })
                BackToOneArea(area, step, Delta(area, step));
            else
                BackToAll(area, step, Delta(area, step));
        }
    }

    /// <summary>The credit of a step's rates from outputs and from costs of rates.</summary>
    private void BackFromOutputs(int step, bool withErrors)
    {
        foreach (ReadoutState<T> readout in _network.Readouts)
            if (readout.IsFedBack)
                BackThroughReadout(readout, step, withErrors);

        if (withErrors)
        {
            foreach (AreaState<T> area in _together)
                _signals[area.Index].Add(step, Credit(area, step));
        }

    }

    /// <summary>From the rates of a step to its currents, and by the leak to the step before.</summary>
    private void BackThroughUnits(AreaState<T> area, int step)
    {
        Span<T> credit = Credit(area, step), delta = Delta(area, step);
        if (_ofStates[area.Index] is { } ofStates)
            area.CarryCredit(step, area.Jacobian(step), credit, ofStates.Span, delta, _carried[area.Index]!.Span);
        else if (_carried[area.Index] is { } carried)
            PassThroughGain(area, step, credit, delta, carried.Span);
        else
            Kernels.PassCredit(credit, area.Post(step), area.DecayOf(step), delta, Credit(area, step - 1));
    }

    /// <summary>Whether the credit of a step's currents is carried to earlier signals.</summary>
    private bool PassesOn(int step) => step != _first || (step == 1 && _passesBeforeStart);

    private Span<T> Delta(AreaState<T> area, int step) => _delta[area.Index].Row(step - _first + 1, area.Padded);

    /// <summary>Where rates are a function of states: the credit of rates becomes that of states, and the credit that the leak carries from the next step is added there.</summary>
    private static void PassThroughGain(AreaState<T> area, int step, Span<T> credit, Span<T> delta, Span<T> carried)
    {
        area.ThroughGain(step, credit);
        TensorPrimitives.Add(credit, carried, credit);
        carried.Clear();
        Kernels.PassCredit(credit, area.Post(step), area.DecayOf(step), delta, carried);
    }

    /// <summary>Carries the credit of currents that come from one whole area directly to the credit of its rates.</summary>
    private void BackToOneArea(AreaState<T> area, int step, ReadOnlySpan<T> delta)
    {
        Source source = area.Afferents.Segments[0].Source;
        Span<T> from = CreditOfSource(source.Index, step - source.Delay);
        if (!from.IsEmpty)
            Kernels.AddTransposed(area.Afferents.Weights.Dense.Span, delta[..area.Units], from);
    }

    /// <summary>
    /// The credit of an area's rates of a step; all steps before the first of a trial share one row where initial states learn. Empty
    /// where it is dropped.
    /// </summary>
    private Span<T> CreditOfSource(int area, int step) =>
        step >= _first ? Credit(_network.Areas[area], step)
        : _first == 1 && _start[area] is { } start ? start.Span
        : [];

    private void BackToAll(AreaState<T> area, int step, ReadOnlySpan<T> delta)
    {
        Span<T> back = _back.Span[..area.Afferents.Stride];
        area.Afferents.Transposed(delta, back);
        Scatter(area.Afferents, back, step);
    }

    /// <summary>Carries the credit of a step's outputs from later steps back to its sums, and to the rates.</summary>
    private void BackThroughReadout(ReadoutState<T> readout, int step, bool withErrors)
    {
        Span<T> credit = OutputCredit(readout, step);
        readout.ThroughNonlinearity(step, credit);
        Span<T> back = _back.Span[..readout.Afferents.Stride];
        readout.Afferents.Transposed(credit, back);
        foreach (Segment segment in readout.Afferents.Segments)
            if (segment.Source.Kind == SignalKind.Area)
                AddTo(Credit(_network.Areas[segment.Source.Index], step), segment, back, _network.FactorOf(segment, step));
        if (withErrors)
            TensorPrimitives.Add(credit, readout.Error(step), credit);
    }

    /// <summary>Carries the credit of outputs before step 1 to their sums, since these depend on the readout's weights too, and to trainable initial states.</summary>
    private void BackBeforeTrial(ReadoutState<T> readout, int step)
    {
        Span<T> credit = OutputCredit(readout, step);
        readout.ThroughNonlinearity(step, credit);
        if (!_anyStart)
            return;
        Span<T> back = _back.Span[..readout.Afferents.Stride];
        readout.Afferents.Transposed(credit, back);
        foreach (Segment segment in readout.Afferents.Segments)
            if (segment.Source.Kind == SignalKind.Area && _start[segment.Source.Index] is { } start)
                AddTo(start.Span, segment, back, _network.FactorOf(segment, step));
    }

    /// <summary>The transpose of gathering: adds the credit of every presynaptic signal to that of the rate or output that it was read from.</summary>
    private void Scatter(Afferents<T> afferents, ReadOnlySpan<T> back, int step)
    {
        foreach (Segment segment in afferents.Segments)
        {
            Source source = segment.Source;
            int from = step - source.Delay;
            if (source.Kind is not (SignalKind.Area or SignalKind.Readout) || _network.FactorOf(segment, step) is var factor && factor == T.Zero)
                continue;
            if (source.Kind == SignalKind.Area)
            {
                if (CreditOfSource(source.Index, from) is { IsEmpty: false } credit)
                    AddTo(credit, segment, back, factor);
            }
            else if (source.Kind == SignalKind.Readout && from >= FirstOutput)
                AddTo(OutputCredit(_network.Readouts[source.Index], from), segment, back, factor);
        }
    }

    private static void AddTo(Span<T> credit, Segment segment, ReadOnlySpan<T> back, T factor)
    {
        ReadOnlySpan<T> share = back.Slice(segment.Offset, segment.Width);
        if (factor != T.One)
        {
            AddScaled(credit, segment, share, factor);
            return;
        }

        if (segment.Source.Units is not { } units)
        {
            Span<T> to = credit[..segment.Width];
            TensorPrimitives.Add(to, share, to);
            return;
        }

        for (int k = 0; k < units.Length; k++)
            credit[units[k]] += share[k];
    }

    private static void AddScaled(Span<T> credit, Segment segment, ReadOnlySpan<T> share, T factor)
    {
        for (int k = 0; k < share.Length; k++)
            credit[segment.SourceUnit(k)] += factor * share[k];
    }
}

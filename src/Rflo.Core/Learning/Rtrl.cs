using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Real-time recurrent learning over a whole circuit: P holds the influence of every weight on every rate,
/// P(t) = (1 - alpha) P(t-1) + alpha phi'(u(t)) [ sum over projections of W ds(t)/dw + immediate ], and
/// dW(t) = eta / T * l(t)' P(t) (Murray 2019, Eqs 10 to 14, with rows scaled by their own slopes).
/// </summary>
/// <remarks>
/// Exact at fixed weights for every differentiable circuit. With n rates and K weights: time O(n * pre * K) a step,
/// memory O(n * K * longest delay). The tensor passes through the cache once a step, in panels of a few columns that
/// are packed, multiplied and written back in place.
/// </remarks>
internal sealed class Rtrl<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> _areas;
    private readonly IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> _readouts;
    private readonly UpdateTime _time;
    private readonly InfluenceColumns<T> _columns = new();
    private readonly AlignedArray<T>[][][] _influence;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _told;
    private readonly AlignedArray<T>[] _product;
    private readonly AlignedArray<T> _panel;
    private readonly AlignedArray<T> _outputPanel;
    private readonly AlignedArray<T> _gradient;
    private readonly bool[][] _reaches;
    private readonly int _width = Kernels.PanelColumns<T>();
    private readonly int _delays;
    private int _steps;

    public Rtrl(
        Network<T> network, ErrorPath path, UpdateTime time, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts)
    {
        _network = network;
        _areas = areas;
        _readouts = readouts;
        _time = time;
        _delays = network.Graph.MaxDelay;
        foreach ((AreaState<T> area, Plastic<T> plastic) in areas)
            _columns.Add(area.Index, area.Afferents, plastic.Segments);
        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in readouts)
            _columns.Add(network.Areas.Length + readout.Index, readout.Afferents, plastic.Segments);
        _reaches = Reach.Of(network.Graph);
        _influence = [.. Enumerable.Range(0, _delays).Select(_ => NewSlot())];
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _told = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        _product = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded * _width))];
        _panel = new AlignedArray<T>(network.Areas.Max(area => area.Afferents.Stride) * _width);
        _outputPanel = new AlignedArray<T>(network.Readouts.Select(readout => readout.Padded).DefaultIfEmpty(0).Max() * _width);
        _gradient = new AlignedArray<T>(_columns.Count);
    }




    public override void Begin(int steps)
    {
        _steps = steps;
        _gradient.Span.Clear();
        foreach (AlignedArray<T>[][] slot in _influence)
            foreach (AlignedArray<T>[] area in slot)
                foreach (AlignedArray<T> row in area)
                    row.Span.Clear();
    }

    public override void Tell(int step)
    {
        for (int k = 0; k < _signals.Length; k++)
            _signals[k].Tell(step, _told[k].Span);
    }

    public override void Learn(int step)
    {
        if (_time == UpdateTime.Online)
            _gradient.Span.Clear();
        for (int panel = 0; panel < _columns.PanelOwners.Count; panel++)
            AdvancePanel(panel, step);
        AddImmediate(step);
        if (_time == UpdateTime.Online)
            Apply(perStep: true);
    }

    public override void End(int steps)
    {
        if (_time == UpdateTime.TrialEnd)
            Apply(perStep: false);
        foreach ((AreaState<T> _, Plastic<T> plastic) in _areas)
            plastic.FinishTrial();
        foreach ((ReadoutState<T> _, Plastic<T> plastic) in _readouts)
            plastic.FinishTrial();
    }

    private AlignedArray<T>[][] NewSlot() =>
        [.. _network.Areas.Select(area => Enumerable.Range(0, area.Units).Select(_ => new AlignedArray<T>(_columns.Count)).ToArray())];

    /// <summary>The rows of P at a step; a ring of as many steps as the longest delay.</summary>
    private AlignedArray<T>[] Influence(int area, int step) => _influence[((step % _delays) + _delays) % _delays][area];

    /// <summary>One panel of columns, for all areas: products first, since the new rows may overwrite the oldest.</summary>
    private void AdvancePanel(int panel, int step)
    {
        int owner = _columns.PanelOwners[panel], first = panel * _width;
        foreach (AreaState<T> area in _network.Areas)
            if (_reaches[owner][area.Index])
                Multiply(area, owner, first, step);
        foreach (AreaState<T> area in _network.Areas)
            if (_reaches[owner][area.Index])
                WriteBack(area, first, step);
    }

    /// <summary>product = sum over projections of W ds(t)/dw for one panel.</summary>
    private void Multiply(AreaState<T> area, int owner, int first, int step)
    {
        Afferents<T> afferents = area.Afferents;
        Span<T> panel = _panel.Span[..(afferents.Stride * _width)];
        foreach (Segment segment in afferents.Segments)
            Pack(segment, owner, first, step, panel);
        Span<T> product = _product[area.Index].Span;
        if (afferents.DenseStride > 0)
            Kernels.MultiplyPanel(afferents.Weights.Dense.Span, area.Padded, afferents.DenseStride, panel, product);
        else
            product.Clear();
        for (int k = 0; k < afferents.Segments.Count; k++)
            if (afferents.Segments[k].Sparse is { } pattern)
                MultiplySparsePanel(pattern, afferents.Weights.Sparse[k], panel.Slice(afferents.Segments[k].Offset * _width), product);
    }

    private void MultiplySparsePanel(SparseRows pattern, ReadOnlySpan<T> weights, ReadOnlySpan<T> panel, Span<T> product)
    {
        for (int i = 0; i < pattern.Rows; i++)
            for (int k = pattern.Start[i]; k < pattern.Start[i + 1]; k++)
                Kernels.AddScaled(product.Slice(i * _width, _width), weights[k], panel.Slice(pattern.Column[k] * _width, _width));
    }

    /// <summary>The influence on a projection's presynaptic signals: gathering, one column at a time.</summary>
    private void Pack(Segment segment, int owner, int first, int step, Span<T> panel)
    {
        Source source = segment.Source;
        Span<T> rows = panel.Slice(segment.Offset * _width, segment.Width * _width);
        int from = step - source.Delay;
        bool open = _network.IsOpen(segment.Spec.Gate, step);
        if (open && source.Kind == SignalKind.Area && from >= 1)
        {
            AlignedArray<T>[] influence = Influence(source.Index, from);
            for (int k = 0; k < segment.Width; k++)
                influence[source.Units is { } units ? units[k] : k].Span.Slice(first, _width).CopyTo(rows.Slice(k * _width, _width));
        }
        else if (open && source.Kind == SignalKind.Readout)
        {
            Span<T> outputs = InfluenceOnOutputs(_network.Readouts[source.Index], owner, first, from);
            for (int k = 0; k < segment.Width; k++)
                outputs.Slice((source.Units is { } units ? units[k] : k) * _width, _width).CopyTo(rows.Slice(k * _width, _width));
        }
        else
        {
            rows.Clear();
        }
    }

    /// <summary>dy/dw of an earlier step, from the influence on its rates and, for the readout's own weights, from those rates.</summary>
    private Span<T> InfluenceOnOutputs(ReadoutState<T> readout, int owner, int first, int step)
    {
        Span<T> outputs = _outputPanel.Span[..(readout.Padded * _width)];
        outputs.Clear();
        Afferents<T> afferents = readout.Afferents;
        foreach (Segment segment in afferents.Segments)
        {
            if (step < 1 || segment.Source.Kind != SignalKind.Area)
                continue;
            AlignedArray<T>[] influence = Influence(segment.Source.Index, step);
            for (int k = 0; k < readout.Outputs; k++)
                for (int j = 0; j < segment.Width; j++)
                    Kernels.AddScaled(
                        outputs.Slice(k * _width, _width), afferents.Weights.Dense.Row(k, afferents.DenseStride)[segment.Offset + j],
                        influence[segment.Source.Units is { } units ? units[j] : j].Span.Slice(first, _width));
        }

        if (owner == _network.Areas.Length + readout.Index)
            AddOwnWeights(readout, first, step, outputs);
        ThroughNonlinearity(readout, step, outputs);
        return outputs;
    }

    private void AddOwnWeights(ReadoutState<T> readout, int first, int step, Span<T> outputs)
    {
        Span<T> signals = readout.Afferents.Signals(step);
        foreach (InfluenceColumns<T>.Row row in _columns.Rows)
        {
            if (row.Owner != _network.Areas.Length + readout.Index)
                continue;
            for (int n = Math.Max(0, first - row.First); n < row.Signals.Length && row.First + n < first + _width; n++)
                outputs[row.Unit * _width + row.First + n - first] += signals[row.Signals[n]];
        }
    }

    /// <summary>Jacobians of the output nonlinearities are symmetric, so the backward form serves forward too, a column at a time.</summary>
    private void ThroughNonlinearity(ReadoutState<T> readout, int step, Span<T> outputs)
    {
        if (readout.Spec.Kind == OutputKind.Linear)
            return;
        Span<T> column = readout.Sums.Span;
        for (int c = 0; c < _width; c++)
        {
            for (int k = 0; k < readout.Outputs; k++)
                column[k] = outputs[k * _width + c];
            readout.ThroughNonlinearity(step, column);
            for (int k = 0; k < readout.Outputs; k++)
                outputs[k * _width + c] = column[k];
        }
    }

    /// <summary>P(t) = decay P(t-1) + post product, and the panel's share of the gradient.</summary>
    private void WriteBack(AreaState<T> area, int first, int step)
    {
        AlignedArray<T>[] before = Influence(area.Index, step - 1), now = Influence(area.Index, step);
        Span<T> gradient = _gradient.Span.Slice(first, _width), told = _told[area.Index].Span;
        Span<T> post = area.Post(step), decay = area.Decay.Span, product = _product[area.Index].Span;
        for (int i = 0; i < area.Units; i++)
        {
            Kernels.AdvanceInfluence(
                before[i].Span.Slice(first, _width), now[i].Span.Slice(first, _width), decay[i], post[i],
                product.Slice(i * _width, _width), told[i], gradient);
        }
    }

    /// <summary>A weight's direct effect on its own unit's rate; and a fed-back readout's own delta rule.</summary>
    private void AddImmediate(int step)
    {
        Span<T> gradient = _gradient.Span;
        foreach (InfluenceColumns<T>.Row row in _columns.Rows)
        {
            if (row.Owner >= _network.Areas.Length)
            {
                ReadoutState<T> readout = _network.Readouts[row.Owner - _network.Areas.Length];
                AddTo(gradient, row, readout.Error(step)[row.Unit], readout.Afferents.Signals(step));
                continue;
            }

            AreaState<T> area = _network.Areas[row.Owner];
            Span<T> signals = area.Afferents.Signals(step);
            AddTo(Influence(row.Owner, step)[row.Unit].Span, row, area.Post(step)[row.Unit], signals);
            AddTo(gradient, row, _told[row.Owner].Span[row.Unit] * area.Post(step)[row.Unit], signals);
        }
    }

    private static void AddTo(Span<T> columns, in InfluenceColumns<T>.Row row, T factor, ReadOnlySpan<T> signals)
    {
        if (row.Signals[^1] - row.Signals[0] == row.Signals.Length - 1)
        {
            Kernels.AddScaled(columns.Slice(row.First, row.Signals.Length), factor, signals.Slice(row.Signals[0], row.Signals.Length));
            return;
        }

        for (int n = 0; n < row.Signals.Length; n++)
            columns[row.First + n] += factor * signals[row.Signals[n]];
    }

    private void Apply(bool perStep)
    {
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
            Apply(plastic, area.Index, perStep);
        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in _readouts)
            Apply(plastic, _network.Areas.Length + readout.Index, perStep);
    }

    private void Apply(Plastic<T> plastic, int owner, bool perStep)
    {
        if (plastic.IsDirect)
            plastic.Forget(perStep ? 1.0 / _steps : 1.0);
        Afferents<T> afferents = plastic.Afferents;
        foreach (InfluenceColumns<T>.Row row in _columns.Rows)
        {
            if (row.Owner != owner)
                continue;
            T scale = plastic.Scale(row.Segment.Plasticity!.LearningRate, _steps);
            Span<T> gradient = _gradient.Span.Slice(row.First, row.Signals.Length);
            if (row.SparseStart >= 0)
            {
                Kernels.AddScaled(plastic.Destination.Sparse[afferents.Place(row.Segment)].AsSpan(row.SparseStart, gradient.Length), scale, gradient);
                continue;
            }

            Span<T> weights = plastic.Destination.Dense.Row(row.Unit, afferents.DenseStride);
            if (row.Signals[^1] - row.Signals[0] == row.Signals.Length - 1)
                Kernels.AddScaled(weights.Slice(row.Signals[0], gradient.Length), scale, gradient);
            else
                for (int n = 0; n < gradient.Length; n++)
                    weights[row.Signals[n]] = T.FusedMultiplyAdd(scale, gradient[n], weights[row.Signals[n]]);
        }

        if (plastic.IsDirect)
            plastic.Constrain();
    }
}

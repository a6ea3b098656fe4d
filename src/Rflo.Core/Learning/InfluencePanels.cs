using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// The influence tensor itself, ds/dw for every unit's state and every column, over the last few steps; and its product with
/// a circuit's weights, which is the tangent of the forward step.
/// </summary>
internal sealed class InfluencePanels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly InfluenceColumns<T> _columns;
    private readonly AlignedArray<T>?[][][] _panels;
    private readonly Segment?[] _only;
    private readonly AlignedArray<T> _gathered;
    private readonly AlignedArray<T> _outputs;
    private readonly AlignedArray<T> _ofRates;
    private readonly AlignedArray<T> _before;
    private readonly int _width = Kernels.PanelColumns<T>();
    private readonly int _delays;

    public InfluencePanels(Network<T> network, InfluenceColumns<T> columns, bool[][] reaches)
    {
        _network = network;
        _columns = columns;
        _delays = network.Graph.MaxDelay;
        _panels = new AlignedArray<T>?[_delays][][];
        for (int slot = 0; slot < _delays; slot++)
            _panels[slot] = [.. network.Areas.Select(area => NewPanels(area, reaches))];
        _only = [.. network.Areas.Select(area => OnlySegment(area) is { } only && network.Choose(Forms.OneSource, $"currents of {area.Spec.Name}", null) ? only : null)];
        _gathered = new AlignedArray<T>(network.Areas.Max(area => area.Afferents.Stride), _width);
        _ofRates = new AlignedArray<T>(network.Areas.Max(area => area.HasGain ? area.BlockRows : 0), _width);
        _before = new AlignedArray<T>(network.Areas.Max(area => area.HasModel ? area.StateCount : 0), _width);
        _outputs = new AlignedArray<T>(network.Readouts.Select(readout => readout.Padded).DefaultIfEmpty(0).Max(), _width);
    }

    /// <summary>ds(t)/dw of an area for the columns of one panel, shape (units in blocks of four, panel columns); of a unit model, one of these after the other for its states.</summary>
    public Span<T> Panel(int area, int step, int panel)
    {
        AlignedArray<T>? kept = _panels[((step % _delays) + _delays) % _delays][area][panel];
        return kept is null ? [] : kept.Span;
    }

    /// <summary>dh(t)/dw of an area for the columns of one panel, until the next call: the same but for the gain of its units.</summary>
    private ReadOnlySpan<T> OfRates(int area, int step, int panel)
    {
        ReadOnlySpan<T> states = Panel(area, step, panel);
        if (states.IsEmpty || !_network.Areas[area].HasGain)
            return states;
        AreaState<T> of = _network.Areas[area];
        Span<T> rates = _ofRates.Span[..(of.BlockRows * _width)], gain = of.Gain(step);
        for (int i = 0; i < of.Units; i++)
        {
            Span<T> row = rates.Slice(i * _width, _width);
            Kernels.Scale(states.Slice(i * _width, _width), gain[i], row);
            for (int k = 1; k < of.StateCount; k++)
                Kernels.AddScaled(row, gain[k * of.Padded + i], states.Slice((k * of.BlockRows + i) * _width, _width));
        }

        rates[(of.Units * _width)..].Clear();
        return rates;
    }

    public void Clear()
    {
        foreach (AlignedArray<T>?[][] slot in _panels)
            foreach (AlignedArray<T>?[] area in slot)
                foreach (AlignedArray<T>? panel in area)
                    panel?.Span.Clear();
    }

    /// <summary>Multiplies the whole tensor, past steps included, by a factor.</summary>
    public void Scale(T factor)
    {
        foreach (AlignedArray<T>?[][] slot in _panels)
            foreach (AlignedArray<T>?[] area in slot)
                foreach (AlignedArray<T>? panel in area)
                    if (panel is not null)
                        TensorPrimitives.Multiply<T>(panel.Span, factor, panel.Span);
    }

    /// <summary>The sum of squares of the whole tensor, past steps included.</summary>
    public double SumOfSquares()
    {
        double sum = 0;
        foreach (AlignedArray<T>?[][] slot in _panels)
            foreach (AlignedArray<T>?[] area in slot)
                foreach (AlignedArray<T>? panel in area)
                    if (panel is not null)
                        sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(panel.Span));
        return sum;
    }

    /// <summary>product = sum over projections of W ds(t)/dw for one panel, shape (units in blocks of four, panel columns).</summary>
    public void Multiply(AreaState<T> area, int panel, int step, Span<T> product)
    {
        Afferents<T> afferents = area.Afferents;
        if (_only[area.Index] is { } only)
        {
            // The panel of the only source has the memory layout of the product, so nothing is gathered.
            int from = step - only.Source.Delay;
            T factor = _network.FactorOf(only, step);
            ReadOnlySpan<T> source = factor == T.Zero ? [] : OfRates(only.Source.Index, from, panel);
            if (source.IsEmpty)
                product.Clear();
            else
                Kernels.MultiplyPanel(afferents.Weights.Dense.Span, area.BlockRows, only.Width, afferents.DenseStride, source, product);
            if (factor != T.One && !source.IsEmpty)
                TensorPrimitives.Multiply(product, factor, product);
            return;
        }

        Span<T> gathered = _gathered.Span[..(afferents.Stride * _width)];
        foreach (Segment segment in afferents.Segments)
            Gather(segment, panel, step, gathered.Slice(segment.Offset * _width, segment.Width * _width));
        if (afferents.DenseStride > 0)
            Kernels.MultiplyPanel(afferents.Weights.Dense.Span, area.BlockRows, afferents.DenseStride, afferents.DenseStride, gathered, product);
        else
            product.Clear();
        for (int k = 0; k < afferents.Segments.Length; k++)
            if (afferents.Segments[k].Sparse is { } pattern)
                MultiplySparse(pattern, afferents.Weights.Sparse[k], gathered[(afferents.Segments[k].Offset * _width)..], product);
    }

    /// <summary>
    /// Advances one panel of an area by a step, after its product: ds(t)/dw = A ds(t-1)/dw + c product; and adds its part of the gradient.
    /// </summary>
    /// <param name="area">The area.</param>
    /// <param name="panel">The panel.</param>
    /// <param name="step">t.</param>
    /// <param name="product">The result of <see cref="Multiply"/>.</param>
    /// <param name="signal">The learning signal of states, -dL/ds(t).</param>
    /// <param name="gradient">Panel columns; the signal times the new influence is added.</param>
    public void Advance(AreaState<T> area, int panel, int step, ReadOnlySpan<T> product, ReadOnlySpan<T> signal, Span<T> gradient)
    {
        int rows = area.BlockRows;
        Span<T> before = Panel(area.Index, step - 1, panel), now = Panel(area.Index, step, panel);
        if (!area.HasModel)
        {
            Kernels.AdvanceInfluence(before, now, area.DecayOf(step)[..rows], area.Post(step)[..rows], product, signal[..rows], gradient);
            return;
        }

        int d = area.StateCount;
        ReadOnlySpan<T> jacobian = area.Jacobian(step), slope = area.Post(step);
        for (int i = 0; i < area.Units; i++)
        {
            // With delays of one step the new panel lies where the old one does.
            for (int l = 0; l < d; l++)
                before.Slice((l * rows + i) * _width, _width).CopyTo(_before.Span[(l * _width)..]);
            for (int k = 0; k < d; k++)
            {
                Span<T> row = now.Slice((k * rows + i) * _width, _width);
                Kernels.Scale(product.Slice(i * _width, _width), slope[k * area.Padded + i], row);
                for (int l = 0; l < d; l++)
                    Kernels.AddScaled(row, jacobian[(k * d + l) * area.Padded + i], _before.Span.Slice(l * _width, _width));
                Kernels.AddScaled(gradient, signal[k * area.Padded + i], row);
            }
        }
    }

    /// <summary>The one dense projection of a whole area that an area receives, if no other projection carries influence.</summary>
    private static Segment? OnlySegment(AreaState<T> area)
    {
        Segment[] carriers = [.. area.Afferents.Segments.Where(segment => segment.Source.Kind is SignalKind.Area or SignalKind.Readout)];
        return carriers is [{ Sparse: null, Offset: 0, Source: { Kind: SignalKind.Area, Units: null } } only] ? only : null;
    }

    private AlignedArray<T>?[] NewPanels(AreaState<T> area, bool[][] reaches)
    {
        bool Reaches(int owner) => owner == InfluenceColumns<T>.Free || reaches[owner][area.Index];
        long rows = (long)area.StateCount * area.BlockRows;
        return
        [
            .. Enumerable.Range(0, _columns.Panels).Select(panel => Reaches(_columns.Owner(panel)) ? new AlignedArray<T>(rows, _width) : null),
            .. _columns.Sizes.Where(sized => Reaches(sized.Owner)).Select(sized => new AlignedArray<T>(sized.Panels * rows, _width)),
        ];
    }

    private void MultiplySparse(SparseRows pattern, ReadOnlySpan<T> weights, ReadOnlySpan<T> gathered, Span<T> product)
    {
        for (int i = 0; i < pattern.Rows; i++)
            for (int k = pattern.Start[i]; k < pattern.Start[i + 1]; k++)
                Kernels.AddScaled(product.Slice(i * _width, _width), weights[k], gathered.Slice(pattern.Column[k] * _width, _width));
    }

    /// <summary>The influence on a projection's presynaptic signals.</summary>
    private void Gather(Segment segment, int panel, int step, Span<T> rows)
    {
        Source source = segment.Source;
        ReadOnlySpan<T> from = [];
        T factor = _network.FactorOf(segment, step);
        if (factor != T.Zero)
        {
            if (source.Kind == SignalKind.Area)
                from = OfRates(source.Index, step - source.Delay, panel);
            else if (source.Kind == SignalKind.Readout)
                from = OfOutputs(_network.Readouts[source.Index], panel, step - source.Delay);
        }

        if (from.IsEmpty)
        {
            rows.Clear();
            return;
        }

        for (int k = 0; k < segment.Width; k++)
            from.Slice(segment.SourceUnit(k) * _width, _width).CopyTo(rows.Slice(k * _width, _width));
        if (factor != T.One)
            TensorPrimitives.Multiply(rows, factor, rows);
    }

    /// <summary>dy/dw of an earlier step, from the influence on its rates and, for the readout's own weights, from those rates.</summary>
    private Span<T> OfOutputs(ReadoutState<T> readout, int panel, int step)
    {
        Span<T> outputs = _outputs.Span[..(readout.Padded * _width)];
        outputs.Clear();
        Afferents<T> afferents = readout.Afferents;
        foreach (Segment segment in afferents.Segments)
        {
            if (segment.Source.Kind != SignalKind.Area)
                continue;
            ReadOnlySpan<T> influence = OfRates(segment.Source.Index, step, panel);
            if (influence.IsEmpty)
                continue;
            for (int k = 0; k < readout.Outputs; k++)
                AddInfluence(afferents, segment, k, influence, outputs.Slice(k * _width, _width), _network.FactorOf(segment, step));
        }

        if (_columns.Owner(panel) == _network.Areas.Length + readout.Index)
            foreach (InfluenceColumns<T>.Piece piece in _columns.Pieces(panel))
                for (int n = 0; n < piece.Signals.Length; n++)
                    outputs[piece.Unit * _width + piece.Column + n] += afferents.Signals(step)[piece.Signals[n]];
        ThroughNonlinearity(readout, step, outputs);
        return outputs;
    }

    /// <summary>One output's share of the influence on its presynaptic rates: output += W dh/dw.</summary>
    private void AddInfluence(Afferents<T> afferents, Segment segment, int row, ReadOnlySpan<T> influence, Span<T> output, T factor)
    {
        int[]? units = segment.Source.Units;
        if (segment.Sparse is { } pattern)
        {
            T[] block = afferents.Weights.Sparse[afferents.Place(segment)];
            for (int k = pattern.Start[row]; k < pattern.Start[row + 1]; k++)
            {
                int unit = units is null ? pattern.Column[k] : units[pattern.Column[k]];
                Kernels.AddScaled(output, factor * block[k], influence.Slice(unit * _width, _width));
            }

            return;
        }

        Span<T> weights = afferents.Weights.Dense.Row(row, afferents.DenseStride).Slice(segment.Offset, segment.Width);
        for (int j = 0; j < weights.Length; j++)
            Kernels.AddScaled(output, factor * weights[j], influence.Slice((units is null ? j : units[j]) * _width, _width));
    }

    /// <summary>Jacobians of the output nonlinearities are symmetric, so the backward form is also the forward form, a column at a time.</summary>
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
}

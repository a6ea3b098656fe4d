using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// A direction in the state of a whole circuit, carried forward by its Jacobian: for each area
/// x(t) = (1 - alpha) x(t-1) + alpha phi'(u(t)) [ sum over projections of W x_source ], with every delay, gate and
/// fed-back output.
/// </summary>
internal sealed class TangentState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly AlignedArray<T>[][] _ring;
    private readonly AlignedArray<T> _outputRow;
    private readonly AlignedArray<T> _outputs;
    private readonly AlignedArray<T> _ofRates;
    private readonly TangentRow<T>[] _rows;
    private readonly int _delays;

    public TangentState(Network<T> network)
    {
        _network = network;
        _delays = network.Graph.MaxDelay;
        _ring = [.. Enumerable.Range(0, _delays).Select(_ => network.Areas.Select(area => new AlignedArray<T>(area.StateWidth)).ToArray())];
        _outputRow = new AlignedArray<T>(network.Readouts.Select(readout => readout.Afferents.Stride).DefaultIfEmpty(0).Max());
        _outputs = new AlignedArray<T>(network.Readouts.Select(readout => readout.Padded).DefaultIfEmpty(0).Max());
        _ofRates = new AlignedArray<T>(network.Areas.Max(area => area.HasGain ? area.Padded : 0));
        _rows = [.. network.Areas.Select(area => new TangentRow<T>(this, area, network.Choose(Forms.Beside, $"currents of {area.Spec.Name}", null)))];
    }

    /// <summary>x(t) of an area, in the shape of its states, for the last steps as far back as the longest delay.</summary>
    public Span<T> Of(int area, int step) => _ring[((step % _delays) + _delays) % _delays][area].Span;

    /// <summary>The direction of an area's rates, until the next call: that of its states but for the gain of its units.</summary>
    private ReadOnlySpan<T> OfRates(int area, int step)
    {
        if (!_network.Areas[area].HasGain)
            return Of(area, step);
        Span<T> rates = _ofRates.Span[.._network.Areas[area].Padded];
        _network.Areas[area].ToRates(step, Of(area, step), rates);
        return rates;
    }

    /// <summary>Before the first step of a trial: the direction is 0.</summary>
    public void Begin()
    {
        foreach (TangentRow<T> row in _rows)
            row.Begin();
        foreach (AlignedArray<T>[] slot in _ring)
            foreach (AlignedArray<T> area in slot)
                area.Span.Clear();
    }

    /// <summary>Multiplies the whole direction, past steps included, by a factor.</summary>
    public void Scale(T factor)
    {
        foreach (AlignedArray<T>[] slot in _ring)
            foreach (AlignedArray<T> area in slot)
                TensorPrimitives.Multiply<T>(area.Span, factor, area.Span);
    }

    /// <summary>The sum of squares of the whole direction, past steps included.</summary>
    public double SumOfSquares()
    {
        double sum = 0;
        foreach (AlignedArray<T>[] slot in _ring)
            foreach (AlignedArray<T> area in slot)
                sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(area.Span));
        return sum;
    }

    /// <summary>Advances the direction by the step that the network has just computed.</summary>
    public void Advance(int step)
    {
        // All currents first: the new state may overwrite the oldest.
        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> current = _rows[area.Index].Currents(step);
            if (!area.HasModel)
                TensorPrimitives.Multiply<T>(current, area.Post(step), current);
        }

        foreach (AreaState<T> area in _network.Areas)
            if (area.HasModel)
                area.Carry(step, Of(area.Index, step - 1), _rows[area.Index].Product, Of(area.Index, step));
            else
                TensorPrimitives.MultiplyAdd<T>(Of(area.Index, step - 1), area.DecayOf(step), _rows[area.Index].Product, Of(area.Index, step));
    }

    /// <summary>
    /// A projection's part of the direction in a step. It depends on states of earlier steps only, so it can be computed while the
    /// network computes the step.
    /// </summary>
    public void Gather(Segment segment, int step, Span<T> to)
    {
        Source source = segment.Source;
        int from = step - source.Delay;
        if (source.Kind is not (SignalKind.Area or SignalKind.Readout) || _network.FactorOf(segment, step) is var factor && factor == T.Zero)
        {
            to.Clear();
            return;
        }

        segment.Take(source.Kind == SignalKind.Area ? OfRates(source.Index, from) : OfOutputs(_network.Readouts[source.Index], from), to);
        if (factor != T.One)
            TensorPrimitives.Multiply(to, factor, to);
    }

    private Span<T> OfOutputs(ReadoutState<T> readout, int step)
    {
        Span<T> row = _outputRow.Span[..readout.Afferents.Stride], outputs = _outputs.Span[..readout.Padded];
        row.Clear();
        foreach (Segment segment in readout.Afferents.Segments)
        {
            if (segment.Source.Kind != SignalKind.Area)
                continue;
            Span<T> own = row.Slice(segment.Offset, segment.Width);
            segment.Take(OfRates(segment.Source.Index, step), own);
            if (_network.FactorOf(segment, step) is var factor && factor != T.One)
                TensorPrimitives.Multiply(own, factor, own);
        }

        readout.Afferents.Product(row, outputs);
        readout.ThroughNonlinearity(step, outputs);
        return outputs;
    }
}

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
    private readonly AlignedArray<T> _row;
    private readonly AlignedArray<T> _outputRow;
    private readonly AlignedArray<T> _outputs;
    private readonly AlignedArray<T>[] _currents;
    private readonly int _delays;

    public TangentState(Network<T> network)
    {
        _network = network;
        _delays = network.Graph.MaxDelay;
        _ring = [.. Enumerable.Range(0, _delays).Select(_ => network.Areas.Select(area => new AlignedArray<T>(area.Padded)).ToArray())];
        _row = new AlignedArray<T>(network.Areas.Max(area => area.Afferents.Stride));
        _outputRow = new AlignedArray<T>(network.Readouts.Select(readout => readout.Afferents.Stride).DefaultIfEmpty(0).Max());
        _outputs = new AlignedArray<T>(network.Readouts.Select(readout => readout.Padded).DefaultIfEmpty(0).Max());
        _currents = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
    }

    /// <summary>x(t) of an area, for the last steps as far back as the longest delay.</summary>
    public Span<T> Of(int area, int step) => _ring[((step % _delays) + _delays) % _delays][area].Span;

    public void Clear()
    {
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

    /// <summary>Carries the direction through the step that the network has just made.</summary>
    public void Advance(int step)
    {
        // All currents first: the new state may overwrite the oldest.
        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> row = _row.Span[..area.Afferents.Stride];
            foreach (Segment segment in area.Afferents.Segments)
                Gather(segment, step, row.Slice(segment.Offset, segment.Width));
            area.Afferents.Product(row, _currents[area.Index].Span);
        }

        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> before = Of(area.Index, step - 1), now = Of(area.Index, step), current = _currents[area.Index].Span;
            TensorPrimitives.Multiply<T>(current, area.Post(step), current);
            TensorPrimitives.MultiplyAdd<T>(before, area.Decay.Span, current, now);
        }
    }

    private void Gather(Segment segment, int step, Span<T> to)
    {
        Source source = segment.Source;
        int from = step - source.Delay;
        to.Clear();
        if (!_network.IsOpen(segment.Spec.Gate, step))
            return;
        ReadOnlySpan<T> signals;
        if (source.Kind == SignalKind.Area)
            signals = Of(source.Index, from);
        else if (source.Kind == SignalKind.Readout)
            signals = OfOutputs(_network.Readouts[source.Index], from);
        else
            return;
        for (int k = 0; k < to.Length; k++)
            to[k] = signals[source.Units is { } units ? units[k] : k];
    }

    private Span<T> OfOutputs(ReadoutState<T> readout, int step)
    {
        Span<T> row = _outputRow.Span[..readout.Afferents.Stride], outputs = _outputs.Span[..readout.Padded];
        row.Clear();
        foreach (Segment segment in readout.Afferents.Segments)
        {
            if (segment.Source.Kind != SignalKind.Area)
                continue;
            Span<T> rates = Of(segment.Source.Index, step);
            for (int k = 0; k < segment.Width; k++)
                row[segment.Offset + k] = rates[segment.Source.Units is { } units ? units[k] : k];
        }

        readout.Afferents.Product(row, outputs);
        readout.ThroughNonlinearity(step, outputs);
        return outputs;
    }
}

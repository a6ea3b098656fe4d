using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// One least-squares problem of a readout: some of its outputs with the same presynaptic signals, and these signals in one vector,
/// from all their areas. Connections that do not exist are no regressors, so they stay 0.
/// </summary>
internal sealed class Regressors<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Afferents<T> _afferents;
    private readonly int[] _signals;
    private readonly Place[][] _places;

    private Regressors(Afferents<T> afferents, int[] outputs, int[] signals, Place[][] places)
    {
        _afferents = afferents;
        _signals = signals;
        _places = places;
        Count = checked((int)Storage.LengthOf(signals));
        Outputs = outputs;
    }

    /// <summary>Outputs of the readout whose weights are solved for.</summary>
    public int[] Outputs { get; }

    /// <summary>Number of regressors n.</summary>
    public int Count { get; }

    /// <summary>The problems of a readout: outputs with the same connections share one.</summary>
    /// <param name="afferents">The presynaptic input of the readout.</param>
    /// <param name="segments">The projections that learn together.</param>
    public static List<Regressors<T>> Of(Afferents<T> afferents, Segment[] segments)
    {
        if (Array.Exists(segments, segment => segment.CountOnly is not null))
            return OfSizes(afferents, segments);
        var problems = new List<Regressors<T>>();
        foreach (var sharing in Enumerable.Range(0, afferents.Rows)
            .Select(output => (Output: output, Present: Present(afferents, segments, output)))
            .GroupBy(row => string.Join(' ', row.Present.Select(entry => entry.Signal))))
        {
            int[] signals = [.. sharing.First().Present.Select(entry => entry.Signal)];
            if (signals.Length > 0)
                problems.Add(new Regressors<T>(
                    afferents, [.. sharing.Select(row => row.Output)], signals, [.. sharing.Select(row => row.Present.Select(entry => entry.Place).ToArray())]));
        }

        return problems;
    }

    /// <summary>The problems where only numbers of connections are known, those of a sketch: one for all outputs, or one for each where connections are absent.</summary>
    private static List<Regressors<T>> OfSizes(Afferents<T> afferents, Segment[] segments)
    {
        long existing = segments.Sum(segment => segment.CountOnly ?? segment.Spec.Synapses.Existing);
        bool isFull = existing == segments.Sum(segment => (long)afferents.Rows * segment.Width);
        long signals = (existing + afferents.Rows - 1) / afferents.Rows;
        Regressors<T> Problem(int[] outputs) => new(afferents, outputs, Storage.New<int>(signals), []);
        int[] all = [.. Enumerable.Range(0, afferents.Rows)];
        return signals == 0 ? [] : isFull ? [Problem(all)] : [.. all.Select(output => Problem([output]))];
    }

    /// <summary>The same problem for each output separately.</summary>
    public IEnumerable<Regressors<T>> Apart() =>
        Outputs.Select((output, k) => new Regressors<T>(_afferents, [output], _signals, [_places[k]]));

    /// <summary>The same problem for each group of outputs that agree in a key, in the order of their first outputs.</summary>
    public IEnumerable<Regressors<T>> GroupedBy(Func<int, double> key) =>
        Outputs.Select((output, k) => (Output: output, Places: _places[k])).GroupBy(pair => key(pair.Output))
            .Select(group => new Regressors<T>(_afferents, [.. group.Select(pair => pair.Output)], _signals, [.. group.Select(pair => pair.Places)]));

    /// <summary>Writes the regressors of a step, times a factor; later elements of <paramref name="into"/> are not changed.</summary>
    public void Take(int step, double factor, Span<double> into)
    {
        ReadOnlySpan<T> signals = _afferents.Signals(step);
        for (int j = 0; j < _signals.Length; j++)
            into[j] = factor * double.CreateTruncating(signals[_signals[j]]);
    }

    /// <summary>Adds factor * direction to the weights of the k-th of <see cref="Outputs"/>.</summary>
    public void Move(int k, double factor, ReadOnlySpan<double> direction)
    {
        Place[] places = _places[k];
        for (int j = 0; j < places.Length; j++)
            At(places[j]) += T.CreateTruncating(factor * direction[j]);
    }

    /// <summary>Replaces the j-th weight of the k-th of <see cref="Outputs"/>.</summary>
    public void Set(int k, int j, double weight) => At(_places[k][j]) = T.CreateTruncating(weight);

    private ref T At(Place place) => ref place.Block < 0 ? ref _afferents.Weights.Dense.Span[place.Entry] : ref _afferents.Weights.Sparse[place.Block][place.Entry];

    /// <summary>The connections of an output that exist: where their signals and their weights are.</summary>
    private static List<(int Signal, Place Place)> Present(Afferents<T> afferents, Segment[] segments, int output)
    {
        var present = new List<(int, Place)>();
        foreach (Segment segment in segments)
        {
            if (segment.Sparse is { } pattern)
            {
                for (int entry = pattern.Start[output]; entry < pattern.Start[output + 1]; entry++)
                    present.Add((segment.Offset + pattern.Column[entry], new Place(afferents.Place(segment), entry)));
                continue;
            }

            for (int column = 0; column < segment.Width; column++)
                if (segment.Has(output, column, segment.Width))
                    present.Add((segment.Offset + column, new Place(-1, output * afferents.DenseStride + segment.Offset + column)));
        }

        return present;
    }

    /// <summary>Where a weight is: an entry of a sparse block, or of the dense rows where the block is -1.</summary>
    private readonly record struct Place(int Block, int Entry);
}

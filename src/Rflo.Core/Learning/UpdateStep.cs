using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>One projection's optimiser: turns what was collected for it into a weight change.</summary>
internal sealed class UpdateStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Afferents<T> _afferents;
    private readonly WeightStore<T> _collected;
    private readonly Optimiser _optimiser;
    private readonly Moments<T> _moments;

    public UpdateStep(Segment segment, Afferents<T> afferents, WeightStore<T> collected, Optimiser optimiser)
    {
        Segment = segment;
        _afferents = afferents;
        _collected = collected;
        _optimiser = optimiser;
        int count = segment.Sparse is { } pattern ? pattern.Entries : afferents.Rows * segment.Width;
        _moments = new Moments<T>(optimiser, count, segment.Sparse is null ? segment.Width : count);
    }

    public Segment Segment { get; }

    /// <summary>Shows the moments of the updates so far.</summary>
    public void Visit(StateVisitor visitor) => _moments.Visit(visitor);

    /// <summary>Changes the weights by what was collected. Allocates nothing.</summary>
    /// <param name="share">Factor of what was collected: 1, or one over the number of trials for a mean.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="parts">Into how many parts a trial's L2 decay is cut.</param>
    public void Apply(double share, double rate, int parts)
    {
        if (Segment.Spec.Decay != 0)
            _afferents.Multiply(Segment, 1 - rate * Segment.Spec.Decay / parts);
        _moments.Begin();
        T clipped = T.CreateTruncating(share * Clip(share));
        if (Segment.Sparse is not null)
        {
            int at = _afferents.Place(Segment);
            _moments.Apply(_collected.Sparse[at], _afferents.Weights.Sparse[at], 0, clipped, rate);
            return;
        }

        for (int i = 0; i < _afferents.Rows; i++)
            _moments.Apply(CollectedRow(i), Row(_afferents.Weights, i), i * Segment.Width, clipped, rate);
    }

    private Span<T> Row(WeightStore<T> store, int unit) => store.Dense.Row(unit, _afferents.DenseStride).Slice(Segment.Offset, Segment.Width);

    /// <summary>What was collected for a unit, with nothing for synapses that do not exist.</summary>
    private Span<T> CollectedRow(int unit)
    {
        Span<T> row = Row(_collected, unit);
        Segment.ClearAbsent(unit, row);
        return row;
    }

    /// <summary>The factor that brings the norm of the update down to the limit; 1 where it is below.</summary>
    private double Clip(double share)
    {
        if (double.IsPositiveInfinity(_optimiser.ClipNorm))
            return 1;
        double sum = 0;
        if (Segment.Sparse is not null)
            sum = double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_collected.Sparse[_afferents.Place(Segment)]));
        else
            for (int i = 0; i < _afferents.Rows; i++)
                sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(CollectedRow(i)));
        double norm = share * Math.Sqrt(sum);
        return norm > _optimiser.ClipNorm ? _optimiser.ClipNorm / norm : 1;
    }
}

using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>One projection's optimizer: turns its collected increments into a weight change.</summary>
internal sealed class UpdateStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Afferents<T> _afferents;
    private readonly WeightStore<T> _collected;
    private readonly OptimizerState<T> _optimizer;

    public UpdateStep(Segment segment, Afferents<T> afferents, WeightStore<T> collected, Optimizer optimizer)
    {
        Segment = segment;
        _afferents = afferents;
        _collected = collected;
        _optimizer = new OptimizerState<T>(optimizer, segment.Stored, segment.Sparse is null ? segment.Width : segment.Stored);
        segment.KeepMask<T>();
    }

    public Segment Segment { get; }

    /// <summary>Saves or restores the state of the optimizer.</summary>
    public void Visit(StateVisitor visitor) => _optimizer.Visit(visitor);

    /// <summary>Adds minus the gradient of the projection's penalties to the collected increments.</summary>
    /// <param name="trials">The number of trials, or the fraction of one.</param>
    public void AddPenalties(double trials)
    {
        if (!Segment.Spec.IsPenalized)
            return;
        T squares = T.CreateTruncating(-trials * Segment.Spec.L2), sizes = T.CreateTruncating(-trials * Segment.Spec.L1);
        if (Segment.Sparse is not null)
        {
            int at = _afferents.Place(Segment);
            Add(_afferents.Weights.Sparse[at], _collected.Sparse[at]);
            return;
        }

        for (int i = 0; i < _afferents.Rows; i++)
            Add(Row(_afferents.Weights, i), Row(_collected, i));

        void Add(ReadOnlySpan<T> weights, Span<T> to)
        {
            for (int k = 0; k < to.Length; k++)
                to[k] += squares * weights[k] + sizes * (weights[k] == T.Zero ? T.Zero : T.CopySign(T.One, weights[k]));
        }
    }

    /// <summary>Changes the weights by the collected increments. Allocates nothing.</summary>
    /// <param name="share">Factor of the increments: 1, or one over the number of trials for a mean; times the factor of clipping.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="parts">Into how many parts a trial's decay is split.</param>
    public void Apply(double share, double rate, int parts)
    {
        if (Segment.Spec.Decay != 0)
            _afferents.Multiply(Segment, 1 - rate * Segment.Spec.Decay / parts);
        _optimizer.Begin();
        T clipped = T.CreateTruncating(share);
        if (Segment.Sparse is not null)
        {
            int at = _afferents.Place(Segment);
            _optimizer.Apply(_collected.Sparse[at], _afferents.Weights.Sparse[at], 0, clipped, rate);
            return;
        }

        for (int i = 0; i < _afferents.Rows; i++)
            _optimizer.Apply(CollectedRow(i), Row(_afferents.Weights, i), i * Segment.Width, clipped, rate);
    }

    private Span<T> Row(WeightStore<T> store, int unit) => store.Dense.Row(unit, _afferents.DenseStride).Slice(Segment.Offset, Segment.Width);

    /// <summary>The collected increments of a unit, with 0 for synapses that do not exist.</summary>
    private Span<T> CollectedRow(int unit)
    {
        Span<T> row = Row(_collected, unit);
        Segment.ClearAbsent(unit, row);
        return row;
    }

    /// <summary>The sum of squares of the collected increments.</summary>
    public double SumOfSquares()
    {
        double sum = 0;
        if (Segment.Sparse is not null)
            sum = double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_collected.Sparse[_afferents.Place(Segment)]));
        else
            for (int i = 0; i < _afferents.Rows; i++)
                sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(CollectedRow(i)));
        return sum;
    }
}

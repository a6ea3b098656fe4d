using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>B as a matrix, in the shape of the weights.</summary>
/// <remarks>Time O(post * pre) a step, several passes; memory O(post * pre). For every circuit and schedule.</remarks>
internal sealed class WeightFactorMatrix<T> : WeightFactor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly WeightStore<T>[] _factor;
    private readonly WeightStore<T>?[] _sum;
    private readonly AlignedArray<T>[] _mixed;
    private double _norm;
    private double _normOfImmediate;
    private int _steps;

    public WeightFactorMatrix((AreaState<T> Area, Plastic<T> Plastic)[] areas)
    {
        _areas = areas;
        _factor = [.. areas.Select(pair => pair.Area.Afferents.NewStore())];
        _sum = [.. areas.Select(pair => pair.Plastic.IsStepwise ? null : pair.Area.Afferents.NewStore())];
        _mixed = [.. areas.Select(pair => new AlignedArray<T>(pair.Area.Padded))];
    }

    public override double Norm => _norm;

    public override double NormOfImmediate => _normOfImmediate;

    /// <summary>B of the k-th learning area.</summary>
    public WeightStore<T> Of(int k) => _factor[k];

    public override void Begin(int steps)
    {
        _steps = steps;
        foreach (WeightStore<T> factor in _factor)
            factor.Clear();
        foreach (WeightStore<T>? sum in _sum)
            sum?.Clear();
    }

    public override void Take(int step, AlignedArray<T>[] mixing)
    {
        double norm = 0, immediate = 0;
        for (int k = 0; k < _areas.Length; k++)
        {
            (AreaState<T> area, Plastic<T> plastic) = _areas[k];
            Mix(area, step, mixing, _mixed[k].Span);
            double pre = 0, post = Squares(_mixed[k].Span);
            foreach (Segment segment in plastic.Segments)
                pre += Squares(area.Afferents.Signals(step).Slice(segment.Offset, segment.Width));
            immediate += pre * post;
            norm += Squares(_factor[k].Dense.Span);
            foreach (T[] block in _factor[k].Sparse)
                norm += Squares(block);
        }

        _norm = Math.Sqrt(norm);
        _normOfImmediate = Math.Sqrt(immediate);
    }

    public override void Advance(int step, double keep, double add, double signal)
    {
        for (int k = 0; k < _areas.Length; k++)
            Advance(k, step, T.CreateTruncating(keep), T.CreateTruncating(add), T.CreateTruncating(signal));
    }

    public override void End(int steps)
    {
        for (int k = 0; k < _areas.Length; k++)
        {
            Plastic<T> plastic = _areas[k].Plastic;
            if (_sum[k] is { } sum)
            {
                plastic.BeginIncrements(1);
                plastic.Add(sum, steps);
            }

            plastic.FinishTrial();
        }
    }

    private void Advance(int k, int step, T keep, T add, T signal)
    {
        (AreaState<T> area, Plastic<T> plastic) = _areas[k];
        Afferents<T> afferents = area.Afferents;
        bool stepwise = plastic.IsStepwise;
        if (stepwise)
            plastic.BeginIncrements(_steps);
        WeightStore<T> to = _sum[k] ?? plastic.Destination;
        Span<T> mixed = _mixed[k].Span, pre = afferents.Signals(step);
        foreach (Plastic<T>.Run run in plastic.Runs)
        {
            T scale = stepwise ? plastic.Scale(run.LearningRate, _steps) : T.One;
            for (int i = 0; i < area.Units; i++)
            {
                Kernels.AdvanceTrace(
                    _factor[k].Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    keep, add * mixed[i], pre.Slice(run.Offset, run.Width), scale * signal);
            }
        }

        foreach (Segment segment in plastic.Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = afferents.Place(segment);
            T scale = stepwise ? plastic.Scale(segment.Plasticity!.LearningRate, _steps) : T.One;
            Span<T> factor = _factor[k].Sparse[at];
            TensorPrimitives.Multiply<T>(factor, keep, factor);
            for (int i = 0; i < area.Units; i++)
                for (int n = pattern.Start[i]; n < pattern.Start[i + 1]; n++)
                    factor[n] += add * mixed[i] * pre[segment.Offset + pattern.Column[n]];
            Kernels.AddScaled(to.Sparse[at].AsSpan(), scale * signal, factor);
        }

        if (stepwise)
            plastic.EndStep(step, _steps);
    }

    private static double Squares(ReadOnlySpan<T> numbers) => double.CreateTruncating(TensorPrimitives.SumOfSquares(numbers));
}

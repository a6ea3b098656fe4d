using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// B as a sum of products over the steps so far, for areas that are large compared with the length of a trial: B(t) = sum over s
/// of c(s, t) q(s) pre(s)', where c is one number a step for all areas. The increment of the trial, the sum over t of
/// signal(t) B(t), is the sum over s of d(s) q(s) pre(s)' with d(s) = sum over t of signal(t) c(s, t).
/// </summary>
/// <remarks>
/// Neither matrix is computed; one product at the end of the trial gives the increment of the weights. The norm of B follows from
/// inner products: |B(t)|^2 = keep^2 |B(t-1)|^2 + 2 keep add (B(t-1) . q pre') + add^2 |q|^2 |pre|^2, where
/// B(t-1) . q(t) pre(t)' = sum over s of c(s, t-1) (q(s) . q(t)) (pre(s) . pre(t)). The same numbers as
/// <see cref="WeightFactorMatrix{T}"/> but for rounding. Time O(T * (post + pre)) a step, and O(post * pre) in a product
/// whose sums stay in registers; memory O(T * post).
/// </remarks>
internal sealed class WeightFactorProducts<T> : WeightFactor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly AlignedArray<T>[] _mixed;
    private readonly AlignedArray<T>[] _pre;
    private readonly AlignedArray<T> _ofPost;
    private readonly AlignedArray<T> _ofPre;
    private readonly double[] _overlap;
    private readonly double[] _share;
    private readonly double[] _sums;
    private double _squares;
    private int _taken;

    public WeightFactorProducts(Network<T> network, (AreaState<T> Area, Plastic<T> Plastic)[] areas)
    {
        int rows = network.MaxSteps + 1;
        _areas = areas;
        _mixed = [.. areas.Select(pair => new AlignedArray<T>(rows, pair.Area.Padded))];
        _pre = [.. areas.Select(pair => new AlignedArray<T>(pair.Area.Afferents.Stride))];
        _ofPost = new AlignedArray<T>(rows);
        _ofPre = new AlignedArray<T>(rows);
        _overlap = Storage.New<double>(rows);
        _share = Storage.New<double>(rows);
        _sums = Storage.New<double>(rows);
    }

    public override double Norm => Math.Sqrt(_squares);

    public override double NormOfImmediate => Math.Sqrt(_overlap[_taken]);

    /// <summary>
    /// Whether it is chosen: no weight changes before the end of a trial, all trained blocks are dense, and products cost less than matrices
    /// (<see cref="WeightFactor.ProductsPay"/>).
    /// </summary>
    public static bool IsChosen(Network<T> network, (AreaState<T> Area, Plastic<T> Plastic)[] areas)
    {
        string? obstacle = null;
        foreach ((_, Plastic<T> plastic) in areas)
        {
            if (plastic.IsStepwise)
                obstacle ??= $"{plastic.Name} changes in the steps";
            if (Array.Find(plastic.Segments, segment => segment.Sparse is not null) is { } sparse)
                obstacle ??= $"{sparse.Spec.Name} is sparse";
        }

        long rows = areas.Sum(pair => pair.Area.Units + pair.Area.Afferents.Segments.Sum(segment => (long)segment.Width));
        long weights = areas.Sum(pair => pair.Area.Units * pair.Plastic.Segments.Sum(segment => (long)segment.Width));
        bool pays = WeightFactor.ProductsPay(network.MaxSteps, rows, weights);
        return network.Choose(
            Forms.Products, string.Join(", ", areas.Select(pair => pair.Plastic.Name)), obstacle, pays, $"{network.MaxSteps} steps x {rows} factors are {(pays ? "at most" : "more than")} 4 x {weights} weights");
    }

    public override void Begin(int steps)
    {
        _squares = 0;
        Array.Clear(_share);
        Array.Clear(_sums);
    }

    public override void Take(int step, AlignedArray<T>[] mixing)
    {
        _taken = step;
        Span<double> overlap = _overlap.AsSpan(1, step);
        Span<T> ofPost = _ofPost.Span[..step], ofPre = _ofPre.Span[..step];
        overlap.Clear();
        for (int k = 0; k < _areas.Length; k++)
        {
            (AreaState<T> area, Plastic<T> plastic) = _areas[k];
            Span<T> mixed = _mixed[k].Row(step, area.Padded), signals = area.Afferents.Signals(step), pre = _pre[k].Span;
            Mix(area, step, mixing, mixed);

            // The signals of projections that do not learn stay zero, so that the product leaves them out.
            foreach (Plastic<T>.Run run in plastic.Runs)
                signals.Slice(run.Offset, run.Width).CopyTo(pre[run.Offset..]);
            Kernels.Multiply(_mixed[k].From(1, area.Padded), mixed, ofPost);
            Kernels.Multiply(area.Afferents.SignalsFrom(1), pre, ofPre);
            for (int s = 0; s < step; s++)
                overlap[s] += double.CreateTruncating(ofPost[s]) * double.CreateTruncating(ofPre[s]);
        }
    }

    public override void Advance(int step, double keep, double add, double signal)
    {
        Span<double> share = _share.AsSpan(1, step), sums = _sums.AsSpan(1, step);
        double common = TensorPrimitives.Dot<double>(share, _overlap.AsSpan(1, step));

        // Rounding may give a small negative number instead of 0.
        _squares = Math.Max(0, keep * keep * _squares + 2 * keep * add * common + add * add * _overlap[step]);
        TensorPrimitives.Multiply(share, keep, share);
        share[^1] = add;
        TensorPrimitives.MultiplyAdd(share, signal, sums, sums);
    }

    public override void End(int steps)
    {
        for (int k = 0; k < _areas.Length; k++)
        {
            (AreaState<T> area, Plastic<T> plastic) = _areas[k];
            for (int s = 1; s <= steps; s++)
            {
                Span<T> row = _mixed[k].Row(s, area.Padded);
                TensorPrimitives.Multiply(row, T.CreateTruncating(_sums[s]), row);
            }

            plastic.BeginIncrements(1);
            plastic.AddTrial(_mixed[k].From(1, area.Padded), area.Padded, area.Afferents.SignalsFrom(1), 1, steps);
            plastic.FinishTrial();
        }
    }
}

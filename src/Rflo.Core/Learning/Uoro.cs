using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Unbiased online recurrent optimisation (Tallec and Ollivier 2017): the influence of weight (i, j) on rate k is kept
/// as a_k B_ij. With random nu of mean 0 and variance 1: a = rho0 J a + rho1 nu, B = B / rho0 + (nu_i alpha phi'_i s_j) / rho1,
/// where rho0 and rho1 balance the norms of the two factors; dW = eta / T * (l . a) B.
/// </summary>
/// <remarks>Its mean is RTRL's gradient, whatever the rhos; its variance is large. Time and memory O(post * pre) a step.</remarks>
internal sealed class Uoro<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _told;
    private readonly AlignedArray<T>[] _mixing;
    private readonly WeightStore<T>[] _weightFactor;
    private readonly WeightStore<T>[] _sum;
    private readonly MixingSource<T> _source;
    private int _steps;

    public Uoro(Network<T> network, ErrorPath path, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
    {
        _network = network;
        _areas = [.. areas];
        _source = source;
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _told = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        _mixing = [.. network.Areas.Select(area => new AlignedArray<T>(area.Padded))];
        _weightFactor = [.. _areas.Select(pair => pair.Area.Afferents.NewStore())];
        _sum = [.. _areas.Select(pair => pair.Area.Afferents.NewStore())];
        StateFactor = new TangentState<T>(network);
    }

    /// <summary>a, over the state of all areas.</summary>
    public TangentState<T> StateFactor { get; }

    /// <summary>B of the k-th learning area, in the shape of its weights.</summary>
    public WeightStore<T> WeightFactor(int k) => _weightFactor[k];

    public override void Begin(int trial, int steps)
    {
        _steps = steps;
        _source.Begin(trial);
        StateFactor.Clear();
        foreach (WeightStore<T> factor in _weightFactor)
            factor.Clear();
        foreach (WeightStore<T> sum in _sum)
            sum.Clear();
    }

    public override void Tell(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _signals[area.Index].Tell(step, _told[area.Index].Span);
        StateFactor.Advance(step);
    }

    public override void Learn(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _source.Fill(step, _mixing[area.Index].Span[..area.Units]);

        double rho0 = MixingSource<T>.Balance(NormOfWeightFactor(), Math.Sqrt(StateFactor.SumOfSquares()));
        double rho1 = MixingSource<T>.Balance(NormOfImmediate(step), NormOfMixing());
        StateFactor.Scale(T.CreateTruncating(rho0));
        double told = 0;
        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> state = StateFactor.Of(area.Index, step);
            TensorPrimitives.MultiplyAdd<T>(_mixing[area.Index].Span, T.CreateTruncating(rho1), state, state);
            told += double.CreateTruncating(TensorPrimitives.Dot<T>(_told[area.Index].Span, state));
        }

        for (int k = 0; k < _areas.Length; k++)
            AdvanceWeightFactor(k, step, rho0, rho1, T.CreateTruncating(told));
    }

    public override void End(int steps)
    {
        for (int k = 0; k < _areas.Length; k++)
        {
            Plastic<T> plastic = _areas[k].Plastic;
            if (!plastic.IsStepwise)
            {
                plastic.BeginIncrements(1);
                plastic.Add(_sum[k], steps);
            }

            plastic.FinishTrial();
        }
    }

    /// <summary>B = B / rho0 + immediate / rho1, and the step's increment told * B.</summary>
    private void AdvanceWeightFactor(int k, int step, double rho0, double rho1, T told)
    {
        (AreaState<T> area, Plastic<T> plastic) = _areas[k];
        Afferents<T> afferents = area.Afferents;
        bool stepwise = plastic.IsStepwise;
        if (stepwise)
            plastic.BeginIncrements(_steps);
        WeightStore<T> to = stepwise ? plastic.Destination : _sum[k];
        T keep = T.CreateTruncating(1 / rho0), add = T.CreateTruncating(1 / rho1);
        Span<T> post = area.Post(step), mixing = _mixing[area.Index].Span, pre = afferents.Signals(step);
        foreach (Plastic<T>.Run run in plastic.Runs)
        {
            T scale = stepwise ? plastic.Scale(run.LearningRate, _steps) : T.One;
            for (int i = 0; i < area.Units; i++)
            {
                Kernels.AdvanceTrace(
                    _weightFactor[k].Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    to.Dense.Row(i, afferents.DenseStride).Slice(run.Offset, run.Width),
                    keep, add * mixing[i] * post[i], pre.Slice(run.Offset, run.Width), scale * told);
            }
        }

        foreach (Segment segment in plastic.Segments)
        {
            if (segment.Sparse is not { } pattern)
                continue;
            int at = afferents.Place(segment);
            T scale = stepwise ? plastic.Scale(segment.Plasticity!.LearningRate, _steps) : T.One;
            Span<T> factor = _weightFactor[k].Sparse[at];
            TensorPrimitives.Multiply<T>(factor, keep, factor);
            for (int i = 0; i < area.Units; i++)
                for (int n = pattern.Start[i]; n < pattern.Start[i + 1]; n++)
                    factor[n] += add * mixing[i] * post[i] * pre[segment.Offset + pattern.Column[n]];
            Kernels.AddScaled(to.Sparse[at].AsSpan(), scale * told, factor);
        }

        if (stepwise)
            plastic.EndStep(step, _steps);
    }

    private double NormOfWeightFactor()
    {
        double sum = 0;
        foreach (WeightStore<T> factor in _weightFactor)
        {
            sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(factor.Dense.Span));
            foreach (T[] block in factor.Sparse)
                sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(block));
        }

        return Math.Sqrt(sum);
    }

    private double NormOfImmediate(int step)
    {
        double sum = 0;
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
        {
            double pre = 0, post = 0;
            foreach (Segment segment in plastic.Segments)
                pre += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(area.Afferents.Signals(step).Slice(segment.Offset, segment.Width)));
            for (int i = 0; i < area.Units; i++)
            {
                double factor = double.CreateTruncating(area.Post(step)[i] * _mixing[area.Index].Span[i]);
                post += factor * factor;
            }

            sum += pre * post;
        }

        return Math.Sqrt(sum);
    }

    private double NormOfMixing()
    {
        double sum = 0;
        foreach (AlignedArray<T> mixing in _mixing)
            sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(mixing.Span));
        return Math.Sqrt(sum);
    }
}

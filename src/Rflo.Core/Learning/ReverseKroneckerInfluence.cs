using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Reverse KF-RTRL: the influence of weight (i, j) on rate k is kept as a_i C_kj. With random nu of mean 0 and
/// variance 1: a = rho0 a + rho1 nu, C = J C / rho0 + (nu_k alpha phi'_k s_j) / rho1; dW = eta / T * a (C' l)'.
/// </summary>
/// <remarks>Its mean is RTRL's gradient; it is about as noisy as UORO. Time O(n^2 pre) a step, memory O(n pre).</remarks>
internal sealed class ReverseKroneckerInfluence<T> : FactoredInfluence<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[][] _unitFactor;
    private readonly T[][] _mixing;
    private readonly int[] _firstSignal;
    private T _carried;
    private T _added;

    public ReverseKroneckerInfluence(
        Network<T> network, ErrorPath path, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
        : base(network, path, source, areas.Sum(pair => pair.Area.Afferents.Stride), areas)
    {
        _unitFactor = [.. Areas.Select(pair => new T[pair.Area.Padded])];
        _mixing = [.. Areas.Select(pair => new T[pair.Area.Padded])];
        _firstSignal = new int[Areas.Length];
        for (int k = 1; k < Areas.Length; k++)
            _firstSignal[k] = _firstSignal[k - 1] + Areas[k - 1].Area.Afferents.Stride;
    }

    /// <summary>a, over the units of the k-th learning area.</summary>
    public T[] UnitFactor(int k) => _unitFactor[k];

    public override void Begin(int trial, int steps)
    {
        base.Begin(trial, steps);
        foreach (T[] factor in _unitFactor)
            factor.AsSpan().Clear();
    }

    protected override void Mix(int step)
    {
        double factor = 0, immediate = 0, mixing = 0;
        for (int k = 0; k < Areas.Length; k++)
        {
            AreaState<T> area = Areas[k].Area;
            Draw(step, _mixing[k].AsSpan(0, area.Units));
            factor += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_unitFactor[k]));
            mixing += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_mixing[k]));
            double post = 0, pre = 0;
            ReadOnlySpan<T> slope = area.Post(step);
            for (int s = 0; s < area.StateCount; s++)
                for (int i = 0; i < area.Units; i++)
                    post += double.CreateTruncating(slope[s * area.Padded + i] * slope[s * area.Padded + i] * _mixing[k][i] * _mixing[k][i]);
            foreach (Segment segment in Areas[k].Plastic.Segments)
                pre += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(Signals(k, step, segment)));
            immediate += post * pre;
        }

        double rho0 = MixingSource<T>.Balance(Math.Sqrt(StateFactor.SumOfSquares()), Math.Sqrt(factor));
        double rho1 = MixingSource<T>.Balance(Math.Sqrt(immediate), Math.Sqrt(mixing));
        _carried = T.CreateTruncating(1 / rho0);
        _added = T.CreateTruncating(1 / rho1);
        StateFactor.Scale(_carried);
        for (int k = 0; k < Areas.Length; k++)
        {
            AddImmediate(k, step);
            TensorPrimitives.Multiply<T>(_unitFactor[k], T.CreateTruncating(rho0), _unitFactor[k]);
            Kernels.AddScaled(_unitFactor[k].AsSpan(), T.CreateTruncating(rho1), _mixing[k]);
        }
    }

    protected override void Factor(int k, int step, Span<T> post, Span<T> pre)
    {
        AreaState<T> area = Areas[k].Area;
        _unitFactor[k].CopyTo(post);
        pre.Clear();
        T signal = T.Zero;
        for (int s = 0; s < area.StateCount; s++)
            for (int i = 0; i < area.Units; i++)
                signal += OfStates[area.Index].Span[s * area.Padded + i] * _mixing[k][i] * area.Post(step)[s * area.Padded + i];
        foreach (Segment segment in Areas[k].Plastic.Segments)
        {
            Span<T> signals = Signals(k, step, segment);
            for (int j = 0; j < segment.Width; j++)
                pre[segment.Offset + j] = _carried * Contracted.Span[_firstSignal[k] + segment.Offset + j] + _added * signal * signals[j];
        }
    }

    private void AddImmediate(int k, int step)
    {
        AreaState<T> area = Areas[k].Area;
        foreach (Segment segment in Areas[k].Plastic.Segments)
        {
            Span<T> signals = Signals(k, step, segment);
            for (int s = 0; s < area.StateCount; s++)
                AddImmediate(area, step, s, k, segment, signals);
        }
    }

    private void AddImmediate(AreaState<T> area, int step, int state, int k, Segment segment, ReadOnlySpan<T> signals)
    {
        ReadOnlySpan<T> slope = area.Post(step)[(state * area.Padded)..];
        for (int i = 0; i < area.Units; i++)
        {
            T factor = _added * _mixing[k][i] * slope[i];
            for (int j = 0; j < segment.Width; j++)
                Entry(area, step, state, i, _firstSignal[k] + segment.Offset + j) += factor * signals[j];
        }
    }

    private Span<T> Signals(int k, int step, Segment segment) => Areas[k].Area.Afferents.Signals(step).Slice(segment.Offset, segment.Width);
}

using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// KF-RTRL (Mujika, Meier and Steger 2018): the influence of weight (i, j) on rate k is kept as a_j C_ki. With random
/// nu0, nu1 of mean 0 and variance 1: a = nu0 rho0 a + nu1 rho1 s, C = nu0 J C / rho0 + nu1 diag(alpha phi') / rho1;
/// dW = eta / T * (C' l) a'.
/// </summary>
/// <remarks>Its mean is RTRL's gradient; its variance is far below UORO's. Time O(n^2 pre) a step, memory O(n^2 + pre).</remarks>
internal sealed class KroneckerInfluence<T> : FactoredInfluence<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T[][] _signalFactor;
    private readonly T[] _mixing = new T[2];
    private T _carried;
    private T _added;

    public KroneckerInfluence(
        Network<T> network, ErrorPath path, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
        : base(network, path, source, network.Graph.Units, areas) =>
        _signalFactor = [.. Areas.Select(pair => new T[pair.Area.Afferents.Stride])];

    /// <summary>a, the wide row of the k-th learning area.</summary>
    public T[] SignalFactor(int k) => _signalFactor[k];

    public override void Begin(int trial, int steps)
    {
        base.Begin(trial, steps);
        foreach (T[] factor in _signalFactor)
            factor.AsSpan().Clear();
    }

    protected override void Mix(int step)
    {
        Draw(step, _mixing);
        double factor = 0, signals = 0, slopes = 0;
        for (int k = 0; k < Areas.Length; k++)
        {
            factor += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(_signalFactor[k]));
            foreach (Segment segment in Areas[k].Plastic.Segments)
                signals += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(Signals(k, step, segment)));
        }

        foreach (AreaState<T> area in Network.Areas)
            slopes += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(area.Post(step)));
        double rho0 = MixingSource<T>.Balance(Math.Sqrt(StateFactor.SumOfSquares()), Math.Sqrt(factor));
        double rho1 = MixingSource<T>.Balance(Math.Sqrt(slopes), Math.Sqrt(signals));

        _carried = _mixing[0] / T.CreateTruncating(rho0);
        _added = _mixing[1] / T.CreateTruncating(rho1);
        StateFactor.Scale(_carried);
        foreach (AreaState<T> area in Network.Areas)
        {
            Span<T> post = area.Post(step);
            for (int k = 0; k < area.StateCount; k++)
                for (int i = 0; i < area.Units; i++)
                    Entry(area, step, k, i, FirstUnit[area.Index] + i) += _added * post[k * area.Padded + i];
        }

        for (int k = 0; k < Areas.Length; k++)
        {
            TensorPrimitives.Multiply<T>(_signalFactor[k], _mixing[0] * T.CreateTruncating(rho0), _signalFactor[k]);
            foreach (Segment segment in Areas[k].Plastic.Segments)
                Kernels.AddScaled(_signalFactor[k].AsSpan(segment.Offset, segment.Width), _mixing[1] * T.CreateTruncating(rho1), Signals(k, step, segment));
        }
    }

    protected override void Factor(int k, int step, Span<T> post, Span<T> pre)
    {
        AreaState<T> area = Areas[k].Area;
        Span<T> signal = OfStates[area.Index].Span, slope = area.Post(step);
        post.Clear();
        for (int i = 0; i < area.Units; i++)
        {
            post[i] = _carried * Contracted.Span[FirstUnit[area.Index] + i];
            for (int at = i; at < slope.Length; at += area.Padded)
                post[i] += _added * signal[at] * slope[at];
        }

        _signalFactor[k].CopyTo(pre);
    }

    private Span<T> Signals(int k, int step, Segment segment) => Areas[k].Area.Afferents.Signals(step).Slice(segment.Offset, segment.Width);
}

using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>
/// Unbiased online recurrent optimization (Tallec and Ollivier 2017): the influence of weight (i, j) on rate k is kept
/// as a_k B_ij. With random nu of mean 0 and variance 1: a = rho0 J a + rho1 nu, B = B / rho0 + (nu_i alpha phi'_i s_j) / rho1,
/// where rho0 and rho1 balance the norms of the two factors; dW = eta / T * (l . a) B.
/// </summary>
/// <remarks>
/// Its mean is RTRL's gradient, whatever the rhos; its variance is large. Time O(post * pre) a step; B is
/// kept by <see cref="WeightFactor{T}"/>, as a matrix or as the products that it is a sum of.
/// </remarks>
internal sealed class Uoro<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly LearningSignal<T>[] _signals;
    private readonly AlignedArray<T>[] _stateSignals;
    private readonly AlignedArray<T>[] _mixing;
    private readonly MixingSource<T> _source;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;

    public Uoro(Network<T> network, ErrorPath path, MixingSource<T> source, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas)
    {
        _network = network;
        _source = source;
        _signals = [.. network.Areas.Select(area => new LearningSignal<T>(network, area, path))];
        _stateSignals = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        _mixing = [.. network.Areas.Select(area => new AlignedArray<T>(area.StateWidth))];
        StateFactor = new TangentState<T>(network);
        _areas = [.. areas];
        WeightFactor = WeightFactorProducts<T>.IsChosen(network, _areas)
            ? new WeightFactorProducts<T>(network, _areas)
            : new WeightFactorMatrix<T>(_areas);
    }

    /// <summary>a, over the state of all areas.</summary>
    public TangentState<T> StateFactor { get; }

    /// <summary>B, over the weights that learn.</summary>
    public WeightFactor<T> WeightFactor { get; }

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, "tangent of the states", [.. _network.Carrying(_signals)], ["factor of the states"]),
        new(PlanStage.ApplyStep, "factor of the weights", [new("factor of the states"), .. _network.AllSlopes, .. _network.AllSignals], ["factor of the weights"]),
        .. _areas.SelectMany(pair => pair.Plastic.Around(pair.Plastic.Update("product of the factors", new PlanRead("factor of the weights")))),
    ];

    public override void Begin(int trial, int steps)
    {
        _source.Begin(trial);
        StateFactor.Begin();
        WeightFactor.Begin(steps);
    }

    public override void ObserveStep(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            _signals[area.Index].WriteStates(step, _stateSignals[area.Index].Span);
        StateFactor.Advance(step);
    }

    public override void ApplyStep(int step)
    {
        foreach (AreaState<T> area in _network.Areas)
            for (int k = 0; k < area.StateCount; k++)
                _source.Fill(step, _mixing[area.Index].Span.Slice(k * area.Padded, area.Units));

        WeightFactor.Take(step, _mixing);
        double rho0 = MixingSource<T>.Balance(WeightFactor.Norm, Math.Sqrt(StateFactor.SumOfSquares()));
        double rho1 = MixingSource<T>.Balance(WeightFactor.NormOfImmediate, NormOfMixing());
        StateFactor.Scale(T.CreateTruncating(rho0));
        double signal = 0;
        foreach (AreaState<T> area in _network.Areas)
        {
            Span<T> state = StateFactor.Of(area.Index, step);
            TensorPrimitives.MultiplyAdd<T>(_mixing[area.Index].Span, T.CreateTruncating(rho1), state, state);
            signal += double.CreateTruncating(TensorPrimitives.Dot<T>(_stateSignals[area.Index].Span, state));
        }

        WeightFactor.Advance(step, 1 / rho0, 1 / rho1, signal);
    }

    public override void ApplyTrial(int steps) => WeightFactor.End(steps);

    private double NormOfMixing()
    {
        double sum = 0;
        foreach (AlignedArray<T> mixing in _mixing)
            sum += double.CreateTruncating(TensorPrimitives.SumOfSquares<T>(mixing.Span));
        return Math.Sqrt(sum);
    }
}

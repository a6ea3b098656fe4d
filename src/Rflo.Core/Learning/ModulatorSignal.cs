using System.Numerics;

namespace Rflo.Core;

/// <summary>A signal of the circuit that modulates a local rule, step by step.</summary>
internal sealed class ModulatorSignal<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Neuromodulator _source;
    private readonly TemporalDifference<T>? _difference;
    private readonly ReadoutState<T>? _readout;
    private readonly AreaState<T>? _area;
    private readonly AlignedArray<T> _columns;
    private readonly int _padded;

    /// <param name="network">The network.</param>
    /// <param name="target">The area whose units receive it.</param>
    /// <param name="source">Which signal.</param>
    public ModulatorSignal(Network<T> network, AreaState<T> target, Neuromodulator source)
    {
        _source = source;
        _padded = target.Padded;
        _columns = new AlignedArray<T>(0);
        switch (source)
        {
            case ReadoutModulator value:
                _readout = network.Readouts[value.Readout.Index];
                break;
            case TemporalDifferenceModulator error:
                _difference = new TemporalDifference<T>(network, network.Readouts[error.Readout.Index], error.Output, error.Gamma);
                break;
            case AreaModulator rates:
                _area = network.Areas[rates.Area.Index];
                if (rates.Weights is { } weights)
                    _columns = Columns(weights, target.Units, _area.Units);
                break;
            default:
                throw new NotSupportedException($"There is no signal for the modulator {source}.");
        }
    }

    /// <summary>The sources of a signal.</summary>
    public static IEnumerable<PlanRead> ReadsOf(Network<T> network, Neuromodulator source) => source switch
    {
        ReadoutModulator value => [new(BufferNames.Outputs(network.Readouts[value.Readout.Index].Spec.Name))],
        TemporalDifferenceModulator error => [new(BufferNames.Outputs(network.Readouts[error.Readout.Index].Spec.Name)), new(BufferNames.Rewards)],
        AreaModulator rates => [new(BufferNames.Rates(network.Areas[rates.Area.Index].Spec.Name), rates.Delay)],
        _ => throw new NotSupportedException($"There is no signal for the modulator {source}."),
    };

    /// <summary>Whether each unit receives a signal of its own.</summary>
    public bool IsOfUnits => _columns.Length > 0;

    /// <summary>M(t), where all units receive the same.</summary>
    public T Value(int step) => _source switch
    {
        ReadoutModulator value => _readout!.Output(step)[value.Output],
        AreaModulator rates => _area!.Rates(step - rates.Delay)[rates.Unit],
        _ => _difference!.Error(step),
    };

    /// <summary>M(t) = W h(t-d), shape (padded units), where each unit receives a signal of its own. Overwrites <paramref name="signal"/>.</summary>
    public void Write(int step, Span<T> signal)
    {
        ReadOnlySpan<T> rates = _area!.Rates(step - ((AreaModulator)_source).Delay);
        signal.Clear();
        for (int k = 0; k < _area.Units; k++)
            Kernels.AddScaled(signal, rates[k], _columns.Row(k, _padded));
    }

    /// <summary>The columns of W, one after the other, each of a whole row of units.</summary>
    private AlignedArray<T> Columns(IReadOnlyList<double> weights, int post, int pre)
    {
        var columns = new AlignedArray<T>(pre, _padded);
        for (int i = 0; i < post && columns.IsHeld; i++)
            for (int k = 0; k < pre; k++)
                columns.Span[k * _padded + i] = T.CreateTruncating(weights[i * pre + k]);
        return columns;
    }
}

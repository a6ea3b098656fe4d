using System.Numerics;

namespace Rflo.Core;

/// <summary>The temporal-difference error of a readout: delta(t) = r(t) + gamma V(t) - V(t-1), with V(T) = 0 in the last step.</summary>
/// <remarks>It depends only on outputs and rewards, which the trial stores, so it may be read in its step or at the end of the trial.</remarks>
internal sealed class TemporalDifference<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Network<T> _network;
    private readonly ReadoutState<T> _readout;
    private readonly int _output;
    private readonly T _gamma;

    /// <param name="network">The network.</param>
    /// <param name="readout">The readout whose output is V.</param>
    /// <param name="output">Which of its outputs.</param>
    /// <param name="gamma">The discount of a step.</param>
    public TemporalDifference(Network<T> network, ReadoutState<T> readout, int output, double gamma)
    {
        _network = network;
        _readout = readout;
        _output = output;
        _gamma = T.CreateTruncating(gamma);
        readout.KeepStart();
    }

    /// <summary>delta(t), after the step was computed.</summary>
    public T Error(int step)
    {
        Trial trial = _network.Trial;
        var reward = T.CreateTruncating(trial.Rewards[step - 1]);
        T next = step < trial.Steps ? _gamma * _readout.Output(step)[_output] : T.Zero;
        return reward + next - _readout.Output(step - 1)[_output];
    }
}

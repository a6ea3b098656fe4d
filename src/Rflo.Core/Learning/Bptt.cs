using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// Back-propagation through time: one look back over the whole trial when it has ended, then
/// dW = eta / T * sum over t of (z(t) alpha phi'(u(t))) s(t)', with z of <see cref="BackwardCredit{T}"/>.
/// </summary>
/// <remarks>
/// The exact gradient of the loss for every differentiable circuit. Time O(post * pre) a step, memory O(units) a step.
/// The path of a carried-over state into earlier trials is cut.
/// </remarks>
internal sealed class Bptt<T> : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly BackwardCredit<T> _backward;
    private readonly (AreaState<T> Area, Plastic<T> Plastic)[] _areas;
    private readonly (ReadoutState<T> Readout, Plastic<T> Plastic)[] _readouts;

    public Bptt(
        Network<T> network, ErrorPath path, IReadOnlyList<(AreaState<T> Area, Plastic<T> Plastic)> areas,
        IReadOnlyList<(ReadoutState<T> Readout, Plastic<T> Plastic)> readouts)
    {
        _backward = new BackwardCredit<T>(network, path, network.MaxSteps);
        _areas = [.. areas];
        _readouts = [.. readouts];
    }

    public override void Conclude(int steps) => _backward.Look(first: 1, last: steps, told: 1);

    public override void End(int steps)
    {
        foreach ((AreaState<T> area, Plastic<T> plastic) in _areas)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(_backward.DeltaFrom(area, 1), area.Padded, area.Afferents.SignalsFrom(1), 1, steps);
            plastic.FinishTrial();
        }

        foreach ((ReadoutState<T> readout, Plastic<T> plastic) in _readouts)
        {
            int first = _backward.FirstOutput;
            plastic.BeginIncrements(1);
            plastic.AddTrial(_backward.OutputDeltaFrom(readout, first), readout.Padded, readout.Afferents.SignalsFrom(first), first, steps);
            plastic.FinishTrial();
        }
    }
}

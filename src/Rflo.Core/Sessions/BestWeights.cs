using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The weights with which the smallest loss of a run was measured. A trial's loss belongs to the weights before its
/// update, so those are set aside while the trial runs.
/// </summary>
internal sealed class BestWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Afferents<T>[] _targets;
    private WeightStore<T>[] _before;
    private WeightStore<T>[] _best;

    public BestWeights(Network<T> network)
    {
        _targets = [.. network.Areas.Select(area => area.Afferents).Concat(network.Readouts.Select(readout => readout.Afferents))];
        _before = [.. _targets.Select(target => target.NewStore())];
        _best = [.. _targets.Select(target => target.NewStore())];
        SetAside();
        Keep();
    }

    /// <summary>The best weights of a target.</summary>
    public WeightStore<T> Of(Afferents<T> target) => _best[Array.IndexOf(_targets, target)];

    /// <summary>Before a trial.</summary>
    public void SetAside()
    {
        for (int k = 0; k < _targets.Length; k++)
            _targets[k].Weights.CopyTo(_before[k]);
    }

    /// <summary>After a trial whose loss was the smallest so far.</summary>
    public void Keep() => (_before, _best) = (_best, _before);

    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < _targets.Length; k++)
            _targets[k].Visit(visitor, _best[k], _targets[k].Segments);
    }
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The weights, time constants and initial states of the trial with which the smallest mean loss of a run was reached, or of the smallest validation loss. A trial's loss belongs to the
/// weights before its update, so a copy of those is kept while the trial runs.
/// </summary>
internal sealed class BestWeights<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AreaState<T>[] _areas;
    private readonly Afferents<T>[] _targets;
    private AlignedArray<T>[] _alphaBefore;
    private AlignedArray<T>[] _alphaBest;
    private double[][] _startBefore;
    private double[][] _startBest;
    private WeightStore<T>[] _before;
    private WeightStore<T>[] _best;

    public BestWeights(Network<T> network)
    {
        _areas = network.Areas;
        _alphaBefore = [.. _areas.Select(area => new AlignedArray<T>(area.Padded))];
        _alphaBest = [.. _areas.Select(area => new AlignedArray<T>(area.Padded))];
        _startBefore = [.. _areas.Select(area => new double[area.KeepsLearnedStart ? area.Units : 0])];
        _startBest = [.. _areas.Select(area => new double[area.KeepsLearnedStart ? area.Units : 0])];
        _targets = [.. network.Areas.Select(area => area.Afferents).Concat(network.Readouts.Select(readout => readout.Afferents))];
        _before = [.. _targets.Select(target => target.NewStore())];
        _best = [.. _targets.Select(target => target.NewStore())];
        SetAside();
        Keep();
    }

    /// <summary>The best weights of a target.</summary>
    public WeightStore<T> Of(Afferents<T> target) => _best[Array.IndexOf(_targets, target)];

    /// <summary>dt / tau of an area, with the best weights.</summary>
    public AlignedArray<T> AlphaOf(AreaState<T> area) => _alphaBest[area.Index];

    /// <summary>Initial states of an area, with the best weights.</summary>
    public double[] StartOf(AreaState<T> area) => area.KeepsLearnedStart ? _startBest[area.Index] : area.Start;

    /// <summary>Before a trial.</summary>
    public void SetAside()
    {
        for (int k = 0; k < _areas.Length; k++)
            _areas[k].Start.AsSpan(0, _startBefore[k].Length).CopyTo(_startBefore[k]);
        for (int k = 0; k < _areas.Length; k++)
            _areas[k].Alpha.Span.CopyTo(_alphaBefore[k].Span);
        for (int k = 0; k < _targets.Length; k++)
            _targets[k].Weights.CopyTo(_before[k]);
    }

    /// <summary>After a trial that made the mean loss the smallest so far.</summary>
    public void Keep() => Swap();

    /// <summary>Keeps the weights as they are now, between trials.</summary>
    public void KeepNow()
    {
        SetAside();
        Keep();
    }

    /// <summary>Undoes <see cref="Keep"/>, for a trial that could not be finished.</summary>
    public void Undo() => Swap();

    private void Swap()
    {
        (_before, _best) = (_best, _before);
        (_alphaBefore, _alphaBest) = (_alphaBest, _alphaBefore);
        (_startBefore, _startBest) = (_startBest, _startBefore);
    }

    /// <summary>Saves or restores them.</summary>
    /// <param name="visitor">The visitor that saves or restores.</param>
    /// <param name="window">Trials of the mean loss by which they were chosen: another window gives other weights.</param>
    public void Visit(StateVisitor visitor, int window)
    {
        visitor.Visit("window", ref window);
        foreach (AreaState<T> area in _areas)
            visitor.Visit("alpha", AlphaOf(area).Span[..area.Units], area.Index);
        foreach (AreaState<T> area in _areas)
            if (area.KeepsLearnedStart)
                visitor.Visit<double>("start", _startBest[area.Index], area.Index);
        for (int k = 0; k < _targets.Length; k++)
            _targets[k].Visit(visitor, _best[k], _targets[k].Segments);
    }
}

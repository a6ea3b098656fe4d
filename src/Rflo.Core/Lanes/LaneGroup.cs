using System.Numerics;

namespace Rflo.Core;

/// <summary>Lanes that one thread takes through their trials step by step together, so that weights are read once for all of them.</summary>
internal sealed class LaneGroup<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Lane<T>[] _lanes;
    private readonly Lane<T>[] _active;
    private readonly LanePanels<T> _panels;
    private readonly bool _isTogether;
    private readonly int[] _areas;
    private readonly Learner<T>[][] _twins;
    private readonly int[] _steps;

    /// <param name="lanes">The lanes.</param>
    /// <param name="isTogether">Whether their products are computed together; if not, each by itself.</param>
    public LaneGroup(Lane<T>[] lanes, bool isTogether)
    {
        _lanes = lanes;
        _active = new Lane<T>[lanes.Length];
        _panels = new LanePanels<T>(lanes[0].Network, lanes.Length);
        _isTogether = isTogether;
        _areas = [.. lanes[0].Network.Areas.Where(area => area.Afferents.DenseStride > 0).Select(area => area.Index)];
        _twins = [.. Enumerable.Range(0, lanes[0].Learners.Learners.Count).Select(k => lanes.Select(lane => lane.Learners.Learners[k]).ToArray())];
        _steps = new int[lanes.Length];
    }

    /// <summary>Runs the trials and their observations by learners; no weight changes, and no increment is collected.</summary>
    /// <param name="count">How many of the lanes have a trial, from the first on.</param>
    /// <param name="test">The options of test trials; null for trials of the training.</param>
    public void Run(int count, TestOptions? test = null)
    {
        int longest = 0;
        for (int k = 0; k < count; k++)
        {
            Lane<T> lane = _lanes[k];
            lane.Network.Begin(lane.Trial, 0, lane.Learners.ReadsOutputsInSteps, test);
            lane.Learners.BeginLearners(lane.Trial, lane.Steps);
            longest = Math.Max(longest, _steps[k] = lane.Steps);
        }

        for (int t = 1; t <= longest; t++)
            Step(t, count);
        for (int k = 0; k < count; k++)
            _lanes[k].Network.End();
        if (count > 1 && _isTogether)
        {
            foreach (Learner<T>[] twins in _twins)
                twins[0].ObserveTrials(twins.AsSpan(0, count), _steps.AsSpan(0, count), _panels);
            return;
        }

        for (int k = 0; k < count; k++)
            _lanes[k].Learners.ObserveTrial(_lanes[k].Steps);
    }

    private void Step(int step, int count)
    {
        int active = 0;
        for (int k = 0; k < count; k++)
            if (_steps[k] >= step)
                _active[active++] = _lanes[k];
        if (active > 1 && _isTogether)
            foreach (int area in _areas)
                _panels.MakeCurrents(_active.AsSpan(0, active), area, step);
        for (int k = 0; k < active; k++)
        {
            _active[k].Network.Step(step);
            _active[k].Learners.Step(step);
        }
    }
}

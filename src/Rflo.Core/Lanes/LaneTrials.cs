using System.Numerics;

namespace Rflo.Core;

/// <summary>The trials of a group (<see cref="TrialLanes"/>), taken through their steps together. Every update is of all lanes.</summary>
/// <remarks>
/// In a step all lanes make their forward pass, then all learners read, then all collect increments in the order of the lanes. Then one update is applied.
/// No lane reads weights that another one has changed in the same step.
/// </remarks>
internal sealed class LaneTrials<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Lane<T>[] _lanes;
    private readonly Lane<T>[] _active;
    private readonly LearnerSet<T> _learners;
    private readonly LanePanels<T> _panels;
    private readonly int[] _together;
    private readonly LaneChanges<T>?[] _changes;

    /// <param name="network">The network whose weights all lanes have: that of the first lane.</param>
    /// <param name="learners">Its learners, which hold the updates.</param>
    /// <param name="stream">Random numbers of the task in the first lane.</param>
    public LaneTrials(Network<T> network, LearnerSet<T> learners, RandomStream stream)
    {
        _learners = learners;
        _lanes = new Lane<T>[network.Lanes.Count];
        _lanes[0] = new Lane<T>(network, learners, stream);
        for (int k = 1; k < _lanes.Length; k++)
            _lanes[k] = new Lane<T>(network, learners);
        _active = new Lane<T>[_lanes.Length];
        _panels = new LanePanels<T>(network, _lanes.Length);

        _changes = new LaneChanges<T>?[network.Areas.Length];
        for (int k = 0; k < learners.Learners.Count; k++)
        {
            if (learners.Learners[k] is ThreeFactorDeferred<T> { Area: var area })
                _changes[area.Index] = new LaneChanges<T>(area, network.MaxSteps, [.. _lanes.Select(lane => ((ThreeFactorDeferred<T>)lane.Learners.Learners[k]).Pending)]);
        }

        _together =
        [
            .. network.Areas.Where(area => _changes[area.Index] is not null || network.Choose(
                Forms.Lanes, area.Spec.Name, area.Afferents.DenseStride == 0 ? "no dense weights arrive" : null, BatchLanes<T>.IsPaidTogether(area), "weights that fill the first cache are read once for all lanes"))
                .Select(area => area.Index),
        ];
        InHand = _lanes[0];
    }

    /// <summary>The lanes, in the order of their trials.</summary>
    public IReadOnlyList<Lane<T>> Lanes => _lanes;

    /// <summary>The lane that runs, or ran last: that of an exception of its trial.</summary>
    public Lane<T> InHand { get; private set; }

    /// <summary>Makes the trials that the lanes hold, with learning on. Allocates nothing.</summary>
    public void Run()
    {
        int longest = 0;
        foreach (Lane<T> lane in _lanes)
        {
            InHand = lane;
            lane.Network.Begin(lane.Trial, lane.PreviousSteps, lane.Learners.ReadsOutputsInSteps);
            lane.Learners.BeginLearners(lane.Trial, lane.Steps);
            longest = Math.Max(longest, lane.Steps);
        }

        for (int t = 1; t <= longest; t++)
            Step(t, longest);
        foreach (Lane<T> lane in _lanes)
        {
            lane.Learners.ApplyTrial(lane.Steps);
            lane.PreviousSteps = lane.Steps;
        }

        // A rule may add to its online updates when the trial has ended.
        _learners.ApplyStepOfLanes(longest, longest);
    }

    /// <summary>Moves the last rates of the lanes beside the first, whose rates the session keeps, to where their next trials begin.</summary>
    public void HoldRates()
    {
        foreach (Lane<T> lane in _lanes.AsSpan(1))
        {
            if (lane.PreviousSteps > 0)
                foreach (AreaState<T> area in lane.Network.Areas)
                    area.CarryOver(lane.PreviousSteps);
            lane.PreviousSteps = 0;
        }
    }

    /// <summary>Goes back to before the trials, whose first rates were held.</summary>
    public void Undo()
    {
        foreach (Lane<T> lane in _lanes)
            lane.PreviousSteps = 0;
    }

    /// <summary>Saves or restores what lanes beside the first keep from one group to the next: rates that are carried over, and what rules remember.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 1; k < _lanes.Length; k++)
        {
            StateVisitor own = visitor.Of("lane", k);
            foreach (AreaState<T> area in _lanes[k].Network.Areas)
                area.VisitRates(own.Of("area", area.Index));
            _lanes[k].Learners.VisitMemory(own);
        }
    }

    /// <summary>After the time constants of an area were set between two groups.</summary>
    public void FollowTimeConstants(int area)
    {
        for (int k = 1; k < _lanes.Length; k++)
            _lanes[k].Learners.FollowTimeConstants(_lanes[k].Network.Areas[area]);
    }

    /// <summary>A method of its own, so that the JIT optimizes it whole instead of replacing a loop on the stack.</summary>
    private void Step(int step, int longest)
    {
        int count = 0;
        foreach (Lane<T> lane in _lanes)
            if (lane.Steps >= step)
                _active[count++] = lane;
        ReadOnlySpan<Lane<T>> active = _active.AsSpan(0, count);
        foreach (int area in _together)
            if (_changes[area] is { } changes)
                _panels.MakeCurrents(active, area, step, changes);
            else if (count > 1 && active[0].Network.Areas[area].Afferents.Beside is null)
                _panels.MakeCurrents(active, area, step);
        foreach (Lane<T> lane in active)
        {
            InHand = lane;
            lane.Network.Step(step);
        }

        foreach (Lane<T> lane in active)
        {
            InHand = lane;
            lane.Learners.ObserveStep(step);
        }

        foreach (Lane<T> lane in active)
        {
            InHand = lane;
            lane.Learners.ApplyStep(step);
        }

        _learners.ApplyStepOfLanes(step, longest);
        foreach (Lane<T> lane in active)
        {
            if (lane.Steps != step)
                continue;
            InHand = lane;
            lane.Network.End();
            lane.Learners.ObserveTrial(step);
        }
    }
}

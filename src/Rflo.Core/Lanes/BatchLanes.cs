using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rflo.Core;

/// <summary>
/// The trials of an update that is made of several, run side by side before their turn: between them no weight changes, so that each has
/// the bits that it would have by itself. Its outcome waits until its turn comes, and is dropped if something changes before.
/// </summary>
/// <remarks>Products with many lanes read weights once, and lanes are split among threads; what is added up is added in the order of the trials.</remarks>
internal sealed class BatchLanes<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Lane<T>[] _lanes;
    private readonly LaneGroup<T>[] _groups;
    private readonly int _groupSize;
    private int _first;
    private int _count;

    /// <param name="network">The network whose weights all lanes have.</param>
    /// <param name="learners">Its learners.</param>
    /// <param name="lanes">How many lanes.</param>
    /// <param name="threads">How many threads.</param>
    /// <param name="isTogether">Whether the lanes of a thread make their products together.</param>
    public BatchLanes(Network<T> network, LearnerSet<T> learners, int lanes, int threads, bool isTogether)
    {
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new Lane<T>(network, learners))];
        _groupSize = (lanes + threads - 1) / threads;
        _groups = [.. _lanes.Chunk(_groupSize).Select(group => new LaneGroup<T>(group, isTogether))];
    }

    /// <summary>How many lanes there are.</summary>
    public int Count => _lanes.Length;

    /// <summary>The trial, if it was made, and forgets it.</summary>
    public Lane<T>? Take(int trial)
    {
        if (_count == 0 || trial != _first)
            return null;
        Lane<T> lane = Array.Find(_lanes, one => one.Trial == trial)!;
        _first++;
        _count--;
        return lane;
    }

    /// <summary>Drops what was made: the session changes, or other trials come next.</summary>
    public void Drop() => _count = 0;

    /// <summary>Makes trials from one on. One that a task cannot make, and those behind it, are left for their turn.</summary>
    /// <param name="session">Makes the trial of a number for a lane.</param>
    /// <param name="trial">Number of the first.</param>
    /// <param name="count">How many, at most <see cref="Count"/>.</param>
    [SuppressMessage("Design", "CA1031", Justification = "A task is somebody else's code and may throw anything; it will be called again in the trial's turn.")]
    public void Make(Action<Lane<T>> session, int trial, int count)
    {
        long start = Stopwatch.GetTimestamp();
        (_first, _count) = (trial, 0);
        try
        {
            for (; _count < count; _count++)
            {
                _lanes[_count].Trial = trial + _count;
                session(_lanes[_count]);
            }
        }
        catch (Exception)
        {
            // In its turn it is told by name.
        }

        int made = _count;
        for (int k = made; k < _lanes.Length; k++)
            _lanes[k].Trial = -1;
        int groups = (made + _groupSize - 1) / _groupSize;
        if (groups > 1)
            Parallel.For(0, groups, group => RunGroup(group, made));
        else if (groups == 1)
            RunGroup(0, made);
        long ticks = made == 0 ? 0 : (Stopwatch.GetTimestamp() - start) / made;
        for (int k = 0; k < made; k++)
            _lanes[k].Ticks = ticks;
    }

    private void RunGroup(int group, int made) => _groups[group].Run(Math.Min(_groupSize, made - group * _groupSize));
}

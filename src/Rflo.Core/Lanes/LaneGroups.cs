using System.Numerics;

namespace Rflo.Core;

/// <summary>Lanes that are split evenly among threads, each of which takes its own through their trials together.</summary>
internal sealed class LaneGroups<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LaneGroup<T>[] _groups;
    private readonly int _size;

    /// <param name="lanes">The lanes, at least one.</param>
    /// <param name="threads">How many threads, at least one.</param>
    /// <param name="isTogether">Whether the products of a group are computed together.</param>
    public LaneGroups(Lane<T>[] lanes, int threads, bool isTogether)
    {
        _size = (lanes.Length + threads - 1) / threads;
        _groups = [.. lanes.Chunk(_size).Select(group => new LaneGroup<T>(group, isTogether))];
    }

    /// <summary>The groups, for plans.</summary>
    public IReadOnlyList<object> All => _groups;

    /// <summary>Runs the trials of the first lanes; see <see cref="LaneGroup{T}.Run"/>.</summary>
    /// <param name="count">How many lanes have a trial.</param>
    /// <param name="test">The options of test trials; null for trials of the training.</param>
    public void Run(int count, TestOptions? test = null)
    {
        if (count > _size)
            RunInParallel(count, test);
        else if (count > 0)
            _groups[0].Run(count, test);
    }

    /// <summary>A method of its own: a single group allocates no closure.</summary>
    private void RunInParallel(int count, TestOptions? test) =>
        Parallel.For(0, (count + _size - 1) / _size, group => _groups[group].Run(Math.Min(_size, count - group * _size), test));
}

using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// The trials of an update of several, run in parallel lanes in advance: no weight changes between them, so each has the bits that it
/// has when it runs by itself. Its outcome is kept until the trial is due, and is dropped if the session changes before.
/// </summary>
/// <remarks>Products with many lanes read weights once, and lanes are split among threads; sums over trials are added in the order of the trials.</remarks>
/// <param name="network">The network whose weights all lanes share.</param>
/// <param name="learners">Its learners.</param>
/// <param name="fill">Writes the trial of a lane. An exception is thrown again when the trial is due.</param>
internal sealed class BatchLanes<T>(Network<T> network, LearnerSet<T> learners, Action<Lane<T>> fill)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes of weights that fit into a core's own cache; beyond, products of many lanes are faster together than one after the other.</summary>
    internal const long BytesNearest = 48 << 10;

    /// <summary>Bytes that all lanes together may take: how many there are follows from it.</summary>
    private const long MostBytes = 512 << 20;

    private Lane<T>[] _lanes = [];
    private LaneGroups<T>? _groups;
    private int _next;
    private int _made;
    private int _room;

    /// <summary>How many threads the lanes may use.</summary>
    public int Threads
    {
        get;
        set
        {
            field = value;
            _lanes = [];
            Drop();
        }
    } = 1;

    /// <summary>
    /// The lane in which a trial was run. If that is faster, it runs the trial together with the later ones until the weights change. Null where the trial runs by
    /// itself, as when a probe is due: probes read the network whose weights all lanes share.
    /// </summary>
    /// <param name="trial">Its number.</param>
    /// <param name="left">How many trials the run still has, this one among them.</param>
    /// <param name="probes">The probes of the session.</param>
    public Lane<T>? Of(int trial, int left, ProbeSet<T> probes)
    {
        if (probes.IsDue(trial))
            return null;
        if (Take(trial) is { } lane)
            return lane;
        int most = left;
        foreach (Plastic<T> plastic in learners.Plastics)
            most = Math.Min(most, plastic.TrialsToUpdate);
        foreach (PlasticStart<T> start in learners.Starts)
            most = Math.Min(most, start.TrialsToUpdate);
        for (int k = 1; k < most; k++)
            if (probes.IsDue(trial + k))
                most = k;
        if (most < 2 || !network.IsWorth(Forms.Lanes, Threads > 1 || IsAnyPaidTogether))
            return null;
        most = Math.Min(most, Room);
        if (most < 2)
            return null;
        if (_lanes.Length == 0)
            (_lanes, _groups) = Create();
        Make(trial, Math.Min(most, _lanes.Length));
        return Take(trial);
    }

    /// <summary>Whether products with the dense weights of an area are faster for many lanes together than one after the other.</summary>
    public static bool IsPaidTogether(AreaState<T> area) => area.Afferents.Weights.Dense.Length * (long)Unsafe.SizeOf<T>() > BytesNearest;

    /// <summary>Drops outcomes that are not yet due: the session changes, or other trials come next.</summary>
    public void Drop() => _next = _made = 0;

    private bool IsAnyPaidTogether => Array.Exists(network.Areas, IsPaidTogether);

    private Lane<T>? Take(int trial) => _next < _made && _lanes[_next].Trial == trial ? _lanes[_next++] : null;

    /// <summary>How many lanes there is memory for.</summary>
    private int Room => _room > 0 ? _room : _room = (int)Math.Min(SideBySide.Most, MostBytes / Math.Max(1, BytesOfLane()));

    /// <summary>The lanes and their groups: those that were made, or within a sketch those that will be; none where there is no memory for two.</summary>
    public (Lane<T>[] Lanes, IReadOnlyList<object> Groups) Planned()
    {
        if (_lanes.Length > 0)
            return (_lanes, _groups!.All);
        if (Count < 2)
            return ([], []);
        (Lane<T>[] lanes, LaneGroups<T> groups) = Create();
        return (lanes, groups.All);
    }

    /// <summary>How many lanes there are: one for each trial of an update, as far as there is memory.</summary>
    private int Count => Math.Min(Room, learners.Plastics.Select(plastic => plastic.TrialsOfUpdate).Concat(learners.Starts.Select(start => start.TrialsOfUpdate)).Min());

    /// <summary>The memory of one lane: what it has beside the network whose weights it shares.</summary>
    private long BytesOfLane()
    {
        using Storage.Scope sketch = Storage.Sketch();
        var inventory = new PlanInventory<T>();
        inventory.Take("", network, BufferPurpose.Activity).Take("", learners, BufferPurpose.Activity);
        long before = inventory.Bytes;
        return inventory.Take("", new Lane<T>(network, learners), BufferPurpose.Activity).Bytes - before;
    }

    private (Lane<T>[] Lanes, LaneGroups<T> Groups) Create()
    {
        Lane<T>[] lanes = [.. Enumerable.Range(0, Count).Select(_ => new Lane<T>(network, learners))];
        return (lanes, new LaneGroups<T>(lanes, Threads, network.IsWorth(Forms.Lanes, IsAnyPaidTogether)));
    }

    /// <summary>Runs trials from one on. One for which the task throws, and those after it, are left until they are due.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A task is user code and may throw anything; it is called again when the trial is due.")]
    private void Make(int trial, int count)
    {
        long start = Stopwatch.GetTimestamp();
        Drop();
        try
        {
            for (; _made < count; _made++)
            {
                _lanes[_made].Trial = trial + _made;
                fill(_lanes[_made]);
            }
        }
        catch (Exception)
        {
            // Thrown again when the trial is due, which ends the run.
        }

        _groups!.Run(_made);
        long ticks = (Stopwatch.GetTimestamp() - start) / Math.Max(1, _made);
        for (int k = 0; k < _made; k++)
            _lanes[k].Ticks = ticks;
    }
}

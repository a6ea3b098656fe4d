using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rflo.Core;

/// <summary>
/// Test trials side by side: no weight changes in them, so each has the bits that it has when it runs by itself. They have activity of their own,
/// whatever the session trains and in how many lanes.
/// </summary>
/// <param name="network">The network whose weights all lanes share.</param>
/// <param name="count">How many lanes, at most <see cref="Room"/>.</param>
/// <param name="threads">How many threads take the lanes through their steps.</param>
/// <param name="fill">Writes the trial of a lane.</param>
internal sealed class EvaluationLanes<T>(Network<T> network, int count, int threads, Action<Lane<T>, TestOptions> fill)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most lanes: with more, reading weights is no longer the limit.</summary>
    private const int Most = SideBySide.Most;

    /// <summary>Bytes that all lanes together may take.</summary>
    private const long MostBytes = 256 << 20;

    private readonly Lane<T>[] _lanes = [.. Enumerable.Range(0, count).Select(_ => OfTests(network))];
    private LaneGroups<T>? _groups;
    private int _made;

    /// <summary>How many lanes there are.</summary>
    public int Count => _lanes.Length;

    /// <summary>Why test trials of a circuit never run side by side, in words that end a sentence; null where they may.</summary>
    /// <param name="graph">The circuit.</param>
    /// <param name="task">Its task.</param>
    public static string? Obstacle(Graph graph, ITask task) =>
        graph.Areas.Count == 0 ? "the circuit has no area"
        : task is IClosedLoopTask ? "the task is a closed loop, whose memory is of one trial at a time"
        : !UserCode.IsScoredAlone(task) ? "the task may score the trial that was filled last (ITask.IsPerformancePure)"
        : null;

    /// <summary>How many lanes there is memory for; fewer than two are none.</summary>
    public static int Room(Network<T> network) => (int)Math.Min(Most, MostBytes / Math.Max(1, network.BytesBeside));

    /// <summary>Whether lanes save time: where the weights onto an area are many enough that products are what a step costs.</summary>
    public static bool IsPaid(Network<T> network) => Array.Exists(network.Areas, BatchLanes<T>.IsPaidTogether);

    /// <summary>The quantities by which lanes were chosen or not, in words.</summary>
    public static string Why(Network<T> network)
    {
        string sizes = FormattableString.Invariant($"a lane takes {network.BytesBeside:N0} bytes, all may take {MostBytes:N0}");
        if (Room(network) < 2)
            return sizes;
        if (!IsPaid(network))
            return FormattableString.Invariant($"the dense weights onto an area take {WeightBytes(network):N0} bytes at most; lanes save time beyond {BatchLanes<T>.BytesNearest:N0}");
        string more = network.Areas.Any(area => area.Spec.InitialPolicy == InitialPolicy.CarriedOver) ? "; trials that begin where the one before ended run one after another" : "";
        return FormattableString.Invariant($"{Room(network)} lanes: {sizes}{more}");
    }

    /// <summary>The trials that were made, in their order.</summary>
    public ReadOnlySpan<Lane<T>> Made => _lanes.AsSpan(0, _made);

    /// <summary>Makes test trials from one on, at most as many as there are lanes. Allocates nothing in a step.</summary>
    /// <param name="first">Number of the first.</param>
    /// <param name="left">How many are still to be made.</param>
    /// <param name="test">Their options.</param>
    /// <returns>How many were made: <see cref="Made"/>. 0 where code of the user's threw within a trial; the trials are then to be made one after another.</returns>
    /// <exception cref="TaskException">The task cannot generate the first of them. Of a later one the exception is thrown when it is the first.</exception>
    public int Run(int first, int left, TestOptions test)
    {
        int filled = Fill(first, Math.Min(left, _lanes.Length), test);
        _made = 0;
        try
        {
            (_groups ??= new LaneGroups<T>(_lanes, threads, isTogether: true)).Run(filled, test);
        }
        catch (TaskException)
        {
            return 0;
        }

        return _made = filled;
    }

    private int Fill(int first, int most, TestOptions test)
    {
        for (int k = 0; k < most; k++)
        {
            Lane<T> lane = _lanes[k];
            lane.Trial = first + k;
            try
            {
                fill(lane, test);
            }
            catch (TaskException) when (k > 0)
            {
                return k;
            }

            foreach (AreaState<T> area in network.Areas)
                if (area.Spec.InitialPolicy == InitialPolicy.CarriedOver)
                    lane.Network.Areas[area.Index].BeginAs(area);
        }

        return most;
    }

    private static Lane<T> OfTests(Network<T> network) => new(network.Beside(), LearnerSet<T>.None, RandomStream.OfTrial(network.Seed, "task", 0));

    private static long WeightBytes(Network<T> network) =>
        network.Areas.Max(area => area.Afferents.Weights.Dense.Length * (long)Unsafe.SizeOf<T>());
}

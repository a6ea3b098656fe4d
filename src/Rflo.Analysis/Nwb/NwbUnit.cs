namespace Rflo.Analysis;

/// <summary>A sorted unit of a recording: its spike train, and where it was recorded.</summary>
public sealed class NwbUnit
{
    private readonly double[] _spikeTimes;

    internal NwbUnit(int row, long id, string area, IReadOnlyList<int> electrodes, double[] spikeTimes, IReadOnlyList<(double Start, double Stop)>? observed)
    {
        (Row, Id, Area, Electrodes, _spikeTimes) = (row, id, area, electrodes, spikeTimes);
        Observed = observed is null ? null : Merged(observed);
    }

    /// <summary>The row of the unit in the file's table, from 0.</summary>
    public int Row { get; }

    /// <summary>The id of the unit.</summary>
    public long Id { get; }

    /// <summary>The area: what <c>location</c> says of most of its electrodes (of the first where several are as frequent); "unknown" where the file does not say.</summary>
    public string Area { get; }

    /// <summary>Rows of its electrodes in the file's table; none where the file does not say.</summary>
    public IReadOnlyList<int> Electrodes { get; }

    /// <summary>Times of its spikes, s from the reference time of the session, rising.</summary>
    public ReadOnlySpan<double> SpikeTimes => _spikeTimes;

    /// <summary>When it was observed, s: rising and apart from each other; null where the file does not say, so that it counts as always observed.</summary>
    public IReadOnlyList<(double Start, double Stop)>? Observed { get; }

    /// <summary>Whether it was observed all the time from one time to another, both in s.</summary>
    public bool IsObserved(double start, double stop) => Observed is null || Observed.Any(interval => interval.Start <= start && stop <= interval.Stop);

    /// <summary>Id, area and number of spikes.</summary>
    public override string ToString() => $"unit {Id} in {Area}, {_spikeTimes.Length} spikes";

    /// <summary>Intervals in rising order; those that touch are one.</summary>
    private static List<(double Start, double Stop)> Merged(IReadOnlyList<(double Start, double Stop)> intervals)
    {
        List<(double Start, double Stop)> merged = [];
        foreach ((double start, double stop) in intervals.OrderBy(interval => interval.Start))
        {
            if (merged.Count > 0 && start <= merged[^1].Stop)
                merged[^1] = (merged[^1].Start, Math.Max(merged[^1].Stop, stop));
            else
                merged.Add((start, stop));
        }

        return merged;
    }
}

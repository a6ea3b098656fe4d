namespace Rflo.Analysis;

/// <summary>When each unit was observed (<c>obs_intervals</c>), where a file says so.</summary>
internal static class ObservedIntervals
{
    private const string Place = "/units/obs_intervals";

    /// <summary>The intervals of each unit, in s; null where the file has none.</summary>
    /// <exception cref="NwbException">They are no pairs, or one ends before it begins.</exception>
    public static (double Start, double Stop)[][]? Read(NwbSource source, int units)
    {
        if (!source.Has(Place))
            return null;
        if (source.Shape(Place) is not [var count, 2])
            throw new NwbException(source.Path, Place, $"has the shape ({string.Join(", ", source.Shape(Place))}); it must be (intervals, 2)", "Write start and stop of each interval.");
        var rows = RaggedRows.Read(source, Place, units, count);
        double[] times = source.Numbers(Place);
        for (long k = 0; k < count; k++)
            if (!(times[2 * k + 1] >= times[2 * k]))
                throw new NwbException(source.Path, Place, FormattableString.Invariant($"has an interval from {times[2 * k]} to {times[2 * k + 1]} in row {k}"), "Write start and stop of each interval, in s, the start first.");
        return [.. Enumerable.Range(0, units).Select(unit => Enumerable.Range((int)rows.Start(unit), (int)rows.Count(unit)).Select(k => (times[2 * k], times[2 * k + 1])).ToArray())];
    }
}

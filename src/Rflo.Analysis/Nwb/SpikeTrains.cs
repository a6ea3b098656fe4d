namespace Rflo.Analysis;

/// <summary>The spike times of the units that are wanted, read in one pass over the file.</summary>
internal static class SpikeTrains
{
    private const string Place = "/units/spike_times";

    /// <summary>A rising train for each unit that is wanted; the others are empty.</summary>
    /// <exception cref="NwbException">There are none, index and times do not fit, a time is not finite, or they need too much memory.</exception>
    public static double[][] Read(NwbSource source, int units, Func<int, bool> isWanted, long maxBytes)
    {
        if (!source.Has(Place))
            throw new NwbException(source.Path, "/units", "has no spike_times", "Read a file with sorted spike trains.");
        var rows = RaggedRows.Read(source, Place, units, source.Length(Place));
        double[][] trains = Allocated(source, rows, units, isWanted, maxBytes);
        int first = 0;
        foreach ((long start, double[] values) in source.Blocks(Place, (from, to) => Overlaps(rows, trains, from, to)))
        {
            while (first < units && rows.End(first) <= start)
                first++;
            for (int unit = first; unit < units && rows.Start(unit) < start + values.Length; unit++)
                if (trains[unit].Length > 0)
                    Copy(source, rows, unit, start, values, trains[unit]);
        }

        foreach (double[] train in trains)
            Sort(train);
        return trains;
    }

    private static double[][] Allocated(NwbSource source, RaggedRows rows, int units, Func<int, bool> isWanted, long maxBytes)
    {
        long spikes = Enumerable.Range(0, units).Where(isWanted).Sum(rows.Count);
        if (spikes > maxBytes / sizeof(double))
            throw new NwbException(source.Path, Place, $"has {spikes} spikes of these units; at most {maxBytes / sizeof(double)} are read", "Read fewer areas (Nwb.readAreas), or raise NwbOptions.MaxBytes.");
        return [.. Enumerable.Range(0, units).Select(unit => isWanted(unit) ? new double[rows.Count(unit)] : [])];
    }

    private static bool Overlaps(RaggedRows rows, double[][] trains, long from, long to)
    {
        for (int unit = 0; unit < trains.Length; unit++)
            if (trains[unit].Length > 0 && rows.Start(unit) < to && rows.End(unit) > from)
                return true;
        return false;
    }

    private static void Copy(NwbSource source, RaggedRows rows, int unit, long start, double[] values, double[] train)
    {
        long from = Math.Max(start, rows.Start(unit));
        long to = Math.Min(start + values.Length, rows.End(unit));
        for (long at = from; at < to; at++)
        {
            double time = values[at - start];
            if (!double.IsFinite(time))
                throw new NwbException(source.Path, Place, FormattableString.Invariant($"has the time {time} in row {at}, a spike of the unit in row {unit}; times must be finite"), "Leave that spike out, and write its unit anew.");
            train[at - rows.Start(unit)] = time;
        }
    }

    /// <summary>A train is a set of times; most files have them in rising order.</summary>
    private static void Sort(double[] train)
    {
        for (int k = 1; k < train.Length; k++)
        {
            if (train[k] < train[k - 1])
            {
                Array.Sort(train);
                return;
            }
        }
    }
}

namespace Rflo.Analysis;

/// <summary>A window around an event of each trial of a recording: spike counts and firing rates of an area's units in it, and what the trials are about.</summary>
public sealed class AlignedSpikes
{
    private readonly double[] _times;

    internal AlignedSpikes(NwbRecording recording, string column, int[] rows, double[] times, double first, double last)
    {
        (Recording, Event, Rows, _times, First, Last) = (recording, column, rows, times, first, last);
        int infinite = Array.FindIndex(times, double.IsInfinity);
        if (infinite >= 0)
            throw new NwbException(recording.File, $"/intervals/trials/{column}", $"is infinite in trial {rows[infinite]}", "Write NaN where a trial does not have the event.");
    }

    /// <summary>The recording.</summary>
    public NwbRecording Recording { get; }

    /// <summary>The column that the trials are aligned to.</summary>
    public string Event { get; }

    /// <summary>The trials that have the event: their rows in the table of trials, in its order.</summary>
    public IReadOnlyList<int> Rows { get; }

    /// <summary>When the event happens in each of these trials, s.</summary>
    public IReadOnlyList<double> Times => _times;

    /// <summary>Beginning of the window, ms from the event.</summary>
    public double First { get; }

    /// <summary>End of the window, ms from the event.</summary>
    public double Last { get; }

    /// <summary>Spike counts of the units of an area: trials x steps x units, the units in the order of the file.</summary>
    /// <param name="area">Name of the area; null for all units.</param>
    /// <param name="dt">Duration of a step, ms; the window must be a whole number of them. Step b of a trial has the spikes from First + b dt up to, and without, First + (b + 1) dt.</param>
    /// <exception cref="NwbException">There is no such area, or a unit was not observed in all of a window.</exception>
    /// <exception cref="ArgumentException">The window is no whole number of steps, or the array would be too long.</exception>
    public TrialSet Counts(string? area, double dt)
    {
        NwbUnit[] units = UnitsOf(area);
        int steps = StepsOf(dt);
        CheckObserved(units);
        return Filled(units, steps, (unit, time, row) => SpikeCounts.Count(unit.SpikeTimes, time, First, dt, 0, row));
    }

    /// <summary>Firing rates of the units of an area, in spikes a second: counts, smoothed by a Gaussian over time.</summary>
    /// <remarks>Spikes outside of the window count too, up to four standard deviations away, so that rates do not fall towards its ends.</remarks>
    /// <param name="area">Name of the area; null for all units.</param>
    /// <param name="dt">Duration of a step, ms; the window must be a whole number of them.</param>
    /// <param name="deviation">Standard deviation of the Gaussian, ms; 0 for rates without smoothing.</param>
    /// <exception cref="NwbException">There is no such area, or a unit was not observed in all of a window.</exception>
    /// <exception cref="ArgumentException">The window is no whole number of steps, the deviation is not finite and at least 0, or the array would be too long.</exception>
    public TrialSet Rates(string? area, double dt, double deviation)
    {
        NwbUnit[] units = UnitsOf(area);
        int steps = StepsOf(dt);
        CheckObserved(units);
        double[] kernel = SpikeCounts.Gaussian(deviation, dt);
        int radius = kernel.Length / 2;
        double[] padded = new double[steps + 2 * radius];
        return Filled(units, steps, (unit, time, row) =>
        {
            SpikeCounts.Count(unit.SpikeTimes, time, First, dt, -radius, padded);
            SpikeCounts.Smooth(padded, kernel, 1000 / dt, row);
        });
    }

    /// <summary>A number for each trial, from 0, by the value of a column: rising values have rising numbers, texts in the order of their letters' codes.</summary>
    /// <param name="column">Column of the table of trials.</param>
    /// <exception cref="NwbException">There is no such column, or it is NaN in a trial.</exception>
    public int[] Labels(string column)
    {
        string[] levels = Levels(column);
        string[] texts = Recording.Trials.Texts(column);
        return [.. Rows.Select(row => Array.IndexOf(levels, texts[row]))];
    }

    /// <summary>The values of a column in these trials, each once: level k is that of label k.</summary>
    /// <param name="column">Column of the table of trials.</param>
    /// <exception cref="NwbException">There is no such column, or it is NaN in a trial.</exception>
    public string[] Levels(string column)
    {
        NwbTable trials = Recording.Trials;
        string[] texts = trials.Texts(column);
        if (!trials.IsNumeric(column))
            return [.. Rows.Select(row => texts[row]).Distinct().Order(StringComparer.Ordinal)];
        double[] numbers = Values(column);
        return [.. Enumerable.Range(0, numbers.Length).OrderBy(k => numbers[k]).Select(k => texts[Rows[k]]).Distinct()];
    }

    /// <summary>The number of each trial in a column.</summary>
    /// <param name="column">Column of the table of trials.</param>
    /// <exception cref="NwbException">There is no such column, it is text, or it is NaN in a trial.</exception>
    public double[] Values(string column)
    {
        double[] numbers = Recording.Trials.Numbers(column);
        foreach (int row in Rows)
            if (double.IsNaN(numbers[row]))
                throw new NwbException(Recording.File, $"/intervals/trials/{column}", $"is NaN in trial {row}", $"Leave such trials out: recording |> Nwb.trialsWhere \"{column}\" System.Double.IsFinite.");
        return [.. Rows.Select(row => numbers[row])];
    }

    /// <summary>Event, window and number of trials.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Rows.Count} of {Recording.Trials.Rows} trials, from {First} to {Last} ms around {Event}");

    private NwbUnit[] UnitsOf(string? area)
    {
        NwbUnit[] units = [.. Recording.Units.Where(unit => area is null || unit.Area == area)];
        return units.Length > 0 ? units : throw NwbRecording.NoArea(Recording.File, area!, [.. Recording.Areas]);
    }

    private int StepsOf(double dt)
    {
        if (!(dt > 0) || !double.IsFinite(dt))
            throw new ArgumentException(FormattableString.Invariant($"dt: a step is {dt} ms; it must be finite and more than 0."));
        double steps = (Last - First) / dt;
        double whole = Math.Round(steps);
        // Durations such as 0.1 ms have no exact binary form.
        if (whole < 1 || Math.Abs(steps - whole) > 1e-9 * whole)
            throw new ArgumentException(FormattableString.Invariant($"window: {Last - First} ms are no whole number of steps of {dt} ms; change the window or dt."));
        return whole <= Array.MaxLength ? (int)whole : throw new ArgumentException(FormattableString.Invariant($"window: {whole} steps are more than an array holds; take a larger dt."));
    }

    private void CheckObserved(NwbUnit[] units)
    {
        foreach (NwbUnit unit in units)
            for (int k = 0; k < _times.Length; k++)
                if (!unit.IsObserved(_times[k] + First / 1000, _times[k] + Last / 1000))
                    throw new NwbException(Recording.File, "/units/obs_intervals", $"does not have all of the window of trial {Rows[k]} for unit {unit.Id}, so its rate there is not known", "Take a shorter window, or leave such trials or units out (Nwb.trialsWhere, Nwb.unitsWhere).");
    }

    private delegate void Fill(NwbUnit unit, double time, Span<double> row);

    private TrialSet Filled(NwbUnit[] units, int steps, Fill fill)
    {
        if ((double)_times.Length * steps * units.Length > Array.MaxLength)
            throw new ArgumentException($"activity: {_times.Length} trials of {steps} steps of {units.Length} units are more than an array holds; take a larger dt, or fewer units.");
        double[] values = new double[_times.Length * steps * units.Length];
        double[] row = new double[steps];
        for (int trial = 0; trial < _times.Length; trial++)
        {
            for (int i = 0; i < units.Length; i++)
            {
                fill(units[i], _times[trial], row);
                for (int t = 0; t < steps; t++)
                    values[(trial * steps + t) * units.Length + i] = row[t];
            }
        }

        return new TrialSet(values, _times.Length, steps, units.Length);
    }
}

namespace Rflo.Analysis;

/// <summary>
/// A session of recorded neurons, read from a file of Neurodata Without Borders (NWB 2, HDF5; Rübel et al. 2022, doi 10.7554/eLife.78362): spike trains of sorted units by area, and the table of trials.
/// </summary>
/// <remarks>
/// Read are <c>/units</c> (spike_times, electrodes, electrode_group, obs_intervals, and columns of one number or text a unit),
/// <c>/intervals/trials</c>, and <c>location</c> and <c>group_name</c> of <c>/general/extracellular_ephys/electrodes</c>. Time is in s from the reference time
/// of the session. Compressed (gzip, shuffle, fletcher32, scale-offset) and chunked datasets are read; spike times are read once, a block after the other.
/// </remarks>
public sealed class NwbRecording
{
    private const string UnitsPlace = "/units";
    private const string TrialsPlace = "/intervals/trials";
    private readonly NwbTable? _trials;

    private NwbRecording(string file, IReadOnlyList<NwbUnit> units, NwbTable unitTable, NwbTable? trials)
    {
        (File, Units, UnitTable, _trials) = (file, units, unitTable, trials);
    }

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>The units, in the order of the file.</summary>
    public IReadOnlyList<NwbUnit> Units { get; }

    /// <summary>Further columns of the units, such as their quality: a row for each of <see cref="Units"/>.</summary>
    public NwbTable UnitTable { get; }

    /// <summary>The areas of the units, each once, in the order of the units.</summary>
    public IReadOnlyList<string> Areas => [.. Units.Select(unit => unit.Area).Distinct()];

    /// <summary>The trials: start_time and stop_time, in s, and further columns.</summary>
    /// <exception cref="NwbException">The file has none.</exception>
    public NwbTable Trials => _trials ?? throw new NwbException(File, null, $"has no {TrialsPlace}, so nothing can be aligned", "Read a file with a table of trials; spike trains of units are there without one.");

    /// <summary>Whether the file has a table of trials.</summary>
    public bool HasTrials => _trials is not null;

    /// <summary>Reads a file.</summary>
    /// <param name="file">Path of the file.</param>
    /// <param name="options">What is read; <see cref="NwbOptions.Standard"/> where null.</param>
    /// <exception cref="NwbException">It is no NWB file, it is damaged, what it holds does not fit each other, or it exceeds a limit.</exception>
    public static NwbRecording Read(string file, NwbOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(file);
        options ??= NwbOptions.Standard;
        using var source = NwbSource.Open(file, options.MaxBytes);
        if (!source.Has(UnitsPlace))
            throw new NwbException(file, null, $"has no {UnitsPlace}, so there are no sorted spike trains; it has {NwbException.Listed(source.Names("/"))}", "Read a file with a table of units (NWB 2).");
        var table = NwbTable.Read(source, UnitsPlace, "spike_times", "spike_times_index", "electrodes", "electrodes_index", "electrode_group", "obs_intervals", "obs_intervals_index");
        if (table.Rows == 0)
            throw new NwbException(file, UnitsPlace, "has no unit", "Read a file with sorted units.");
        (int[][] electrodes, string[] areas) = ElectrodeAreas.Read(source, table.Rows);
        int[] kept = Kept(file, areas, options.Areas);
        double[][] trains = SpikeTrains.Read(source, table.Rows, new HashSet<int>(kept).Contains, options.MaxBytes);
        (double, double)[][]? observed = ObservedIntervals.Read(source, table.Rows);
        NwbUnit[] units = [.. kept.Select(row => new NwbUnit(row, table.Ids[row], areas[row], electrodes[row], trains[row], observed?[row]))];
        return new NwbRecording(file, units, table.Take(kept), source.Has(TrialsPlace) ? ReadTrials(source) : null);
    }

    /// <summary>The recording with some of its units.</summary>
    /// <param name="keep">Whether a unit, by its number among <see cref="Units"/>, stays.</param>
    /// <exception cref="NwbException">None stays.</exception>
    public NwbRecording WhereUnits(Func<int, bool> keep)
    {
        int[] kept = [.. Enumerable.Range(0, Units.Count).Where(keep)];
        return kept.Length > 0
            ? new NwbRecording(File, [.. kept.Select(unit => Units[unit])], UnitTable.Take(kept), _trials)
            : throw new NwbException(File, UnitsPlace, $"has {Units.Count} units, and the condition keeps none of them", "Keep at least one unit.");
    }

    /// <summary>The recording with some of its trials.</summary>
    /// <param name="keep">Whether a trial, by its row among <see cref="Trials"/>, stays.</param>
    /// <exception cref="NwbException">None stays.</exception>
    public NwbRecording WhereTrials(Func<int, bool> keep)
    {
        int[] kept = [.. Enumerable.Range(0, Trials.Rows).Where(keep)];
        return kept.Length > 0
            ? new NwbRecording(File, Units, UnitTable, Trials.Take(kept))
            : throw new NwbException(File, TrialsPlace, $"has {Trials.Rows} trials, and the condition keeps none of them", "Keep at least one trial.");
    }

    /// <summary>A window around an event of each trial. Trials in which the event is NaN are left out.</summary>
    /// <param name="column">The column of trials with the times of the event, in s, such as start_time.</param>
    /// <param name="first">Beginning of the window, ms from the event; before it where negative.</param>
    /// <param name="last">End of the window, ms from the event, after its beginning.</param>
    /// <exception cref="NwbException">There is no such column, or no trial has the event.</exception>
    /// <exception cref="ArgumentException">The window is not finite, or ends before it begins.</exception>
    public AlignedSpikes Align(string column, double first, double last)
    {
        if (!double.IsFinite(first) || !double.IsFinite(last) || !(last > first))
            throw new ArgumentException(FormattableString.Invariant($"window: it is from {first} to {last} ms; both must be finite, and the end behind the beginning."));
        double[] times = Trials.Numbers(column);
        int[] rows = [.. Enumerable.Range(0, times.Length).Where(row => !double.IsNaN(times[row]))];
        if (rows.Length == 0)
            throw new NwbException(File, $"{TrialsPlace}/{column}", $"has a time in none of {times.Length} trials", $"Take one of {NwbException.Listed(Trials.Columns)}.");
        return new AlignedSpikes(this, column, rows, [.. rows.Select(row => times[row])], first, last);
    }

    /// <summary>File, units by area, trials and their columns.</summary>
    public override string ToString()
    {
        string units = string.Join(", ", Areas.Select(area => $"{Counted(Units.Count(unit => unit.Area == area), "unit")} in {area}"));
        string trials = HasTrials ? $"{Counted(Trials.Rows, "trial")} with {NwbException.Listed(Trials.Columns)}" : "no trials";
        return $"{File}: {units}; {trials}";
    }

    private static string Counted(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";

    private static int[] Kept(string file, string[] areas, IReadOnlyCollection<string>? wanted)
    {
        foreach (string area in wanted ?? [])
            if (!areas.Contains(area))
                throw NoArea(file, area, [.. areas.Distinct()]);
        int[] kept = [.. Enumerable.Range(0, areas.Length).Where(unit => wanted is null || wanted.Contains(areas[unit]))];
        return kept.Length > 0 ? kept : throw new NwbException(file, UnitsPlace, "is read for no area", $"Name some of {NwbException.Listed([.. areas.Distinct()])}.");
    }

    internal static NwbException NoArea(string file, string area, IReadOnlyCollection<string> known)
    {
        string remedy = known.Count == 1 && known.First() == ElectrodeAreas.Unknown
            ? $"The file does not say where its units were recorded: the area of all of them is {ElectrodeAreas.Unknown}."
            : $"{NearestName.Hint(area, known)}Its areas are {NwbException.Listed(known)}.";
        return new(file, UnitsPlace, $"has no unit in {NwbException.Quoted(area)}", remedy);
    }

    private static NwbTable ReadTrials(NwbSource source)
    {
        var trials = NwbTable.Read(source, TrialsPlace);
        double[] starts = trials.Numbers("start_time");
        double[] stops = trials.Numbers("stop_time");
        for (int row = 0; row < trials.Rows; row++)
        {
            if (!double.IsFinite(starts[row]))
                throw new NwbException(source.Path, $"{TrialsPlace}/start_time", FormattableString.Invariant($"is {starts[row]} in row {row}; it must be finite"), "Write when each trial starts, in s.");
            // A trial that was under way when the recording ended may have no end.
            if (stops[row] < starts[row])
                throw new NwbException(source.Path, TrialsPlace, FormattableString.Invariant($"has a trial that starts at {starts[row]} s and stops before, at {stops[row]} s, in row {row}"), "Write start_time and stop_time of each trial, both in s.");
        }

        return trials;
    }
}

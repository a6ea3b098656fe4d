namespace Rflo.Runs;

/// <summary>A finished run folder. Only its manifest is read at once; other files are read on demand.</summary>
public sealed class SavedRun
{
    private readonly ReadLimits _limits;

    internal SavedRun(string path, ReadLimits limits)
    {
        Place = Placement.FullPath(path);
        _limits = limits;
        Manifest = ManifestFile.Read(PathOf(RunFileNames.Manifest), limits);
    }

    /// <summary>Full path of the folder.</summary>
    public string Place { get; }

    /// <summary>What was run, where, and how it ended.</summary>
    public RunManifest Manifest { get; private set; }

    /// <summary>Full path of the copy of the script; null where the folder has none.</summary>
    public string? Script => Existing(Path.GetFileName(Manifest.Script));

    /// <summary>Full path of the report; null where the folder has none.</summary>
    public string? Report => Existing(RunFileNames.Report);

    /// <summary>Full path of the picture of the circuit; null where the folder has none.</summary>
    public string? Picture => Existing(RunFileNames.Picture);

    /// <summary>Names of the files that hold the script as it ran, of every session, and what it loaded; the script that began the run first.</summary>
    public IReadOnlyList<string> Sources => [.. Manifest.Sessions.SelectMany(session => session.Sources ?? []).Distinct()];

    /// <summary>The script's text; null where the folder has none.</summary>
    /// <exception cref="RunFileException">It cannot be read.</exception>
    public string? ReadScript() => Script is { } path ? Disk.ReadText(path, _limits.MaxTextBytes) : null;

    /// <summary>The picture of the circuit, SVG; null where the folder has none.</summary>
    /// <exception cref="RunFileException">It cannot be read.</exception>
    public string? ReadPicture() => Picture is { } path ? Disk.ReadText(path, _limits.MaxTextBytes) : null;

    /// <summary>Reads metrics.csv, if it is as the run wrote it: the manifest has its length and its checksum.</summary>
    /// <exception cref="RunFileException">The file is missing, damaged, or has changed since.</exception>
    public MetricsTable ReadMetrics()
    {
        Manifest.Files.FirstOrDefault(file => file.Name == RunFileNames.Metrics)?.Check(PathOf(RunFileNames.Metrics));
        return MetricsTable.Read(PathOf(RunFileNames.Metrics), _limits);
    }

    /// <summary>Reads the names of the columns of metrics.csv, and none of its numbers.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<string> ReadMetricsHeader() => MetricsTable.ReadHeader(PathOf(RunFileNames.Metrics));

    /// <summary>Reads weights.npz.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<NamedArray> ReadWeights() => Npz.Read(PathOf(RunFileNames.Weights), _limits);

    /// <summary>Reads activity.npz.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<NamedArray> ReadActivity() => Npz.Read(PathOf(RunFileNames.Activity), _limits);

    /// <summary>Writes measures into manifest.json. Each takes the place of an earlier value, or reason, of its name; others stay.</summary>
    /// <param name="values">Finite numbers, by name.</param>
    /// <param name="failures">Why a measure has no value, by name.</param>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void WriteMeasures(IReadOnlyDictionary<string, double> values, IReadOnlyDictionary<string, string> failures)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(failures);
        bool IsOther(string name) => !values.ContainsKey(name) && !failures.ContainsKey(name);
        RunManifest measured = Manifest with
        {
            Measures = Manifest.Measures.Where(one => IsOther(one.Key)).Concat(values).ToDictionary(),
            MeasureFailures = Manifest.MeasureFailures.Where(one => IsOther(one.Key)).Concat(failures).ToDictionary(),
        };
        ManifestFile.WriteShared(PathOf(RunFileNames.Manifest), measured);
        Manifest = measured;
    }

    private string? Existing(string? name) => !string.IsNullOrEmpty(name) && Listing.IsFile(PathOf(name)) ? PathOf(name) : null;

    private string PathOf(string name) => Path.Combine(Place, name);
}

namespace Rflo.Runs;

/// <summary>A finished run folder. Only its manifest is read at once; the rest when it is asked for.</summary>
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
    public RunManifest Manifest { get; }

    /// <summary>Full path of the copy of the script; null where the folder has none.</summary>
    public string? Script => Existing(Path.GetFileName(Manifest.Script));

    /// <summary>Full path of the report; null where the folder has none.</summary>
    public string? Report => Existing(RunFileNames.Report);

    /// <summary>Full path of the picture of the circuit; null where the folder has none.</summary>
    public string? Picture => Existing(RunFileNames.Picture);

    /// <summary>Reads metrics.csv.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public MetricsTable ReadMetrics() => MetricsTable.Read(PathOf(RunFileNames.Metrics), _limits);

    /// <summary>Reads the names of the columns of metrics.csv, and none of its numbers.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<string> ReadMetricsHeader() => MetricsTable.ReadHeader(PathOf(RunFileNames.Metrics));

    /// <summary>Reads weights.npz.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<NamedArray> ReadWeights() => Npz.Read(PathOf(RunFileNames.Weights), _limits);

    /// <summary>Reads activity.npz.</summary>
    /// <exception cref="RunFileException">The file is missing or damaged.</exception>
    public IReadOnlyList<NamedArray> ReadActivity() => Npz.Read(PathOf(RunFileNames.Activity), _limits);

    private string? Existing(string? name) => !string.IsNullOrEmpty(name) && File.Exists(PathOf(name)) ? PathOf(name) : null;

    private string PathOf(string name) => Path.Combine(Place, name);
}

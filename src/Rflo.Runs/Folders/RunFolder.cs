namespace Rflo.Runs;

/// <summary>
/// The results of a run while they are written: a temporary folder beside the place where they will lie, moved there as a whole by <see cref="Commit"/>.
/// Disposed before that, it leaves nothing; killed before that, it leaves a hidden folder that says which process wrote it.
/// </summary>
public sealed partial class RunFolder : IDisposable
{
    private readonly bool _force;
    private MetricsWriter? _metrics;
    private string? _script;
    private bool _given;

    /// <summary>Nothing is in it but copies of what lies at its place.</summary>
    private bool _isCopy;

    private RunFolder(string place, bool force)
    {
        Place = place;
        Temporary = Claim.FolderOf(place);
        _force = force;
    }

    /// <summary>Full path of the folder that <see cref="Commit"/> makes.</summary>
    public string Place { get; }

    /// <summary>Full path of the temporary folder.</summary>
    public string Temporary { get; }

    /// <summary>Whether <see cref="Commit"/> leaves the checkpoints out, since the run is complete.</summary>
    public bool DropsCheckpoints { get; set; }

    /// <summary>Begins metrics.csv; the writer is finished by <see cref="Commit"/>.</summary>
    /// <param name="columns">Names of the columns, each another.</param>
    /// <exception cref="ArgumentException">There is no column, two have one name, or one has none.</exception>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public MetricsWriter OpenMetrics(IReadOnlyList<string> columns)
    {
        if (columns.Count == 0 || columns.Contains("") || columns.Distinct().Count() < columns.Count)
            throw new ArgumentException("Columns need names, each another.", nameof(columns));
        _metrics?.Dispose();
        return _metrics = new MetricsWriter(PathOf(RunFileNames.Metrics), columns);
    }

    /// <summary>Writes weights.npz.</summary>
    /// <param name="arrays">The weights, initial and final, by name.</param>
    /// <exception cref="RunFileException">A name is refused, or the file cannot be written.</exception>
    public void WriteWeights(IEnumerable<NamedArray> arrays) => Npz.Write(PathOf(RunFileNames.Weights), arrays);

    /// <summary>Writes activity.npz.</summary>
    /// <param name="arrays">What the probes recorded, (time, unit).</param>
    /// <exception cref="RunFileException">A name is refused, or the file cannot be written.</exception>
    public void WriteActivity(IEnumerable<NamedArray> arrays) => Npz.Write(PathOf(RunFileNames.Activity), arrays);

    /// <summary>Writes report.html.</summary>
    /// <param name="html">The page.</param>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void WriteReport(string html) => WriteText(RunFileNames.Report, html);

    /// <summary>Writes circuit.svg.</summary>
    /// <param name="svg">The picture of the circuit.</param>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void WritePicture(string svg) => WriteText(RunFileNames.Picture, svg);

    /// <summary>Copies the script under its own name.</summary>
    /// <param name="script">Path of the script.</param>
    /// <exception cref="RunFileException">It cannot be read, its copy cannot be written, or it has the name of another file of the folder.</exception>
    public void CopyScript(string script)
    {
        string name = Path.GetFileName(script);
        if (Path.Exists(PathOf(name)) || Placement.IsReserved(name))
            throw new RunFileException(script, null, $"has the name of another file of a run folder, {name}", "Rename the script.");
        using FileStream source = Disk.OpenRead(script);
        Disk.Write(PathOf(name), source.CopyTo);
        _script = name;
    }

    /// <summary>Writes manifest.json, which names the script and the other files, and moves the folder into place.</summary>
    /// <param name="manifest">What to say about the run.</param>
    /// <returns><see cref="Place"/>.</returns>
    /// <exception cref="RunFileException">
    /// A file cannot be written; or the place was taken meanwhile: then the results stay in <see cref="Temporary"/>, and the message says so.
    /// They are never deleted: the next run that is written to <see cref="Place"/> moves them to a free number beside it.
    /// </exception>
    public string Commit(RunManifest manifest)
    {
        ObjectDisposedException.ThrowIf(_given, this);
        _metrics?.Finish();
        RunManifest complete = manifest with { Script = _script ?? manifest.Script, Sessions = Sessions, Files = Files() };
        ManifestFile.Write(PathOf(RunFileNames.Manifest), complete);
        // From here on everything is written: whatever happens, the results are kept.
        _given = true;
        Disk.Remove(PathOf(SessionFile.Name));
        foreach (string checkpoint in DropsCheckpoints ? CheckpointFile.In(Temporary) : [])
            Disk.Remove(checkpoint);
        Placement.MoveIn(Temporary, Place, _force);
        return Place;
    }

    /// <summary>Deletes the temporary folder, unless <see cref="Commit"/> had all its files written, or a checkpoint is in it from which the run can go on.</summary>
    public void Dispose()
    {
        _metrics?.Dispose();
        if (!_given && (_isCopy || CheckpointFile.In(Temporary).Length == 0))
            Claim.Remove(Temporary);
        _given = true;
    }

    private void WriteText(string name, string content) =>
        Disk.Write(PathOf(name), stream =>
        {
            using StreamWriter text = new(stream, leaveOpen: true);
            text.Write(content);
        });

    private string PathOf(string name) => Path.Combine(Temporary, name);

    private RunFile[] Files() =>
    [
        .. new DirectoryInfo(Temporary).EnumerateFiles()
            .Where(file => file.Name is not (RunFileNames.Manifest or Owner.FileName or SessionFile.Name))
            .Where(file => !(DropsCheckpoints && CheckpointFile.IsName(file.Name)))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new RunFile(file.Name, file.Length)),
    ];
}

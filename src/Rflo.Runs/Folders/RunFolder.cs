namespace Rflo.Runs;

/// <summary>
/// The results of a run while they are written: a temporary folder beside the place where they will lie, moved there as a whole by <see cref="Commit"/>.
/// If it is disposed before that, it leaves no files; if the process is killed before that, it leaves a hidden folder with the owner's name.
/// </summary>
public sealed partial class RunFolder : IDisposable
{
    private readonly bool _force;
    private MetricsWriter? _metrics;

    /// <summary>Whether all numbers are written and listed in the manifest: then <see cref="Dispose"/> keeps them.</summary>
    private bool _sealed;
    private bool _placed;

    /// <summary>Whether it has only copies of the files at its place.</summary>
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

    /// <summary>Writes manifest.json, which names the script and the other files. From here on the results are kept, even if the process is killed.</summary>
    /// <param name="manifest">The manifest of the run.</param>
    /// <exception cref="RunFileException">A file cannot be written.</exception>
    public void Seal(RunManifest manifest)
    {
        ObjectDisposedException.ThrowIf(_placed, this);
        _metrics?.Finish();
        KeepReport();
        WriteManifest(manifest);
        _sealed = true;
    }

    /// <summary>Writes manifest.json, if <see cref="Seal"/> did not, and moves the folder into place.</summary>
    /// <param name="manifest">The manifest of the run.</param>
    /// <returns><see cref="Place"/>.</returns>
    /// <exception cref="RunFileException">
    /// A file cannot be written; or the place was taken meanwhile: then the results stay in <see cref="Temporary"/>, whose path is in the message.
    /// They are never deleted: the next run that is written to <see cref="Place"/> moves them to a free number beside it.
    /// </exception>
    public string Commit(RunManifest manifest)
    {
        ObjectDisposedException.ThrowIf(_placed, this);
        if (!_sealed)
            Seal(manifest);
        else
            TryListReport(manifest);
        _placed = true;
        Disk.Remove(PathOf(SessionFile.Name));
        foreach (string checkpoint in DropsCheckpoints ? CheckpointFile.In(Temporary) : [])
            Disk.Remove(checkpoint);
        Placement.MoveIn(Temporary, Place, _force);
        return Place;
    }

    /// <summary>Deletes the temporary folder, unless its results are complete, or it has a checkpoint from which the run can be resumed.</summary>
    public void Dispose()
    {
        _metrics?.Dispose();
        if (!_sealed && (_isCopy || !HasCheckpoints()))
            Claim.Remove(Temporary);
        _sealed = true;
        _placed = true;
    }

    private bool HasCheckpoints()
    {
        try
        {
            return CheckpointFile.In(Temporary).Length > 0;
        }
        catch (RunFileException)
        {
            // A folder that cannot be listed may have checkpoints.
            return true;
        }
    }

    /// <summary>Copies the report of a resumed run, if there is no new one.</summary>
    private void KeepReport()
    {
        string earlier = Path.Combine(Place, RunFileNames.Report);
        try
        {
            if (Listing.IsThere(PathOf(RunFileNames.Report)) || !Listing.IsFile(earlier) || !GoesOnWith(Open(Place).Manifest))
                return;
            using FileStream source = Disk.OpenRead(earlier);
            Disk.Write(PathOf(RunFileNames.Report), source.CopyTo);
        }
        catch (RunFileException)
        {
            // The report can be made again from the numbers, so a failure must not end the run.
        }
    }

    /// <summary>Does this run resume the one with this manifest? If not, the latter is another run, which is replaced.</summary>
    private bool GoesOnWith(RunManifest earlier) =>
        Sessions.Count > 1 && earlier.Sessions.Count > 0 && earlier.Sessions[0].Started == Sessions[0].Started;

    private void TryListReport(RunManifest manifest)
    {
        try
        {
            WriteManifest(manifest);
        }
        catch (RunFileException)
        {
            // The manifest without it is written, and correct otherwise.
        }
    }

    private void WriteManifest(RunManifest manifest)
    {
        RunManifest complete = manifest with { Script = Script is null ? manifest.Script : Sources[0], Sessions = Sessions, Files = Files() };
        ManifestFile.Write(PathOf(RunFileNames.Manifest), complete);
        SystemCalls.SyncFolder(Temporary);
    }

    private void WriteText(string name, string content) =>
        Disk.Write(PathOf(name), stream =>
        {
            using StreamWriter text = new(stream, leaveOpen: true);
            text.Write(content);
        });

    private string PathOf(string name) => Path.Combine(Temporary, name);

    /// <summary>The files that the run wrote, without the user's files in the folder.</summary>
    private RunFile[] Files()
    {
        // The manifest of a resumed run may name a file that no longer exists.
        IEnumerable<string> sources = Sources.Where(name => File.Exists(PathOf(name)));
        IEnumerable<string> reserved = Listing.Files(Temporary, "*").Select(path => Path.GetFileName(path)).Where(Placement.IsReserved);
        return
        [
            .. reserved.Union(sources)
                .Where(name => name is not (RunFileNames.Manifest or Owner.FileName or SessionFile.Name))
                .Where(name => !(DropsCheckpoints && CheckpointFile.IsName(name)))
                .Order(StringComparer.Ordinal)
                .Select(Described),
        ];
    }

    private RunFile Described(string name)
    {
        string path = PathOf(name);
        // Archives have checksums of their own.
        string? sum = name == RunFileNames.Metrics ? Crc32.OfFile(path) : null;
        return new RunFile(name, new FileInfo(path).Length, sum);
    }
}

namespace Rflo.Runs;

/// <content>The script as it ran, and what it loaded.</content>
public sealed partial class RunFolder
{
    private readonly List<string> _copied = [];

    /// <summary>Names of the files of the folder that hold scripts and what they loaded, of all sessions; the script that began the run first.</summary>
    public IReadOnlyList<string> Sources => [.. Sessions.SelectMany(session => session.Sources ?? []).Concat(_copied).Distinct()];

    /// <summary>Full path of the copy of the script that began the run; null where there is none.</summary>
    public string? Script => Sources.Count > 0 ? PathOf(Sources[0]) : null;

    /// <summary>Copies the script under its own name.</summary>
    /// <param name="script">Path of the script.</param>
    /// <exception cref="RunFileException">It cannot be read, its copy cannot be written, or it has the name of another file of the folder.</exception>
    public void CopyScript(string script) => _copied.AddRange(Archive([new SourceFile(script, Path.GetFileName(script))]));

    /// <summary>
    /// Copies the script and the files that it loads, as they are now. A file that an earlier session of the run copied is not copied again;
    /// a file that has changed since gets a name of its own, such as <c>model.session-2.fsx</c>.
    /// </summary>
    /// <param name="files">The files, the script first.</param>
    /// <returns>Their names in the folder, for the session that is passed to <see cref="Begin"/>.</returns>
    /// <exception cref="RunFileException">One cannot be read or written, or has the name of another file of the folder.</exception>
    public IReadOnlyList<string> Archive(IReadOnlyList<SourceFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return [.. files.Select(Archive)];
    }

    private string Archive(SourceFile file)
    {
        if (Path.IsPathRooted(file.Name) || file.Name.Split('/', '\\').Any(part => part is "" or "." or ".."))
            throw new ArgumentException($"'{file.Name}' is no name within a run folder.", nameof(file));
        byte[] content = Disk.ReadAll(file.Path, ReadLimits.Default.MaxTextBytes);
        string name = file.Name;
        if (Placement.IsReserved(name))
            throw NameTaken(file);
        if (Listing.IsThere(PathOf(name)) && !Holds(name, content))
        {
            if (!Sources.Contains(name))
                throw NameTaken(file);
            name = Path.Combine(Path.GetDirectoryName(name)!, $"{Path.GetFileNameWithoutExtension(name)}.session-{Sessions.Count + 1}{Path.GetExtension(name)}");
        }

        if (!Holds(name, content))
        {
            Disk.Writing(PathOf(name), () => Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!));
            Disk.Write(PathOf(name), stream => stream.Write(content));
        }

        return name;
    }

    private bool Holds(string name, byte[] content) =>
        Listing.IsFile(PathOf(name)) && Disk.ReadAll(PathOf(name), ReadLimits.Default.MaxTextBytes).AsSpan().SequenceEqual(content);

    private static RunFileException NameTaken(SourceFile file) =>
        new(file.Path, null, $"has the name of another file of a run folder, {Printable.Text(file.Name)}", "Rename it.");

    /// <summary>Copies the sources of a run that has ended into its temporary folder.</summary>
    private void CopySources(RunManifest manifest)
    {
        IEnumerable<string> names = manifest.Sessions.SelectMany(session => session.Sources ?? []);
        if (manifest.Script is { } script && !names.Contains(script))
            _copied.Add(script);
        foreach (string name in names.Concat(_copied).Distinct())
        {
            // A name that was read from a file may be a path out of the folder.
            string source = Path.GetFullPath(Path.Combine(Place, name));
            if (!source.StartsWith(Place + Path.DirectorySeparatorChar, StringComparison.Ordinal) || !Listing.IsFile(source))
                continue;
            byte[] content = Disk.ReadAll(source, ReadLimits.Default.MaxTextBytes);
            Disk.Writing(PathOf(name), () => Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!));
            Disk.Write(PathOf(name), stream => stream.Write(content));
        }
    }
}

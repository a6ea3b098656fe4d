namespace Rflo.Runs;

/// <content>How a run that was stopped goes on.</content>
public sealed partial class RunFolder
{
    /// <summary>The processes that worked on this run, the current one last, once it has announced itself.</summary>
    public IReadOnlyList<RunSession> Sessions { get; private set; } = [];

    /// <summary>
    /// Takes up the run whose results will lie, or lie, in <paramref name="path"/>: one whose process was killed, with all that it had
    /// written, or one that ended before its last trial and left checkpoints. In the second case the folder stays as it is until the
    /// new one is complete.
    /// </summary>
    /// <param name="path">The run folder, as it was or would have been named at its end.</param>
    /// <param name="force">Take it over from a process of another machine, of which nothing can be known here: somebody else does know that it has ended.</param>
    /// <param name="limits">What the files may ask for; null for <see cref="ReadLimits.Default"/>.</param>
    /// <exception cref="RunFileException">There is nothing to go on from, or another process writes there.</exception>
    public static RunFolder Resume(string path, bool force = false, ReadLimits? limits = null)
    {
        string place = Placement.FullPath(path);
        RunFolder folder = new(place, force: true);
        limits ??= ReadLimits.Default;
        if (Directory.Exists(folder.Temporary))
        {
            if (Claim.TakeOver(place, force) is { } other)
                throw Placement.Taken(place, other);
            folder.Sessions = SessionFile.Read(folder.Temporary, limits);
            return folder;
        }

        string[] left = CheckpointFile.In(place);
        if (left.Length == 0)
        {
            string problem = Path.Exists(place) ? "has ended and left no checkpoint to go on from" : "there is no such run";
            throw new RunFileException(place, null, problem, "Name a run that was stopped, or start one without --resume.");
        }

        RunManifest manifest = Open(place, limits).Manifest;
        if (Placement.Prepare(place) is { } writer)
            throw Placement.Taken(place, writer);
        try
        {
            foreach (string checkpoint in left)
                Disk.Writing(folder.Temporary, () => File.Copy(checkpoint, folder.PathOf(Path.GetFileName(checkpoint))));
            folder.Sessions = manifest.Sessions;
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The checkpoints of the run.</summary>
    /// <param name="experiment">SHA-256 of the experiment, in hexadecimal.</param>
    /// <param name="limits">What a checkpoint may ask for; null for <see cref="ReadLimits.Default"/>.</param>
    public Checkpoints Checkpoints(string experiment, ReadLimits? limits = null) => new(Temporary, experiment, limits);

    /// <summary>Announces this process's part of the run.</summary>
    /// <exception cref="RunFileException">It cannot be written down.</exception>
    public void Begin(RunSession session)
    {
        Sessions = [.. Sessions, session];
        SessionFile.Write(Temporary, Sessions);
    }
}

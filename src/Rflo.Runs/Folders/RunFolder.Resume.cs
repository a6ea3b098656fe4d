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
        string place = Placement.WritablePath(path);
        limits ??= ReadLimits.Default;
        Owner? other = null;
        if (Listing.IsFolder(Claim.FolderOf(place)) && TakeUpKilled(place, force, limits, out other) is { } killed)
            return killed;
        if (other is null && CheckpointFile.In(place).Length == 0)
        {
            string problem = Listing.IsThere(place) ? "has ended and left no checkpoint to go on from" : "there is no such run";
            throw new RunFileException(place, null, problem, "Name a run that was stopped, or start one without --resume.");
        }

        return other is null && TakeUpEnded(place, limits, out other) is { } ended ? ended : throw Placement.Busy(place, other!);
    }

    /// <summary>
    /// Begins a run folder, or takes up what a process that has ended left of it: <see cref="Create"/> and <see cref="Resume"/> in one,
    /// for whoever has many runs to see to.
    /// </summary>
    /// <param name="path">The run folder, as it will be named at its end. What lies there stays until the new one is complete.</param>
    /// <param name="anew">Leave the checkpoints of a run that has ended where they are, and begin with the first trial.</param>
    /// <param name="force">Take it over from a process of another machine, as <see cref="Resume"/> does.</param>
    /// <param name="limits">What the files may ask for; null for <see cref="ReadLimits.Default"/>.</param>
    /// <param name="replaceDamaged">Begin anew where what lies there is damaged; it is kept beside the place, as <c>NAME.damaged-1</c>.</param>
    /// <returns>Null where another process writes there.</returns>
    /// <exception cref="RunFileException">The place is not writable, or what lies there is damaged.</exception>
    public static RunFolder? TryBegin(string path, bool anew = false, bool force = false, ReadLimits? limits = null, bool replaceDamaged = false)
    {
        string place = Placement.WritablePath(path);
        limits ??= ReadLimits.Default;
        // What is replaced is deleted, and nothing of what is damaged is.
        if (replaceDamaged && Listing.IsThere(place) && !IsReadable(place, limits))
            Disk.Writing(place, () => Claim.SetAside(place, place));
        try
        {
            return TryBegin(place, anew, force, limits);
        }
        catch (RunFileException) when (replaceDamaged && Listing.IsFolder(Claim.FolderOf(place)))
        {
            if (Claim.TakeOver(place, force) is not null)
                return null;
            Disk.Writing(place, () => Claim.SetAside(Claim.FolderOf(place), place));
            return TryBegin(place, anew, force, limits);
        }
    }

    private static RunFolder? TryBegin(string place, bool anew, bool force, ReadLimits limits)
    {
        Owner? other = null;
        if (Listing.IsFolder(Claim.FolderOf(place)) && TakeUpKilled(place, force, limits, out other) is { } killed)
            return killed;
        if (other is not null)
            return null;
        if (!anew && CheckpointFile.In(place).Length > 0)
            return TakeUpEnded(place, limits, out _);
        // What is no run folder cannot be replaced at the end: better to know it at the beginning.
        Placement.CheckFree(place, force: true);
        return Placement.Prepare(place) is null ? new RunFolder(place, force: true) : null;
    }

    private static bool IsReadable(string place, ReadLimits limits)
    {
        try
        {
            return Open(place, limits).Manifest is not null;
        }
        catch (RunFileException)
        {
            return false;
        }
    }

    /// <summary>Takes the temporary folder that a killed process left.</summary>
    /// <returns>Null where another process has it, or where there is nothing in it to go on with.</returns>
    private static RunFolder? TakeUpKilled(string place, bool force, ReadLimits limits, out Owner? other)
    {
        RunFolder folder = new(place, force: true);
        Owner? before = Owner.Of(folder.Temporary);
        other = Claim.TakeOver(place, force);
        if (other is not null)
            return null;
        try
        {
            return GoOn(folder, limits);
        }
        catch (RunFileException)
        {
            // It is nobody's who lives, as it was.
            Disk.Writing(folder.Temporary, () => before?.Sign(folder.Temporary));
            throw;
        }
    }

    /// <summary>Goes on with a temporary folder that is ours.</summary>
    /// <returns>Null where there is nothing in it to go on with.</returns>
    private static RunFolder? GoOn(RunFolder folder, ReadLimits limits)
    {
        if (Listing.IsFile(folder.PathOf(RunFileNames.Manifest)))
        {
            Disk.Writing(folder.Place, () => Claim.Finish(folder.Temporary, folder.Place));
            return null;
        }

        folder.Sessions = SessionFile.Read(folder.Temporary, limits);
        if (folder.Sessions.Count == 0)
        {
            // It was killed before it began; what checkpoints there are were copied from the place.
            Claim.Remove(folder.Temporary);
            return null;
        }

        Disk.Writing(folder.Temporary, () => Claim.Tidy(folder.Temporary));
        return folder;
    }

    /// <summary>Begins the temporary folder of a run that has ended, with copies of its checkpoints.</summary>
    /// <returns>Null where another process has it.</returns>
    private static RunFolder? TakeUpEnded(string place, ReadLimits limits, out Owner? other)
    {
        other = Placement.Prepare(place);
        if (other is not null)
            return null;
        RunFolder folder = new(place, force: true) { _isCopy = true };
        try
        {
            RunManifest manifest = Open(place, limits).Manifest;
            foreach (string checkpoint in CheckpointFile.In(place))
            {
                using FileStream source = Disk.OpenRead(checkpoint);
                Disk.Write(folder.PathOf(Path.GetFileName(checkpoint)), source.CopyTo);
            }

            folder.CopySources(manifest);
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
        SystemCalls.SyncFolder(Temporary);
        _isCopy = false;
    }
}

namespace Rflo.Runs;

/// <content>Resumes runs that were stopped.</content>
public sealed partial class RunFolder
{
    /// <summary>The processes that worked on this run, in order; the current one is last, once <see cref="Begin"/> was called.</summary>
    public IReadOnlyList<RunSession> Sessions { get; private set; } = [];

    /// <summary>
    /// Resumes the run whose results are, or will be, in <paramref name="path"/>: one whose process was killed, with all that it had
    /// written, or one that ended before its last trial and left checkpoints. In the second case the folder is not changed until the
    /// new one is complete.
    /// </summary>
    /// <param name="path">The run folder, by its final name.</param>
    /// <param name="force">Take it over from a process of another machine, whose state cannot be determined here: the caller asserts that it has ended.</param>
    /// <param name="limits">The limits of the files; null for <see cref="ReadLimits.Default"/>.</param>
    /// <exception cref="RunFileException">There is nothing to resume from, or another process writes there.</exception>
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
    /// Begins a run folder, or resumes one that a process which has ended left: <see cref="Create"/> and <see cref="Resume"/> in one,
    /// for callers with many runs.
    /// </summary>
    /// <param name="path">The run folder, by its final name. A folder that is there stays until the new one is complete.</param>
    /// <param name="anew">Leave the checkpoints of a run that has ended where they are, and begin with the first trial.</param>
    /// <param name="force">Take it over from a process of another machine, as <see cref="Resume"/> does.</param>
    /// <param name="limits">The limits of the files; null for <see cref="ReadLimits.Default"/>.</param>
    /// <param name="replaceDamaged">Begin anew where the folder is damaged; it is kept beside the place, as <c>NAME.damaged-1</c>.</param>
    /// <returns>Null where another process writes there.</returns>
    /// <exception cref="RunFileException">The place is not writable, or the folder there is damaged.</exception>
    public static RunFolder? TryBegin(string path, bool anew = false, bool force = false, ReadLimits? limits = null, bool replaceDamaged = false)
    {
        string place = Placement.WritablePath(path);
        limits ??= ReadLimits.Default;
        // A replacement deletes the old folder; a damaged one is moved aside instead.
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
        // A folder that is no run folder cannot be replaced at the end, so it is refused at the beginning.
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

    /// <summary>Resumes from the temporary folder that a killed process left.</summary>
    /// <returns>Null where another process has it, or where there is nothing in it to resume from.</returns>
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
            // Restores the earlier owner, whose process has ended.
            Disk.Writing(folder.Temporary, () => before?.Sign(folder.Temporary));
            throw;
        }
    }

    /// <summary>Resumes from a temporary folder that this process owns.</summary>
    /// <returns>Null where there is nothing in it to resume from.</returns>
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
            // It was killed before it began; its checkpoints are copies of those at the place.
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
    /// <param name="limits">The limits of a checkpoint; null for <see cref="ReadLimits.Default"/>.</param>
    public Checkpoints Checkpoints(string experiment, ReadLimits? limits = null) => new(Temporary, experiment, limits);

    /// <summary>Adds this process's session to the list of sessions in the folder.</summary>
    /// <exception cref="RunFileException">The list cannot be written.</exception>
    public void Begin(RunSession session)
    {
        Sessions = [.. Sessions, session];
        SessionFile.Write(Temporary, Sessions);
        SystemCalls.SyncFolder(Temporary);
        _isCopy = false;
    }
}

namespace Rflo.Runs;

/// <content>Creates and opens run folders.</content>
public sealed partial class RunFolder
{
    /// <summary>Begins a run folder.</summary>
    /// <param name="path">Where it will lie; folders above it are made.</param>
    /// <param name="force">Replace the run folder that is there. It stays until the new one is complete.</param>
    /// <exception cref="RunFileException">
    /// Something is there and <paramref name="force"/> is false, or it is no run folder; another process writes there; or the place is not writable.
    /// </exception>
    public static RunFolder Create(string path, bool force = false)
    {
        string place = Placement.WritablePath(path);
        Placement.CheckFree(place, force);
        if (!force)
            CheckNotStopped(place);
        if (Placement.Prepare(place) is { } other)
            throw Placement.Taken(place, other);
        return Checked(new RunFolder(place, force));
    }

    /// <summary>Begins the run folder <c>parent/name-1</c>, or the one with the number after the largest that is there or being written.</summary>
    /// <remarks>Processes that call it at the same time get different numbers.</remarks>
    /// <param name="parent">Folder of run folders; made where it is missing.</param>
    /// <param name="name">Name without the number.</param>
    /// <exception cref="RunFileException">The place is not writable, or the name holds a path.</exception>
    public static RunFolder NextFree(string parent, string name)
    {
        for (int number = Placement.NextNumber(parent, name); ; number++)
        {
            string place = Placement.WritablePath(Path.Combine(parent, $"{name}-{number}"));
            if (Path.Exists(place) || MayBeStopped(place) || Placement.Prepare(place) is not null)
                continue;
            RunFolder folder = new(place, force: false);
            // Another process may have finished this very number in between.
            if (!Path.Exists(place))
                return folder;
            folder.Dispose();
        }
    }

    /// <summary>
    /// Begins a run folder for results that cannot be written to their place. It is in a new folder below the system's temporary one, which no
    /// other user can read, or, where that cannot be written, below the user's own.
    /// </summary>
    /// <param name="name">Name of the run.</param>
    /// <exception cref="RunFileException">Neither can be written.</exception>
    public static RunFolder Rescue(string name)
    {
        try
        {
            string parent = "";
            Disk.Writing(Path.GetTempPath(), () => parent = Directory.CreateTempSubdirectory("rflo-runs-").FullName);
            return NextFree(parent, name);
        }
        catch (RunFileException) when (Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home)
        {
            return NextFree(Path.Combine(home, "rflo-runs"), name);
        }
    }

    /// <summary>Opens a finished run folder for reading.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="limits">The limits of its files; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">There is none, or its manifest is damaged.</exception>
    public static SavedRun Open(string path, ReadLimits? limits = null) => new(path, limits ?? ReadLimits.Default);

    /// <summary>Full paths of the temporary folders in <paramref name="parent"/> whose processes have ended. One with a manifest is complete; the others may be deleted.</summary>
    /// <param name="parent">Folder of run folders.</param>
    /// <exception cref="RunFileException">It cannot be read.</exception>
    public static IReadOnlyList<string> Abandoned(string parent) => Claim.Abandoned(Placement.FullPath(parent)).ToArray();

    /// <summary>Refuses to replace a killed run that can be resumed, unless forced.</summary>
    private static void CheckNotStopped(string place)
    {
        if (IsStopped(place))
            throw new RunFileException(place, null, "was stopped before its end and can go on", "Go on with --resume instead of --out, or begin it anew with --force.");
    }

    private static bool IsStopped(string place)
    {
        string temporary = Claim.FolderOf(place);
        return CheckpointFile.In(temporary).Length > 0 && Claim.IsAbandoned(temporary);
    }

    /// <summary>Is there a run that can be resumed, or one that cannot be read?</summary>
    private static bool MayBeStopped(string place)
    {
        try
        {
            return IsStopped(place);
        }
        catch (RunFileException)
        {
            return true;
        }
    }

    /// <summary>Checks the place again: another process may have finished this folder before it was claimed.</summary>
    private static RunFolder Checked(RunFolder folder)
    {
        try
        {
            Placement.CheckFree(folder.Place, folder._force);
            return folder;
        }
        catch (RunFileException)
        {
            folder.Dispose();
            throw;
        }
    }
}

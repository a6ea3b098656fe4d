namespace Rflo.Runs;

/// <summary>
/// The temporary folder in which a run is written, beside its place: for <c>runs/p1</c> it is <c>runs/.p1.writing</c>. Its name follows from the
/// place. It is made by renaming a folder that is not empty, so only one of two processes succeeds, and the folder is also a lock of the place.
/// </summary>
internal static class Claim
{
    private const string Writing = ".writing";
    private const string TurnFile = ".turn";
    private const string Replaced = ".replaced";
    private const string Damaged = ".damaged";

    /// <summary>The temporary folder of a place.</summary>
    public static string FolderOf(string place) => Beside(place, Writing);

    /// <summary>Where the folder at a place is kept while another replaces it.</summary>
    public static string ReplacedOf(string place) => Beside(place, Replaced);

    /// <summary>Makes the temporary folder of a place.</summary>
    /// <returns>Null where it is made; else its owner, or an owner without a name where the owner cannot be read.</returns>
    /// <exception cref="IOException">The system refuses; <see cref="UnauthorizedAccessException"/> likewise.</exception>
    public static Owner? TryTake(string place)
    {
        string folder = FolderOf(place);
        ClearAbandoned(folder, place);
        string own = Unique(folder);
        try
        {
            Directory.CreateDirectory(own);
            Owner.Current().Sign(own);
            if (!Path.Exists(folder) && TryMove(own, folder))
                return null;
            return Owner.Of(folder) ?? Owner.Unknown;
        }
        finally
        {
            Remove(own);
        }
    }

    /// <summary>Makes this process the owner of a place's temporary folder that a process which has ended left, with its content.</summary>
    /// <param name="place">The place.</param>
    /// <param name="force">Take it also from a process of another machine or container, whose state cannot be determined here.</param>
    /// <returns>Null where this process owns it; else its owner.</returns>
    /// <exception cref="RunFileException">The system refuses.</exception>
    public static Owner? TakeOver(string place, bool force)
    {
        string folder = FolderOf(place);
        Owner? other = null;
        Disk.Writing(folder, () =>
        {
            // If two processes take over at once, the second waits and then reads the first as the owner.
            using FileStream turn = Turn(Path.Combine(folder, TurnFile));
            Owner? owner = Owner.Of(folder);
            bool isFree = owner is null || owner.IsDead() || (force && !owner.IsHere);
            if (isFree)
                Owner.Current().Sign(folder);
            else
                other = owner;
        });
        return other;
    }

    /// <summary>Deletes from a folder the unfinished files of a killed process.</summary>
    public static void Tidy(string folder)
    {
        Disk.Remove(Path.Combine(folder, TurnFile));
        foreach (string unfinished in Listing.Files(folder, $"*{Disk.Unfinished}").Concat(Listing.Files(folder, $"{Owner.FileName}-*")))
            Disk.Remove(unfinished);
    }

    /// <summary>
    /// Moves a complete folder, whose process was killed before it moved it, to its place; where something else is there,
    /// to the next free number beside it.
    /// </summary>
    public static void Finish(string complete, string place)
    {
        Disk.Remove(Path.Combine(complete, SessionFile.Name));
        Tidy(complete);
        if (!TryMove(complete, place))
        {
            Rescue(complete, place);
            return;
        }

        Settle(place);
        Owner.Unsign(place);
    }

    /// <summary>
    /// Finishes a replacement: the old folder is moved back where there is no new one; else the files in it that no run wrote are moved
    /// to the new one, and the rest of it is deleted.
    /// </summary>
    public static void Settle(string place)
    {
        string aside = ReplacedOf(place);
        if (!Directory.Exists(aside))
            return;
        if (!Path.Exists(place))
            TryMove(aside, place);
        else if (Directory.Exists(place) && OwnFiles.TryCarry(aside, place))
            Remove(aside);
    }

    /// <summary>Does this temporary folder belong to a process that has ended?</summary>
    public static bool IsAbandoned(string folder) => Owner.Of(folder)?.IsDead() ?? false;

    /// <summary>The temporary folders within <paramref name="parent"/> whose processes have ended.</summary>
    public static IEnumerable<string> Abandoned(string parent) =>
        Listing.Folders(parent, $".*{Writing}*").Where(IsAbandoned).Order(StringComparer.Ordinal);

    /// <summary>Deletes a folder, if it is there and can be deleted.</summary>
    public static void Remove(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be deleted is hidden and names its owner; the exception that led here matters more.
        }
    }

    /// <summary>Deletes the incomplete folder of a process that has ended. A complete one is moved to the next free number beside its place.</summary>
    private static void ClearAbandoned(string folder, string place)
    {
        if (!IsAbandoned(folder))
            return;
        // Moved first: between the check and the deletion another process may have done the same and begun anew.
        string aside = Unique(folder);
        if (!TryMove(folder, aside))
            return;
        if (!IsAbandoned(aside))
            TryMove(aside, folder);
        else if (File.Exists(Path.Combine(aside, RunFileNames.Manifest)))
            Rescue(aside, place);
        else
            Remove(aside);
    }

    /// <summary>Moves a folder that is damaged to the next free number beside its place.</summary>
    public static void SetAside(string damaged, string place)
    {
        int number = 1;
        while (!TryMove(damaged, $"{place}{Damaged}-{number}"))
            number++;
        Owner.Unsign($"{place}{Damaged}-{number}");
    }

    private static void Rescue(string complete, string place)
    {
        int number = 1;
        while (!TryMove(complete, $"{place}-{number}"))
            number++;
        Owner.Unsign($"{place}-{number}");
    }

    /// <summary>A file that one process at a time has open; the system closes it when the process ends, however it ends.</summary>
    private static FileStream Turn(string path)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (attempt < 100)
            {
                Thread.Sleep(20);
            }
        }
    }

    private static bool TryMove(string from, string to)
    {
        try
        {
            Directory.Move(from, to);
            return true;
        }
        catch (IOException) when (Path.Exists(to) || !Path.Exists(from))
        {
            return false;
        }
    }

    private static string Unique(string folder) => $"{folder}-{Environment.ProcessId}-{Guid.NewGuid():n}";

    private static string Beside(string place, string ending) =>
        Path.Combine(Path.GetDirectoryName(place)!, $".{Path.GetFileName(place)}{ending}");
}

using System.Globalization;
using System.Text;

namespace Rflo.Runs;

/// <summary>Places run folders, without overwriting existing files.</summary>
internal static class Placement
{
    /// <summary>Most bytes of a name: file systems take 255, and the folders beside it have some 50 more than it.</summary>
    private const int LongestName = 200;

    /// <summary>The full path of a run folder.</summary>
    /// <exception cref="RunFileException">It names no folder.</exception>
    public static string FullPath(string path)
    {
        string full = path.Trim() == "" || path.Contains('\0') ? "" : Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return full != "" && Path.GetFileName(full) != ""
            ? full
            : throw new RunFileException($"'{Printable.Text(path)}'", null, "is no name for a run folder", "Give it a name, such as runs/p1.");
    }

    /// <summary>The full path of a run folder that is to be written, whose name must leave room for those of the folders beside it.</summary>
    /// <exception cref="RunFileException">It names no folder, or its name is too long.</exception>
    public static string WritablePath(string path)
    {
        string full = FullPath(path);
        int bytes = Encoding.UTF8.GetByteCount(Path.GetFileName(full));
        return bytes <= LongestName
            ? full
            : throw new RunFileException(full, null, $"has a name of {bytes} bytes; a run folder's has {LongestName} at most", "Give it a shorter name with --out.");
    }

    /// <summary>Is this name reserved for a file of the library?</summary>
    public static bool IsReserved(string name) =>
        name is RunFileNames.Manifest or RunFileNames.Metrics or RunFileNames.Weights or RunFileNames.Activity or RunFileNames.Picture or RunFileNames.Report or Owner.FileName
            or SessionFile.Name || CheckpointFile.IsName(name);

    /// <summary>Makes the folders above a place and its temporary folder.</summary>
    /// <returns>The other process that writes there; null where there is none.</returns>
    /// <exception cref="RunFileException">The place is not writable.</exception>
    public static Owner? Prepare(string place)
    {
        Owner? other = null;
        Disk.Writing(place, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            other = Claim.TryTake(place);
            // A process that was killed during a replacement may have left the old folder aside.
            if (other is null)
                Claim.Settle(place);
        });
        return other;
    }

    /// <summary>Checks that a place is free, or has a folder that may be replaced.</summary>
    /// <exception cref="RunFileException">It is not free.</exception>
    public static void CheckFree(string place, bool force)
    {
        if (!Listing.IsThere(place))
            return;
        if (!force)
            throw new RunFileException(place, null, "is there already", "Choose another name, or replace it with --force.");
        // Replacing a folder deletes the files that a run wrote into it.
        if (!Listing.IsFolder(place) || !IsRunFolder(place))
            throw new RunFileException(place, null, "is no run folder, so it is not replaced", "Choose another name, or delete it yourself.");
    }

    /// <summary>The exception for a place where another process writes.</summary>
    public static RunFileException Taken(string place, Owner other)
    {
        string where = other.Host == Environment.MachineName && !other.IsHere ? " (in another container)" : "";
        string who = other.Host == "" ? "another process" : $"process {other.Process} on {Printable.Text(other.Host)}{where}";
        return new RunFileException(place, null, $"is being written by {who}", $"Choose another name; if no process writes it, delete {Claim.FolderOf(place)}.");
    }

    /// <summary>The exception for a run that cannot be resumed, since another process may be writing it.</summary>
    public static RunFileException Busy(string place, Owner other)
    {
        string remedy = other.IsHere
            ? "Wait for its end, or end it."
            : "Wait for its end; if you know that it has ended, take the run over with --force.";
        return new RunFileException(place, null, Taken(place, other).Problem, remedy);
    }

    /// <summary>The number after the largest that a run folder of this name has, finished or being written.</summary>
    /// <exception cref="RunFileException">The parent cannot be read, or the name holds a path.</exception>
    public static int NextNumber(string parent, string name)
    {
        if (name == "" || Path.GetFileName(name) != name)
            throw new RunFileException($"'{Printable.Text(name)}'", null, "is no name for a run folder", "Leave out the path.");
        string full = FullPath(parent);
        return 1 + (Listing.Entries(full).Max(entry => (int?)Number(Path.GetFileName(entry), name)) ?? 0);
    }

    /// <summary>Moves a complete folder to its place; what is there is deleted last.</summary>
    /// <exception cref="RunFileException">The place was taken meanwhile; the complete folder stays where it is.</exception>
    public static void MoveIn(string complete, string place, bool force)
    {
        try
        {
            CheckFree(place, force);
            Disk.Writing(place, () => Swap(complete, place));
        }
        catch (RunFileException e)
        {
            throw new RunFileException(place, null, e.Problem, $"The results are complete and lie in {complete}: move them where you want them.", e);
        }
    }

    private static void Swap(string complete, string place)
    {
        Claim.Settle(place);
        string aside = Claim.ReplacedOf(place);
        bool replaces = Directory.Exists(place);
        if (replaces)
            Directory.Move(place, aside);
        try
        {
            Directory.Move(complete, place);
        }
        catch (Exception) when (replaces && !Path.Exists(place))
        {
            Directory.Move(aside, place);
            throw;
        }

        SystemCalls.SyncFolder(Path.GetDirectoryName(place)!);
        Claim.Settle(place);
        Owner.Unsign(place);
    }

    private static bool IsRunFolder(string place) =>
        Listing.IsFile(Path.Combine(place, RunFileNames.Manifest)) || Listing.Entries(place).Length == 0;

    private static int Number(string entry, string name)
    {
        string rest = entry.StartsWith(name + "-", StringComparison.Ordinal) ? entry[(name.Length + 1)..] : "";
        return int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < int.MaxValue - 1 ? number : 0;
    }
}

namespace Rflo.Runs;

/// <summary>Lists files and folders. An absent path gives false or an empty list; a path that the system refuses to read gives an exception.</summary>
internal static class Listing
{
    private static readonly EnumerationOptions _all = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>Is there a folder?</summary>
    /// <exception cref="RunFileException">The system refuses access.</exception>
    public static bool IsFolder(string path) => Look(path) is { } found && found.HasFlag(FileAttributes.Directory);

    /// <summary>Is there a file, a pipe or a device?</summary>
    /// <exception cref="RunFileException">The system refuses access.</exception>
    public static bool IsFile(string path) => Look(path) is { } found && !found.HasFlag(FileAttributes.Directory);

    /// <summary>Is there anything, a symbolic link that leads nowhere included?</summary>
    /// <exception cref="RunFileException">The system refuses access.</exception>
    public static bool IsThere(string path) => Look(path) is not null;

    /// <summary>Full paths of the files of a folder; none where it is not there, or no longer.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">The pattern of their names.</param>
    /// <exception cref="RunFileException">It cannot be listed.</exception>
    public static string[] Files(string folder, string pattern) => List(folder, () => Directory.GetFiles(folder, pattern, _all));

    /// <summary>Full paths of the folders of a folder; none where it is not there, or no longer.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="pattern">The pattern of their names.</param>
    /// <exception cref="RunFileException">It cannot be listed.</exception>
    public static string[] Folders(string folder, string pattern) => List(folder, () => Directory.GetDirectories(folder, pattern, _all));

    /// <summary>Full paths of everything in a folder; none where it is not there, or no longer.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="RunFileException">It cannot be listed.</exception>
    public static string[] Entries(string folder) => List(folder, () => Directory.GetFileSystemEntries(folder, "*", _all));

    private static FileAttributes? Look(string path)
    {
        try
        {
            return File.GetAttributes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (Disk.IsSystem(e))
        {
            throw Refused(path, "cannot be accessed", e);
        }
    }

    private static string[] List(string folder, Func<string[]> list)
    {
        try
        {
            // A check before the listing would not help: the process that writes the folder may move it in between.
            return list();
        }
        catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (Disk.IsSystem(e))
        {
            throw Refused(folder, "cannot be listed", e);
        }
    }

    private static RunFileException Refused(string path, string problem, Exception e) =>
        new(path, null, $"{problem} ({e.Message.TrimEnd('.')})", "Check the path and its permissions.", e);
}

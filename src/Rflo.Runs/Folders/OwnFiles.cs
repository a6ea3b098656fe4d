namespace Rflo.Runs;

/// <summary>The files of a run folder that the run wrote, by its manifest. All others are the user's and are kept when the folder is replaced.</summary>
internal static class OwnFiles
{
    /// <summary>Moves the files that no run wrote from one folder into another; a file whose name is taken there gets the next free one, <c>notes-1.txt</c>.</summary>
    /// <returns>False where the system refuses to move one of them.</returns>
    public static bool TryCarry(string from, string to)
    {
        try
        {
            return TryCarry(from, to, "", NamesOf(from));
        }
        catch (RunFileException)
        {
            return false;
        }
    }

    private static bool TryCarry(string from, string to, string below, HashSet<string> own)
    {
        bool all = true;
        foreach (string path in Listing.Entries(Path.Combine(from, below)))
        {
            string name = Path.Combine(below, Path.GetFileName(path));
            if (own.Contains(name) || (below == "" && IsAlwaysOwn(name)))
                continue;
            bool isFolder = Directory.Exists(path) && new DirectoryInfo(path).LinkTarget is null;
            bool holdsOwn = own.Any(one => one.StartsWith(name + Path.DirectorySeparatorChar, StringComparison.Ordinal));
            all &= isFolder && (holdsOwn || Directory.Exists(Path.Combine(to, name)))
                ? TryCarry(from, to, name, own)
                : TryMove(path, to, name);
        }

        return all;
    }

    private static bool TryMove(string path, string to, string name)
    {
        try
        {
            string target = Path.Combine(to, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            string stem = Path.Combine(Path.GetDirectoryName(target)!, Path.GetFileNameWithoutExtension(target));
            for (int number = 1; Path.Exists(target); number++)
                target = $"{stem}-{number}{Path.GetExtension(name)}";
            // A folder, or a link to one: renamed as it is.
            if (Directory.Exists(path))
                Directory.Move(path, target);
            else
                File.Move(path, target);
            return true;
        }
        catch (Exception e) when (Disk.IsSystem(e))
        {
            // Another process that settles the same replacement may have moved it.
            return !Path.Exists(path);
        }
    }

    /// <summary>The names that a run's manifest lists, with those of folders between.</summary>
    private static HashSet<string> NamesOf(string folder)
    {
        try
        {
            RunManifest manifest = ManifestFile.Read(Path.Combine(folder, RunFileNames.Manifest), ReadLimits.Default);
            IEnumerable<string?> names = [.. manifest.Files.Select(file => file.Name), manifest.Script];
            return [.. names.OfType<string>().Select(name => name.Replace('/', Path.DirectorySeparatorChar))];
        }
        catch (RunFileException)
        {
            // A damaged manifest lists no files: every file may be the user's and is kept.
            return [];
        }
    }

    private static bool IsAlwaysOwn(string name) =>
        Placement.IsReserved(name.EndsWith(Disk.Unfinished, StringComparison.Ordinal) ? name[..^Disk.Unfinished.Length] : name);
}

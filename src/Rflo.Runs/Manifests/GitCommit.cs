namespace Rflo.Runs;

/// <summary>Finds the commit that a script belongs to. Git itself is not run: it need not be installed, and it would read the repository's settings.</summary>
public static class GitCommit
{
    private const int LongestLine = 4096;

    /// <summary>The commit that is checked out where a file lies, as 40 or 64 hexadecimal digits; null outside of a repository or before its first commit.</summary>
    /// <remarks>Changes that are not committed do not show in it.</remarks>
    /// <param name="path">Path of a file or folder, such as the script's.</param>
    public static string? Find(string path)
    {
        try
        {
            for (string? folder = Path.GetFullPath(path); folder is not null; folder = Path.GetDirectoryName(folder))
            {
                string git = Path.Combine(folder, ".git");
                if (Directory.Exists(git))
                    return Head(git);
                // A worktree or a submodule has a file with the path of its folder.
                if (File.Exists(git))
                    return FirstLine(git) is ['g', 'i', 't', 'd', 'i', 'r', ':', ' ', .. var elsewhere] ? Head(Path.Combine(folder, elsewhere)) : null;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // A run must not fail because its commit cannot be read.
        }

        return null;
    }

    private static string? Head(string git)
    {
        string head = FirstLine(Path.Combine(git, "HEAD")) ?? "";
        if (head is not ['r', 'e', 'f', ':', ' ', .. var reference])
            return Hash(head);
        if (reference.Contains("..", StringComparison.Ordinal) || !reference.StartsWith("refs/", StringComparison.Ordinal))
            return null;
        // The branches of a worktree lie in the repository that it was made from.
        string common = FirstLine(Path.Combine(git, "commondir")) is { } elsewhere ? Path.Combine(git, elsewhere) : git;
        return Hash(FirstLine(Path.Combine(common, reference)) ?? Packed(Path.Combine(common, "packed-refs"), reference));
    }

    private static string? Packed(string file, string reference) =>
        File.Exists(file) && !SystemCalls.IsSpecial(file)
            ? File.ReadLines(file).FirstOrDefault(line => line.EndsWith(' ' + reference, StringComparison.Ordinal))?.Split(' ')[0]
            : null;

    private static string? FirstLine(string file)
    {
        if (!File.Exists(file) || SystemCalls.IsSpecial(file))
            return null;
        using StreamReader text = new(file);
        char[] start = new char[LongestLine];
        int length = text.ReadBlock(start);
        return new string(start, 0, length).Split('\n')[0].Trim();
    }

    private static string? Hash(string? text) => text is { Length: 40 or 64 } && text.All(char.IsAsciiHexDigit) ? text : null;
}

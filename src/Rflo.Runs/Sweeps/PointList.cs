using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Rflo.Runs;

/// <summary>points.txt: a name a line, and a last line with their number and a hash of all lines before, so that a truncated list is detected.</summary>
internal static class PointList
{
    public const string Name = "points.txt";

    private const string Mark = "# ";
    private const int ShortestId = 3, LongestId = 64;

    /// <summary>Is this an allowed name of a point? Others are refused, since names become paths.</summary>
    public static bool IsId(string id) => id.Length is >= ShortestId and <= LongestId && id.All(char.IsAsciiHexDigitLower);

    /// <summary>The text of the file.</summary>
    public static string Text(IEnumerable<string> ids)
    {
        string[] all = [.. ids];
        string lines = string.Concat(all.Select(id => id + "\n"));
        return $"{lines}{LastLine(all.Length, Encoding.UTF8.GetBytes(lines))}\n";
    }

    /// <summary>Reads the file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="points">Points that the sweep has; decides about a list without a last line, from an older version.</param>
    /// <param name="limits">The limits of the file.</param>
    /// <exception cref="RunFileException">It cannot be read, or is not as it was written.</exception>
    public static string[] Read(string path, int points, ReadLimits limits)
    {
        byte[] bytes = Disk.ReadAll(path, limits.MaxTotalBytes);
        string[] lines = Encoding.UTF8.GetString(bytes).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string? last = lines is [.., var end] && end.StartsWith(Mark, StringComparison.Ordinal) ? end : null;
        string[] ids = last is null ? lines : lines[..^1];
        int wrong = Array.FindIndex(ids, id => !IsId(id));
        if (wrong >= 0)
            throw Damaged(path, $"line {wrong + 1} is no name of a point");
        if (bytes.Length > 0 && bytes[^1] != (byte)'\n')
            throw Damaged(path, "its last line is cut off");
        if (last is null && ids.Length != points)
            throw Damaged(path, $"it names {ids.Length} points, and {SweepFile.Name} has {points}");
        // The last line and the ends of it are ASCII.
        if (last is not null && last != LastLine(ids.Length, bytes.AsSpan(0, Math.Max(0, bytes.Length - last.Length - 1))))
            throw Damaged(path, "its last line does not fit those before");
        return ids;
    }

    private static string LastLine(int count, ReadOnlySpan<byte> lines) =>
        string.Create(CultureInfo.InvariantCulture, $"{Mark}{count} points, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(lines))}");

    private static RunFileException Damaged(string path, string how) =>
        new(path, null, $"is no list of points as it was written: {how}", "Give the command of the sweep again: it writes the list anew, and runs nothing twice.");
}

using System.Globalization;

namespace Rflo.Runs;

/// <summary>
/// The processes that this one can see, as Linux counts them. A number means a process only within one start of the machine and one
/// namespace of process numbers (a container has its own); and the time of a process's start is counted in ticks since the machine's, which no
/// setting of the clock moves.
/// </summary>
internal static class ProcessTable
{
    private const int LongestFile = 4096;

    /// <summary>Where the start stands behind the name of the program.</summary>
    private const int StartField = 19;

    /// <summary>The current start of the machine; empty where it cannot be known.</summary>
    public static string Boot { get; } = FirstLine("/proc/sys/kernel/random/boot_id");

    /// <summary>The namespace of this process's number, such as <c>pid:[4026531836]</c>; empty where it cannot be known.</summary>
    public static string Namespace { get; } = SeesItself() ? LinkOf("/proc/self/ns/pid") : "";

    /// <summary>When a process began, in ticks since the start of the machine; null where there is none, or it cannot be known.</summary>
    public static long? StartOf(int process)
    {
        string stat = FirstLine($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
        // A program may be called anything, ") " too.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > StartField && long.TryParse(fields[StartField], NumberStyles.None, CultureInfo.InvariantCulture, out long ticks) ? ticks : null;
    }

    /// <summary>A container may show the processes of another namespace: then the numbers there are not ours.</summary>
    private static bool SeesItself() =>
        FirstLine("/proc/self/stat").StartsWith(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} ("), StringComparison.Ordinal);

    private static string LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget ?? "";
        }
        catch (Exception e) when (Disk.IsSystem(e))
        {
            return "";
        }
    }

    private static string FirstLine(string path)
    {
        try
        {
            using StreamReader text = new(path);
            char[] start = new char[LongestFile];
            int length = text.ReadBlock(start);
            return new string(start, 0, length).Split('\n')[0].Trim();
        }
        catch (Exception e) when (Disk.IsSystem(e))
        {
            return "";
        }
    }
}

using System.Globalization;

namespace Rflo.Runs;

/// <summary>
/// The processes that are visible to this one under Linux. A number identifies a process only within one boot of the machine and one
/// namespace of process numbers (a container has its own). The start of a process is counted in ticks since the boot, which
/// setting the clock does not change.
/// </summary>
internal static class ProcessTable
{
    private const int LongestFile = 4096;

    /// <summary>The field of the start time, counted after the name of the program.</summary>
    private const int StartField = 19;

    /// <summary>The current boot of the machine; empty where it cannot be read.</summary>
    public static string Boot { get; } = FirstLine("/proc/sys/kernel/random/boot_id");

    /// <summary>The namespace of this process's number, such as <c>pid:[4026531836]</c>; empty where it cannot be read.</summary>
    public static string Namespace { get; } = SeesItself() ? LinkOf("/proc/self/ns/pid") : "";

    /// <summary>When a process began, in ticks since the start of the machine; null where there is none, or it cannot be read.</summary>
    public static long? StartOf(int process)
    {
        string stat = FirstLine($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
        // The name of a program may contain any characters, ") " too.
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > StartField && long.TryParse(fields[StartField], NumberStyles.None, CultureInfo.InvariantCulture, out long ticks) ? ticks : null;
    }

    /// <summary>A container may list the processes of another namespace: its numbers are then not comparable with this process's number.</summary>
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

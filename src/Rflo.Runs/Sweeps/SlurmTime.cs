using System.Globalization;

namespace Rflo.Runs;

/// <summary>A time limit as Slurm writes it.</summary>
internal static class SlurmTime
{
    private const int Minute = 60, Hour = 60 * Minute, Day = 24 * Hour;

    /// <summary>
    /// Seconds of <c>minutes</c>, <c>minutes:seconds</c>, <c>hours:minutes:seconds</c>, <c>days-hours</c>, <c>days-hours:minutes</c> or
    /// <c>days-hours:minutes:seconds</c>; null for anything else, such as <c>UNLIMITED</c>.
    /// </summary>
    public static long? Seconds(string text)
    {
        string[] days = text.Split('-');
        int[]? parts = Numbers(days[^1].Split(':'));
        if (days.Length > 2 || parts is not { Length: >= 1 and <= 3 })
            return null;
        if (days.Length == 2)
            return Numbers(days[..1]) is [int count] ? ((long)count * Day) + Sum(parts, Hour, Minute, 1) : null;
        return parts.Length == 3 ? Sum(parts, Hour, Minute, 1) : Sum(parts, Minute, 1);
    }

    private static long Sum(int[] parts, params ReadOnlySpan<int> units)
    {
        long seconds = 0;
        for (int k = 0; k < parts.Length; k++)
            seconds += (long)parts[k] * units[k];
        return seconds;
    }

    private static int[]? Numbers(string[] words)
    {
        int[] numbers = new int[words.Length];
        for (int k = 0; k < words.Length; k++)
            if (!int.TryParse(words[k], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[k]))
                return null;
        return numbers;
    }
}

namespace Rflo.Analysis;

/// <summary>The known name that is nearest to a wrong one.</summary>
internal static class NearestName
{
    /// <summary>"Did you mean NAME? ", or nothing where no known name is near.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        int far = Math.Max(2, name.Length / 2);
        string? nearest = known
            .Select(candidate => (Edits: IsBeginning(name, candidate) ? 1 : Edits(name.ToLowerInvariant(), candidate.ToLowerInvariant()), candidate))
            .Where(one => one.Edits <= far)
            .OrderBy(one => one.Edits)
            .Select(one => one.candidate)
            .FirstOrDefault();
        return nearest is null ? "" : $"Did you mean {nearest}? ";
    }

    /// <summary>Whether the name is the beginning of another, as go_cue is of go_cue_time.</summary>
    private static bool IsBeginning(string name, string candidate) => name.Length > 1 && candidate.StartsWith(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Letters to insert, delete or replace between two words (Levenshtein).</summary>
    internal static int Edits(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[b.Length];
    }
}

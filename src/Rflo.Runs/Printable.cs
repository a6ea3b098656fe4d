using System.Text;

namespace Rflo.Runs;

/// <summary>Text of unknown origin, made fit for a message on a terminal.</summary>
internal static class Printable
{
    private const int Longest = 120;

    /// <summary>The text with control characters replaced by <c>?</c> and its end cut off where it is long.</summary>
    public static string Text(string text)
    {
        StringBuilder printable = new();
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, Longest)))
            printable.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return text.Length > Longest ? printable.Append("...").ToString() : printable.ToString();
    }
}

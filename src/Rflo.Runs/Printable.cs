using System.Globalization;
using System.Text;

namespace Rflo.Runs;

/// <summary>Text of unknown origin, made fit for a message on a terminal.</summary>
public static class Printable
{
    private const int Longest = 120;

    /// <summary>The text with control characters replaced by <c>?</c> and its end cut off where it is long.</summary>
    public static string Text(string text) => text.Length > Longest ? Line(text[..Longest]) + "..." : Line(text);

    /// <summary>All of the text, with control characters replaced by <c>?</c>: an escape sequence in it does nothing.</summary>
    public static string Line(string text)
    {
        StringBuilder printable = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            printable.Append(Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? new Rune('?') : rune);
        return printable.ToString();
    }
}

using System.Text;

namespace Rflo.Runs;

/// <summary>Lines of a comma-separated file as RFC 4180 has them; a line may end in <c>\n</c> or <c>\r\n</c>.</summary>
internal static class Csv
{
    /// <summary>Longest field that is read; no number and no sensible name is longer.</summary>
    public const int LongestField = 4096;

    /// <summary>The field, in quotation marks where it holds a comma, a quotation mark or the end of a line.</summary>
    public static string Quote(string field) =>
        field.AsSpan().IndexOfAny(",\"\r\n") < 0 ? field : $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Reads the fields of the next line.</summary>
    /// <param name="text">Where the line begins.</param>
    /// <param name="fields">Cleared, and filled with them.</param>
    /// <returns>False at the end of the text.</returns>
    /// <exception cref="FormatException">A quotation mark is out of place, or a field is too long.</exception>
    public static bool ReadLine(TextReader text, List<string> fields)
    {
        fields.Clear();
        if (text.Peek() < 0)
            return false;
        StringBuilder field = new();
        while (true)
        {
            field.Clear();
            if (text.Peek() == '"')
                ReadQuoted(text, field);
            else
                ReadPlain(text, field);
            fields.Add(field.ToString());
            switch (text.Read())
            {
                case ',':
                    continue;
                case '\r' when text.Read() != '\n':
                    throw new FormatException("a carriage return stands alone");
                case '\r' or '\n':
                    return true;
                case < 0:
                    throw new FormatException("the last line is cut off");
                default:
                    throw new FormatException("text follows a closing quotation mark");
            }
        }
    }

    private static void ReadPlain(TextReader text, StringBuilder field)
    {
        while (text.Peek() is not (-1 or ',' or '\r' or '\n'))
        {
            if (text.Peek() == '"')
                throw new FormatException("a quotation mark stands within a field");
            Add(field, text.Read());
        }
    }

    private static void ReadQuoted(TextReader text, StringBuilder field)
    {
        text.Read();
        while (true)
        {
            int c = text.Read();
            if (c < 0)
                throw new FormatException("a quotation mark is never closed");
            if (c == '"')
            {
                if (text.Peek() != '"')
                    return;
                text.Read();
            }

            Add(field, c);
        }
    }

    private static void Add(StringBuilder field, int c)
    {
        if (field.Length == LongestField)
            throw new FormatException($"a field is longer than {LongestField} characters");
        field.Append((char)c);
    }
}

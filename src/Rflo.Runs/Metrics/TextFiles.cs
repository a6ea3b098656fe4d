namespace Rflo.Runs;

/// <summary>Pages, pictures and tables that are made of results: each whole, or not there.</summary>
public static class TextFiles
{
    /// <summary>Writes a text, UTF-8; folders above it are made, and a file of that name is replaced.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="text">Its content.</param>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, string text) => Write(path, writer => writer.Write(text));

    /// <summary>Writes a table as comma-separated text (RFC 4180), lines ending in <c>\n</c>; folders above it are made, and a file of that name is replaced.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="heads">Names of the columns.</param>
    /// <param name="rows">A field for each column.</param>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void WriteCsv(string path, IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows) =>
        Write(path, writer => WriteCsv(writer, heads, rows));

    /// <summary>As <see cref="WriteCsv(string, IReadOnlyList{string}, IEnumerable{IReadOnlyList{string}})"/>, into a text that is open.</summary>
    /// <param name="text">Where it goes.</param>
    /// <param name="heads">Names of the columns.</param>
    /// <param name="rows">A field for each column.</param>
    /// <exception cref="ArgumentException">A row has more or fewer fields than there are columns.</exception>
    public static void WriteCsv(TextWriter text, IReadOnlyList<string> heads, IEnumerable<IReadOnlyList<string>> rows)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(heads);
        foreach (IReadOnlyList<string> fields in rows.Prepend(heads))
        {
            if (fields.Count != heads.Count)
                throw new ArgumentException($"A row of {fields.Count} fields does not fit {heads.Count} columns.", nameof(rows));
            text.Write(string.Join(',', fields.Select(Csv.Quote)) + "\n");
        }
    }

    private static void Write(string path, Action<TextWriter> write)
    {
        string full = Path.GetFullPath(path);
        Disk.Writing(full, () => Directory.CreateDirectory(Path.GetDirectoryName(full)!));
        Disk.Write(full, stream =>
        {
            using StreamWriter text = new(stream, leaveOpen: true);
            write(text);
        });
    }
}

using System.Globalization;
using System.Text;

namespace Rflo.Runs;

/// <summary>The numbers of a metrics.csv, by column.</summary>
public sealed class MetricsTable
{
    private readonly string _path;
    private readonly List<double>[] _values;

    private MetricsTable(string path, string[] columns)
    {
        _path = path;
        Columns = columns;
        _values = [.. columns.Select(_ => new List<double>())];
    }

    /// <summary>The names of the columns, in the file's order.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Number of rows.</summary>
    public int Rows => _values[0].Count;

    /// <summary>One column, from the first row to the last, NaN where a field is empty; an array of its own.</summary>
    /// <param name="name">Name of the column.</param>
    /// <exception cref="RunFileException">There is no such column.</exception>
    public double[] Column(string name)
    {
        for (int column = 0; column < Columns.Count; column++)
        {
            if (Columns[column] == name)
                return [.. _values[column]];
        }

        throw new RunFileException(_path, name, "there is no such column", $"It has: {Printable.Text(string.Join(", ", Columns))}.");
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">It is missing, damaged, or too large.</exception>
    public static MetricsTable Read(string path, ReadLimits? limits = null)
    {
        long most = (limits ?? ReadLimits.Default).MaxTotalBytes / sizeof(double);
        using FileStream stream = Disk.OpenRead(path);
        using StreamReader text = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        long line = 1;
        try
        {
            List<string> fields = [];
            MetricsTable table = new(path, Header(Csv.ReadLine(text, fields) ? fields : []));
            for (line = 2; Csv.ReadLine(text, fields); line++)
            {
                if ((line - 1) * fields.Count > most)
                    throw new FormatException($"it holds more than {most} numbers, the limit");
                table.Add(fields);
            }

            return table;
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException or IOException)
        {
            throw new RunFileException(path, null, $"is no table of numbers: line {line}: {e.Message}", "Copy the file again from where it was made.", e);
        }
    }

    /// <summary>Reads the names of a file's columns.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="RunFileException">It is missing or damaged.</exception>
    public static IReadOnlyList<string> ReadHeader(string path)
    {
        using FileStream stream = Disk.OpenRead(path);
        using StreamReader text = new(stream, new UTF8Encoding(false, throwOnInvalidBytes: true));
        try
        {
            List<string> fields = [];
            return Header(Csv.ReadLine(text, fields) ? fields : []);
        }
        catch (Exception e) when (e is FormatException or DecoderFallbackException or IOException)
        {
            throw new RunFileException(path, null, $"is no table of numbers: line 1: {e.Message}", "Copy the file again from where it was made.", e);
        }
    }

    private static string[] Header(List<string> fields)
    {
        if (fields.Count == 0)
            throw new FormatException("there are no names of columns");
        if (fields.Contains("") || fields.Distinct().Count() < fields.Count)
            throw new FormatException("two columns have one name, or one has none");
        return [.. fields];
    }

    private void Add(List<string> fields)
    {
        if (fields.Count != Columns.Count)
            throw new FormatException($"it has {fields.Count} fields; there are {Columns.Count} columns");
        for (int column = 0; column < fields.Count; column++)
        {
            double value = double.NaN;
            if (fields[column].Length > 0 && !double.TryParse(fields[column], NumberStyles.Float, CultureInfo.InvariantCulture, out value))
                throw new FormatException($"'{Printable.Text(fields[column])}' in column '{Printable.Text(Columns[column])}' is no number");
            _values[column].Add(value);
        }
    }
}

using System.Globalization;

namespace Rflo.Runs;

/// <summary>
/// Writes metrics.csv row by row during a run: one line of names, then numbers in the invariant culture that read back to the same bits
/// (<c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> as such); fields are quoted where RFC 4180 requires it, lines end in <c>\n</c>.
/// </summary>
public sealed class MetricsWriter : IDisposable
{
    private const int BufferBytes = 1 << 16;
    private readonly string _path;
    private readonly int _columns;
    private FileStream? _file;
    private StreamWriter? _text;

    internal MetricsWriter(string path, IReadOnlyList<string> columns)
    {
        _path = path;
        _columns = columns.Count;
        Disk.Writing(path, () =>
        {
            // A file with its final name is complete.
            _file = new FileStream(path + Disk.Unfinished, FileMode.Create, FileAccess.Write, FileShare.Read, BufferBytes);
            _text = new StreamWriter(_file);
            _text.Write(string.Join(',', columns.Select(Csv.Quote)) + "\n");
        });
    }

    /// <summary>Adds a row.</summary>
    /// <param name="values">One number for each column, in their order.</param>
    /// <exception cref="ArgumentException">There are more or fewer numbers than columns.</exception>
    /// <exception cref="RunFileException">The file cannot be written, for instance because the disk is full.</exception>
    public void Append(params double[] values) => Append(Array.ConvertAll(values, value => (double?)value));

    /// <summary>Adds a row of which some numbers were not measured: their fields are empty.</summary>
    /// <param name="values">One number for each column, in their order; null where there is none.</param>
    /// <exception cref="ArgumentException">There are more or fewer numbers than columns.</exception>
    /// <exception cref="RunFileException">The file cannot be written, for instance because the disk is full.</exception>
    public void Append(double?[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (values.Length != _columns)
            throw new ArgumentException($"A row of {values.Length} numbers does not fit {_columns} columns.", nameof(values));
        ObjectDisposedException.ThrowIf(_text is null, this);
        Span<char> number = stackalloc char[32];
        try
        {
            for (int column = 0; column < values.Length; column++)
            {
                if (column > 0)
                    _text.Write(',');
                if (values[column] is not { } value)
                    continue;
                value.TryFormat(number, out int length, "R", CultureInfo.InvariantCulture);
                _text.Write(number[..length]);
            }

            _text.Write('\n');
        }
        catch (IOException e)
        {
            throw Disk.NotWritten(_path, e);
        }
    }

    /// <summary>Writes what is still in memory to the disk, closes the file and gives it its name, metrics.csv.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public void Finish()
    {
        if (_text is null)
            return;
        Disk.Writing(_path, () =>
        {
            _text.Flush();
            _file!.Flush(flushToDisk: true);
            _text.Dispose();
            _text = null;
            File.Move(_path + Disk.Unfinished, _path, overwrite: true);
        });
    }

    /// <summary>Closes the file; an unfinished one is deleted.</summary>
    public void Dispose()
    {
        if (_text is not { } text)
            return;
        _text = null;
        try
        {
            text.Dispose();
        }
        catch (IOException)
        {
            // Finish reports a full disk; here the file is discarded.
        }

        Disk.Remove(_path + Disk.Unfinished);
    }
}

namespace Rflo.Analysis;

/// <summary>A table of a recording, such as its trials: columns of numbers or of texts, by name.</summary>
public sealed class NwbTable
{
    private const string IndexEnding = "_index";
    private readonly string _file;
    private readonly string _place;
    private readonly NwbColumn[] _columns;

    private NwbTable(string file, string place, long[] ids, NwbColumn[] columns, string[] unread)
    {
        (_file, _place, _columns) = (file, place, columns);
        (Ids, Unread) = (ids, unread);
    }

    /// <summary>Number of rows.</summary>
    public int Rows => Ids.Count;

    /// <summary>The id of each row.</summary>
    public IReadOnlyList<long> Ids { get; }

    /// <summary>The names of the columns that have one number or text a row, truth values as 0 and 1.</summary>
    public IReadOnlyList<string> Columns => [.. _columns.Select(column => column.Name)];

    /// <summary>The names of the other columns, which are not read: several values a row, references, records.</summary>
    public IReadOnlyList<string> Unread { get; }

    /// <summary>The column of that name, which must be numbers: one a row, NaN where the file has NaN.</summary>
    /// <param name="column">Name of the column.</param>
    /// <exception cref="NwbException">There is no such column, or it is text.</exception>
    public double[] Numbers(string column) =>
        Find(column).Numbers is { } numbers
            ? [.. numbers]
            : throw new NwbException(_file, $"{_place}/{column}", "is text, and numbers are needed", $"Take one of {NwbException.Listed([.. _columns.Where(one => one.Numbers is not null).Select(one => one.Name)])}.");

    /// <summary>The column of that name as texts: one a row; numbers as they are written in an invariant culture.</summary>
    /// <param name="column">Name of the column.</param>
    /// <exception cref="NwbException">There is no such column.</exception>
    public string[] Texts(string column)
    {
        NwbColumn found = Find(column);
        return found.Texts is { } texts ? [.. texts] : Array.ConvertAll(found.Numbers!, number => number.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Whether a column holds numbers.</summary>
    /// <param name="column">Name of the column.</param>
    /// <exception cref="NwbException">There is no such column.</exception>
    public bool IsNumeric(string column) => Find(column).Numbers is not null;

    /// <summary>The rows in which a column has a value.</summary>
    /// <param name="column">Name of the column.</param>
    /// <param name="value">The value as text: <c>correct</c>, or <c>0.5</c> of a column of numbers.</param>
    /// <exception cref="NwbException">There is no such column, or no row has that value.</exception>
    public IReadOnlyList<int> RowsOf(string column, string value)
    {
        ArgumentNullException.ThrowIfNull(value);
        string[] texts = Texts(column);
        int[] rows = [.. Enumerable.Range(0, texts.Length).Where(row => texts[row] == value)];
        string[] known = [.. texts.Distinct()];
        return rows.Length > 0
            ? rows
            : throw new NwbException(_file, $"{_place}/{column}", $"is {NwbException.Quoted(value)} in no row", $"{NearestName.Hint(value, known)}It has the values {NwbException.Listed(known)}.");
    }

    /// <summary>Some rows of the table, in the order given.</summary>
    internal NwbTable Take(IReadOnlyList<int> rows) => new(_file, _place, [.. rows.Select(row => Ids[row])], [.. _columns.Select(column => column.Rows(rows))], [.. Unread]);

    /// <summary>Reads a table of any kind (DynamicTable of hdmf): its ids, and every column with one number or text a row.</summary>
    /// <param name="source">The file.</param>
    /// <param name="place">Path of the group.</param>
    /// <param name="apart">Columns that are read in another way and are none of the table's.</param>
    /// <exception cref="NwbException">It has no ids, or a column of another length.</exception>
    internal static NwbTable Read(NwbSource source, string place, params IReadOnlyCollection<string> apart)
    {
        if (!source.HasGroup(place) || !source.Has($"{place}/id"))
            throw new NwbException(source.Path, place, "is no table: it has no id", "Write it by pynwb, which gives every row an id.");
        long[] ids = Array.ConvertAll(source.Numbers($"{place}/id"), id => (long)id);
        IReadOnlyList<string> datasets = source.Datasets(place);
        List<NwbColumn> columns = [];
        List<string> unread = [];
        foreach (string name in datasets.Where(name => name != "id" && !apart.Contains(name)))
        {
            string at = $"{place}/{name}";
            if (name.EndsWith(IndexEnding, StringComparison.Ordinal) && datasets.Contains(name[..^IndexEnding.Length]))
                continue;
            bool isRagged = datasets.Contains(name + IndexEnding);
            if (isRagged || source.Shape(at).Count != 1)
                unread.Add(name);
            else if (source.Length(at) != ids.Length)
                throw new NwbException(source.Path, at, $"has {source.Length(at)} values, and the table has {ids.Length} rows", "Write the column anew with a value for each row.");
            else if (source.IsNumeric(at))
                columns.Add(new(name, source.Numbers(at), null));
            else if (source.Texts(at) is { } texts)
                columns.Add(new(name, null, texts));
            else
                unread.Add(name);
        }

        return new NwbTable(source.Path, place, ids, [.. columns], [.. unread]);
    }

    private NwbColumn Find(string column)
    {
        ArgumentNullException.ThrowIfNull(column);
        if (Array.Find(_columns, one => one.Name == column) is { } found)
            return found;
        if (Unread.Contains(column))
            throw new NwbException(_file, $"{_place}/{column}", "does not have one number or text a row", $"Take one of {NwbException.Listed(Columns)}.");
        throw new NwbException(_file, _place, $"has no column {NwbException.Quoted(column)}", $"{NearestName.Hint(column, Columns)}Its columns are {NwbException.Listed(Columns)}.");
    }
}

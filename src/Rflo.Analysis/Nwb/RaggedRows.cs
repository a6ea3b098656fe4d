namespace Rflo.Analysis;

/// <summary>Where the values of each row of a ragged column lie: row k has those from Start(k) up to End(k).</summary>
/// <remarks>VectorIndex of hdmf: element k of the index is the end of row k, and its beginning is the end of the row before.</remarks>
internal sealed class RaggedRows
{
    private readonly long[] _ends;

    private RaggedRows(long[] ends) => _ends = ends;

    public long Start(int row) => row == 0 ? 0 : _ends[row - 1];

    public long End(int row) => _ends[row];

    public long Count(int row) => End(row) - Start(row);

    /// <summary>Reads the index of a column.</summary>
    /// <exception cref="NwbException">It does not have an end for each row, decreases, or ends elsewhere than the values.</exception>
    public static RaggedRows Read(NwbSource source, string column, int rows, long values)
    {
        string place = column + "_index";
        if (!source.Has(place))
            throw new NwbException(source.Path, column, "has no index, so it is not known which values are those of which row", $"Write {place}: the end of the values of each row.");
        if (source.Length(place) != rows)
            throw new NwbException(source.Path, place, $"has {source.Length(place)} values, and the table has {rows} rows", "Write the end of the values of each row.");
        long[] ends = source.Indices(place);
        for (int row = 0; row < rows; row++)
        {
            if (row > 0 && ends[row] < ends[row - 1])
                throw new NwbException(source.Path, place, $"decreases from {ends[row - 1]} in row {row - 1} to {ends[row]} in row {row}", "Write the end of the values of each row, which never decreases.");
            if (ends[row] > values)
                throw new NwbException(source.Path, place, $"is {ends[row]} in row {row}, beyond the {values} values of {column}", "Write index and values anew, together.");
        }

        if (rows > 0 && ends[^1] != values)
            throw new NwbException(source.Path, place, $"ends with {ends[^1]}, and {column} has {values} values, so {values - ends[^1]} are those of no row", "Write index and values anew, together.");
        return new RaggedRows(ends);
    }
}

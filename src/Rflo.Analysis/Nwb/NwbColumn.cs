namespace Rflo.Analysis;

/// <summary>A column of a table with one value a row: numbers or texts.</summary>
internal sealed record NwbColumn(string Name, double[]? Numbers, string[]? Texts)
{
    /// <summary>The values of some rows, in their order.</summary>
    public NwbColumn Rows(IReadOnlyList<int> rows) => new(Name, Taken(Numbers, rows), Taken(Texts, rows));

    private static T[]? Taken<T>(T[]? values, IReadOnlyList<int> rows) => values is null ? null : [.. rows.Select(row => values[row])];
}

using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Rflo.Runs;

/// <summary>A setting as a column: whole numbers where all its values are, else numbers where all are, else text.</summary>
internal sealed class SettingColumn(string setting)
{
    private bool _isWhole = true;
    private bool _isNumber = true;
    private string?[] _values = [];

    public string Setting { get; } = setting;

    /// <summary>The name and the kind of the column; available after all values were scanned.</summary>
    public DataField? Field { get; private set; }

    /// <summary>Scans a value, before any is stored.</summary>
    public void See(string value)
    {
        _isWhole &= long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);
        _isNumber &= double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
    }

    public void Begin(string name, int rows)
    {
        _values = new string?[rows];
        Field = _isWhole ? new DataField<long?>(name) : _isNumber ? new DataField<double?>(name) : new DataField<string>(name, nullable: true);
    }

    /// <summary>Stores a value for some rows; null where the point has no such setting.</summary>
    public void Fill(string? value, int first, int rows) => _values.AsSpan(first, rows).Fill(value);

    public async Task WriteAsync(ParquetRowGroupWriter group, int rows)
    {
        string?[] values = _values[..rows];
        if (_isWhole)
            await group.WriteAsync<long>(Field!, Array.ConvertAll(values, Whole)).ConfigureAwait(false);
        else if (_isNumber)
            await group.WriteAsync<double>(Field!, Array.ConvertAll(values, Number)).ConfigureAwait(false);
        else
            await group.WriteAsync(Field!, values!).ConfigureAwait(false);
    }

    private static long? Whole(string? value) => value is null ? null : long.Parse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    private static double? Number(string? value) => value is null ? null : double.Parse(value, NumberStyles.Float, CultureInfo.InvariantCulture);
}

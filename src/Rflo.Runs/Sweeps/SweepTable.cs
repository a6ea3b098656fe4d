using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Rflo.Runs;

/// <summary>The content of a sweep's table.</summary>
/// <param name="Path">Full path of the file.</param>
/// <param name="Points">Points in it.</param>
/// <param name="Rows">Rows: one a point and trial.</param>
/// <param name="Missing">Points of the sweep that have left no run folder so far.</param>
/// <param name="Damaged">What is wrong with each run folder that could not be read.</param>
/// <param name="Scores">What each point in it is ranked by, in the order of the sweep.</param>
public sealed record CollectedTable(string Path, int Points, long Rows, int Missing, IReadOnlyList<string> Damaged, IReadOnlyList<(string Id, RunScore Score)> Scores);

/// <summary>
/// The results of a sweep as one Parquet file: a row a point and trial, with the columns <c>point</c>, <c>status</c>, one for each setting and
/// each measure, <c>trial</c>, and one for each metric. What a point does not have is null. The file is written in groups of rows, so the memory that it
/// takes does not grow with the sweep.
/// </summary>
public static class SweepTable
{
    private const int NumbersOfGroup = 1 << 21;
    private const int LargestGroup = 1 << 17;
    private const string Trial = "trial";

    /// <summary>Writes the table of the points that have ended so far; others may be running meanwhile.</summary>
    /// <param name="folder">The sweep.</param>
    /// <param name="path">Path of the file: whole, or not there.</param>
    /// <param name="onPoint">Called with the number of points read.</param>
    /// <exception cref="RunFileException">The file cannot be written, or the sweep cannot be read.</exception>
    public static CollectedTable Write(SweepFolder folder, string path, Action<int>? onPoint = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        string full = Path.GetFullPath(path);
        Columns columns = new();
        List<string> ended = [];
        List<string> damaged = [];
        int missing = 0;
        foreach (string id in folder.ReadPoints())
        {
            string? place = TryRead(damaged, () => Listing.IsThere(folder.PlaceOf(id)) ? folder.PlaceOf(id) : "");
            if (place == "")
                missing++;
            else if (place is not null && TryRead(damaged, () => RunFolder.Open(folder.PlaceOf(id))) is { } run && TryRead(damaged, run.ReadMetricsHeader) is { } header)
            {
                columns.See(run.Manifest, header);
                ended.Add(id);
            }
        }

        List<(string, RunScore)> scores = [];
        long rows = 0;
        Disk.Writing(full, () => Directory.CreateDirectory(Path.GetDirectoryName(full)!));
        Disk.Write(full, stream => rows = WriteAsync(stream, folder, ended, columns, damaged, scores, onPoint).GetAwaiter().GetResult());
        return new CollectedTable(full, scores.Count, rows, missing, damaged, scores);
    }

    private static async Task<long> WriteAsync(
        Stream stream, SweepFolder folder, List<string> ids, Columns columns, List<string> damaged, List<(string, RunScore)> scores, Action<int>? onPoint)
    {
        int capacity = Math.Clamp(NumbersOfGroup / columns.Count, 1, LargestGroup);
        ParquetSchema schema = columns.Begin(capacity);
        (long rows, int read) = (0, 0);
        ParquetWriter writer = await ParquetWriter.CreateAsync(schema, stream).ConfigureAwait(false);
        await using (writer.ConfigureAwait(false))
        {
            foreach (string id in ids)
            {
                onPoint?.Invoke(++read);
                if (TryRead(damaged, () => RunFolder.Open(folder.PlaceOf(id))) is not { } run || TryRead(damaged, run.ReadMetrics) is not { } table)
                    continue;
                columns.Take(id, run.Manifest, table);
                scores.Add((id, PointRow.Of(id, run.Manifest, table).Score));
                rows += table.Rows;
                for (int first = 0; first < table.Rows;)
                {
                    first += columns.Fill(first);
                    if (columns.IsFull)
                        await columns.FlushAsync(writer).ConfigureAwait(false);
                }
            }

            await columns.FlushAsync(writer).ConfigureAwait(false);
        }

        return rows;
    }

    /// <summary>The run, or null and the reason where it is damaged.</summary>
    private static T? TryRead<T>(List<string> damaged, Func<T> read)
        where T : class
    {
        try
        {
            return read();
        }
        catch (RunFileException e)
        {
            damaged.Add(e.Message);
            return null;
        }
    }

    /// <summary>The columns of the file, and the rows that are not written yet.</summary>
    private sealed class Columns
    {
        private readonly List<SettingColumn> _settings = [];
        private readonly List<string> _measures = [];
        private readonly List<string> _metrics = [];
        private readonly DataField _point = new DataField<string>("point", nullable: false);
        private readonly DataField _status = new DataField<string>("status", nullable: false);
        private readonly DataField _trial = new DataField<long>(Trial, nullable: false);
        private DataField[] _measureFields = [];
        private DataField[] _metricFields = [];
        private string[] _points = [];
        private string[] _states = [];
        private long[] _trials = [];
        private double?[][] _measured = [];
        private double?[][] _values = [];
        private int _rows;
        private string _id = "";
        private string _state = "";
        private IReadOnlyDictionary<string, string> _given = new Dictionary<string, string>();
        private double?[] _measuresOfPoint = [];
        private double[] _trialsOfPoint = [];
        private double[]?[] _valuesOfPoint = [];

        public int Count => 3 + _settings.Count + _measures.Count + _metrics.Count;

        public bool IsFull => _rows == _points.Length;

        /// <summary>Scans the columns of a point, before any row is stored.</summary>
        public void See(RunManifest manifest, IReadOnlyList<string> header)
        {
            foreach ((string name, string value) in manifest.Settings)
            {
                SettingColumn? column = _settings.Find(known => known.Setting == name);
                if (column is null)
                    _settings.Add(column = new SettingColumn(name));
                column.See(value);
            }

            foreach (string name in manifest.Measures.Keys.Concat(manifest.MeasureFailures.Keys))
                if (!_measures.Contains(name))
                    _measures.Add(name);

            foreach (string name in header)
                if (name != Trial && !_metrics.Contains(name))
                    _metrics.Add(name);
        }

        public ParquetSchema Begin(int capacity)
        {
            HashSet<string> taken = ["point", "status", Trial, .. _metrics];
            foreach (SettingColumn column in _settings)
                column.Begin(taken.Contains(column.Setting) ? $"setting {column.Setting}" : column.Setting, capacity);
            taken.UnionWith(_settings.Select(column => column.Field!.Name));
            _measureFields = [.. _measures.Select(name => new DataField<double?>(taken.Contains(name) ? $"measure {name}" : name))];
            _metricFields = [.. _metrics.Select(name => new DataField<double?>(name))];
            (_points, _states, _trials) = (new string[capacity], new string[capacity], new long[capacity]);
            _measured = [.. _measures.Select(_ => new double?[capacity])];
            _values = [.. _metrics.Select(_ => new double?[capacity])];
            return new ParquetSchema([_point, _status, .. _settings.Select(column => column.Field!), .. _measureFields, _trial, .. _metricFields]);
        }

        /// <summary>Begins the rows of a point.</summary>
        public void Take(string id, RunManifest manifest, MetricsTable table)
        {
            _id = id;
            _state = JsonNamingPolicy.CamelCase.ConvertName(manifest.Status.ToString());
            _given = manifest.Settings;
            _measuresOfPoint = [.. _measures.Select(name => manifest.Measures.TryGetValue(name, out double value) && !double.IsNaN(value) ? value : (double?)null)];
            _trialsOfPoint = table.Columns.Contains(Trial) ? table.Column(Trial) : [.. Enumerable.Range(0, table.Rows).Select(trial => (double)trial)];
            _valuesOfPoint = [.. _metrics.Select(name => table.Columns.Contains(name) ? table.Column(name) : null)];
        }

        /// <summary>Stores rows of the current point, from one of its trials on, until the group is full. Returns how many.</summary>
        public int Fill(int first)
        {
            int count = Math.Min(_trialsOfPoint.Length - first, _points.Length - _rows);
            _points.AsSpan(_rows, count).Fill(_id);
            _states.AsSpan(_rows, count).Fill(_state);
            foreach (SettingColumn column in _settings)
                column.Fill(_given.GetValueOrDefault(column.Setting), _rows, count);
            for (int measure = 0; measure < _measured.Length; measure++)
                _measured[measure].AsSpan(_rows, count).Fill(_measuresOfPoint[measure]);
            for (int k = 0; k < count; k++)
                _trials[_rows + k] = (long)_trialsOfPoint[first + k];
            for (int metric = 0; metric < _values.Length; metric++)
                for (int k = 0; k < count; k++)
                    _values[metric][_rows + k] = _valuesOfPoint[metric]?[first + k];
            _rows += count;
            return count;
        }

        /// <summary>Writes the stored rows as a group.</summary>
        public async Task FlushAsync(ParquetWriter writer)
        {
            if (_rows == 0)
                return;
            using ParquetRowGroupWriter group = writer.CreateRowGroup();
            await group.WriteAsync(_point, _points[.._rows]).ConfigureAwait(false);
            await group.WriteAsync(_status, _states[.._rows]).ConfigureAwait(false);
            foreach (SettingColumn column in _settings)
                await column.WriteAsync(group, _rows).ConfigureAwait(false);
            for (int measure = 0; measure < _measured.Length; measure++)
                await group.WriteAsync<double>(_measureFields[measure], _measured[measure].AsMemory(0, _rows)).ConfigureAwait(false);
            await group.WriteAsync<long>(_trial, _trials.AsMemory(0, _rows)).ConfigureAwait(false);
            for (int metric = 0; metric < _values.Length; metric++)
                await group.WriteAsync<double>(_metricFields[metric], _values[metric].AsMemory(0, _rows)).ConfigureAwait(false);
            group.CompleteValidate();
            _rows = 0;
        }
    }
}

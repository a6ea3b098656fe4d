using System.Globalization;
using System.Text.Json;
using Rflo.Core;

namespace Rflo.Runs;

/// <summary>A point of a sweep that has left a run folder, in one row.</summary>
/// <param name="Id">Name of the point.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Settings">The settings that make it this point.</param>
/// <param name="Trials">Trials that it was trained.</param>
/// <param name="Score">What it is ranked by.</param>
/// <param name="Measures">Its measures, by name; NaN of one that has no value.</param>
/// <param name="Seconds">Wall time of its trials.</param>
public sealed record PointRow(
    string Id,
    RunEnd Status,
    IReadOnlyDictionary<string, string> Settings,
    int Trials,
    RunScore Score,
    IReadOnlyDictionary<string, double> Measures,
    double Seconds)
{
    private const string Loss = "validation loss";
    private const string Performance = "validation performance";

    /// <summary>The row of a run.</summary>
    /// <param name="id">Name of the point.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="metrics">Its metrics.csv.</param>
    public static PointRow Of(string id, RunManifest manifest, MetricsTable metrics)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(metrics);
        double LastOf(string column) => metrics.Columns.Contains(column) ? metrics.Column(column).LastOrDefault(value => !double.IsNaN(value), double.NaN) : double.NaN;
        bool isWell = manifest.Status is RunEnd.Completed or RunEnd.Stopped;
        RunScore score = isWell ? new RunScore(LastOf(Performance), LastOf(Loss), manifest.FinalLoss) : RunScore.None;
        Dictionary<string, double> measures = new(manifest.Measures);
        foreach (string name in manifest.MeasureFailures.Keys)
            measures[name] = double.NaN;
        double seconds = metrics.Columns.Contains("seconds") ? metrics.Column("seconds").Sum() : double.NaN;
        return new PointRow(id, manifest.Status, manifest.Settings, manifest.Trials, score, measures, seconds);
    }
}

/// <summary>The points of a sweep as a table: a row a point, the best first (<see cref="RunRanking"/>).</summary>
/// <param name="Rows">The points that have left run folders, the best first.</param>
/// <param name="By">What ranks them.</param>
/// <param name="Missing">Points of the sweep that have left no run folder so far.</param>
/// <param name="Damaged">What is wrong with each run folder that could not be read.</param>
public sealed record PointTable(IReadOnlyList<PointRow> Rows, RankedBy By, int Missing, IReadOnlyList<string> Damaged)
{
    /// <summary>Ranks rows.</summary>
    /// <param name="rows">The points, in any order.</param>
    /// <param name="missing">Points without a run folder.</param>
    /// <param name="damaged">What is wrong with folders that could not be read.</param>
    public static PointTable Of(IReadOnlyList<PointRow> rows, int missing = 0, IReadOnlyList<string>? damaged = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        RunScore[] scores = [.. rows.Select(row => row.Score)];
        return new PointTable([.. RunRanking.Order(scores).Select(place => rows[place])], RunRanking.Criterion(scores), missing, damaged ?? []);
    }

    /// <summary>Reads the points that have ended so far; others may be running meanwhile.</summary>
    /// <param name="folder">The sweep.</param>
    /// <exception cref="RunFileException">The list of points cannot be read.</exception>
    public static PointTable Read(SweepFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        List<PointRow> rows = [];
        List<string> damaged = [];
        int missing = 0;
        foreach (string id in folder.ReadPoints())
        {
            try
            {
                if (!Listing.IsThere(folder.PlaceOf(id)))
                {
                    missing++;
                    continue;
                }

                SavedRun run = RunFolder.Open(folder.PlaceOf(id));
                rows.Add(PointRow.Of(id, run.Manifest, run.ReadMetrics()));
            }
            catch (RunFileException e)
            {
                damaged.Add(e.Message);
            }
        }

        return Of(rows, missing, damaged);
    }

    /// <summary>The names of the columns, and the fields of every row: text, or numbers that read back to the same bits; empty where a point has no such value.</summary>
    public (IReadOnlyList<string> Heads, IReadOnlyList<IReadOnlyList<string>> Fields) Cells()
    {
        string[] settings = Names(row => row.Settings.Keys);
        string[] measures = Names(row => row.Measures.Keys);
        bool isScored = Rows.Any(row => !double.IsNaN(row.Score.ValidationPerformance));
        bool isValidated = Rows.Any(row => !double.IsNaN(row.Score.ValidationLoss));
        string[] own =
        [
            "rank", "point", "status", "trials",
            .. isScored ? ["validation performance"] : Array.Empty<string>(),
            .. isValidated ? ["validation loss"] : Array.Empty<string>(),
            "final loss", "seconds",
        ];
        string[] heads =
        [
            "rank", "point", "status",
            .. settings.Select(name => own.Contains(name) ? $"setting {name}" : name),
            .. own[3..^1],
            .. measures.Select(name => own.Contains(name) || settings.Contains(name) ? $"measure {name}" : name),
            "seconds",
        ];
        IReadOnlyList<string> FieldsOf(PointRow row, int rank) =>
        [
            rank.ToString(CultureInfo.InvariantCulture),
            row.Id,
            JsonNamingPolicy.CamelCase.ConvertName(row.Status.ToString()),
            .. settings.Select(name => row.Settings.GetValueOrDefault(name, "")),
            row.Trials.ToString(CultureInfo.InvariantCulture),
            .. isScored ? [Number(row.Score.ValidationPerformance)] : Array.Empty<string>(),
            .. isValidated ? [Number(row.Score.ValidationLoss)] : Array.Empty<string>(),
            Number(row.Score.FinalLoss),
            .. measures.Select(name => Number(row.Measures.GetValueOrDefault(name, double.NaN))),
            Number(row.Seconds),
        ];
        return (heads, [.. Rows.Select((row, place) => FieldsOf(row, place + 1))]);
    }

    /// <summary>Writes the table as comma-separated text (RFC 4180), lines ending in <c>\n</c>.</summary>
    /// <param name="text">Where it goes.</param>
    public void WriteCsv(TextWriter text)
    {
        (IReadOnlyList<string> heads, IReadOnlyList<IReadOnlyList<string>> fields) = Cells();
        TextFiles.WriteCsv(text, heads, fields);
    }

    /// <summary>Writes the table as a comma-separated file.</summary>
    /// <param name="path">Path of the file: whole, or not there.</param>
    /// <returns>Its full path.</returns>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public string WriteCsv(string path)
    {
        (IReadOnlyList<string> heads, IReadOnlyList<IReadOnlyList<string>> fields) = Cells();
        TextFiles.WriteCsv(path, heads, fields);
        return Path.GetFullPath(path);
    }

    private string[] Names(Func<PointRow, IEnumerable<string>> names) => [.. Rows.SelectMany(names).Distinct()];

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);
}

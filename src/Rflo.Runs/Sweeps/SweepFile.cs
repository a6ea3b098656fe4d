using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rflo.Runs;

/// <summary>An axis of a sweep.</summary>
/// <param name="Name">Name of the setting.</param>
public sealed record SweepAxis(string Name);

/// <summary>The content of sweep.json.</summary>
public sealed record SweepDescription
{
    /// <summary>The version that this assembly writes. A file with a larger one is refused.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Version of the file's own layout.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>Number of points.</summary>
    public required int Points { get; init; }

    /// <summary>Its settings, in the order in which they were declared.</summary>
    public required IReadOnlyList<SweepAxis> Axes { get; init; }

    /// <summary>Settings that the command line changed in every point, by option.</summary>
    public IReadOnlyDictionary<string, string> Overrides { get; init; } = new Dictionary<string, string>();
}

/// <summary>sweep.json.</summary>
internal static class SweepFile
{
    public const string Name = "sweep.json";

    private static readonly JsonSerializerOptions _options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The text of the file.</summary>
    public static string Text(SweepDescription description) => JsonSerializer.Serialize(description, _options) + "\n";

    /// <summary>Reads the file.</summary>
    /// <exception cref="RunFileException">It is missing, damaged, too large, or from a later version.</exception>
    public static SweepDescription Read(string path, ReadLimits limits)
    {
        using FileStream stream = Disk.OpenRead(path);
        if (stream.Length > limits.MaxTextBytes)
            throw new RunFileException(path, null, $"has {stream.Length} bytes; {limits.MaxTextBytes} is the limit", "Copy the file again from where it was made.");
        try
        {
            SweepDescription read = JsonSerializer.Deserialize<SweepDescription>(stream, _options) ?? throw new JsonException("the file is null");
            // Annotations do not reach into lists.
            if (read.Axes.Any(axis => axis is null) || read.Overrides.Any(setting => setting.Value is null))
                throw new JsonException("an axis or a setting is null");
            return read.FormatVersion is >= 1 and <= SweepDescription.CurrentFormat && read.Points >= 0
                ? read
                : throw new RunFileException(path, null, $"has format {read.FormatVersion} and {read.Points} points; formats 1 to {SweepDescription.CurrentFormat} are read", "Read it with a later version of Rflo.Dsl.");
        }
        catch (Exception e) when (e is JsonException or IOException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            throw new RunFileException(path, null, $"is no description of a sweep ({Printable.Text(e.Message)})", "Copy the file again from where it was made.", e);
        }
    }
}

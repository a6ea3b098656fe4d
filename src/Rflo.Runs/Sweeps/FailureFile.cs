using System.Text.Json;

namespace Rflo.Runs;

/// <summary>Why a point of a sweep left no run folder: it has problems, or could not be run.</summary>
/// <param name="Settings">The settings of the point.</param>
/// <param name="Reason">What was wrong.</param>
internal sealed record FailureFile(IReadOnlyDictionary<string, string> Settings, string Reason)
{
    /// <summary>How the file's name ends, behind that of the point.</summary>
    public const string Ending = ".failed.json";

    private static readonly JsonSerializerOptions _options = new() { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <summary>Reads a file.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="RunFileException">It is damaged.</exception>
    public static FailureFile? Read(string path, ReadLimits limits)
    {
        if (!Listing.IsThere(path))
            return null;
        try
        {
            FailureFile? read = JsonSerializer.Deserialize<FailureFile>(Disk.ReadAll(path, limits.MaxTextBytes), _options);
            return read is not null && read.Settings.All(setting => setting.Value is not null) ? read : throw new JsonException("something in it is null");
        }
        catch (JsonException e)
        {
            throw new RunFileException(path, null, $"has no reason of a failed point ({Printable.Text(e.Message)})", "Run the sweep again with --retry, which begins the point anew.", e);
        }
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public void Write(string path) => Disk.Write(path, stream => JsonSerializer.Serialize(stream, this));
}

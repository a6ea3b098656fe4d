using System.Text.Json;

namespace Rflo.Runs;

/// <summary>Why a point of a sweep left no run folder: it has problems, or could not be run.</summary>
/// <param name="Settings">The settings of the point.</param>
/// <param name="Reason">What was wrong.</param>
internal sealed record FailureFile(IReadOnlyDictionary<string, string> Settings, string Reason)
{
    /// <summary>How the file's name ends, behind that of the point.</summary>
    public const string Ending = ".failed.json";

    /// <summary>Reads a file.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="RunFileException">It is damaged.</exception>
    public static FailureFile? Read(string path, ReadLimits limits)
    {
        if (!File.Exists(path))
            return null;
        try
        {
            using FileStream stream = Disk.OpenRead(path);
            return stream.Length <= limits.MaxTextBytes ? JsonSerializer.Deserialize<FailureFile>(stream) : throw new JsonException("it is too long");
        }
        catch (JsonException e)
        {
            throw new RunFileException(path, null, $"does not say why a point failed ({Printable.Text(e.Message)})", "Delete it, and run the sweep again.", e);
        }
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public void Write(string path) => Disk.Write(path, stream => JsonSerializer.Serialize(stream, this));
}

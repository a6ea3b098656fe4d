using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rflo.Runs;

/// <summary>manifest.json: indented, in the order of <see cref="RunManifest"/>, so that two manifests can be compared line by line.</summary>
internal static class ManifestFile
{
    private static readonly JsonSerializerOptions _options = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // A loss may be NaN, and names have arrows, which are not escaped: the text is not used in a web page without escaping.
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>Writes the file.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string path, RunManifest manifest) => Disk.Write(path, stream => Serialize(stream, manifest));

    /// <summary>Writes the file, which another process may be writing too.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void WriteShared(string path, RunManifest manifest) => Disk.WriteShared(path, stream => Serialize(stream, manifest));

    /// <summary>Reads the file.</summary>
    /// <exception cref="RunFileException">It is missing, damaged, too large, or from a later version.</exception>
    public static RunManifest Read(string path, ReadLimits limits)
    {
        using FileStream stream = Disk.OpenRead(path);
        if (stream.Length > limits.MaxTextBytes)
        {
            string problem = $"has {stream.Length} bytes; {limits.MaxTextBytes} is the limit";
            throw new RunFileException(path, null, problem, $"If you trust the file, read it with a larger ReadLimits.{nameof(limits.MaxTextBytes)}.");
        }

        try
        {
            RunManifest manifest = JsonSerializer.Deserialize<RunManifest>(stream, _options) ?? throw new JsonException("the file is null");
            if (!SessionFile.AreWhole(manifest.Sessions))
                throw new JsonException("a session, or a word of one, is null");
            // Annotations do not reach into lists.
            if (manifest.Files.Any(file => file is null) || manifest.Settings.Concat(manifest.Overrides).Concat(manifest.MeasureFailures).Any(setting => setting.Value is null))
                throw new JsonException("a file, a setting or a reason is null");
            return manifest.FormatVersion is >= 1 and <= RunManifest.CurrentFormat
                ? manifest
                : throw new RunFileException(path, null, $"has format {manifest.FormatVersion}; formats 1 to {RunManifest.CurrentFormat} are read", "Read it with a later version of Rflo.Dsl.");
        }
        catch (Exception e) when (e is JsonException or IOException or InvalidOperationException or ArgumentException or NotSupportedException)
        {
            throw new RunFileException(path, null, $"is no manifest of a run ({Printable.Text(e.Message)})", "Copy the file again from where it was made.", e);
        }
    }

    private static void Serialize(Stream stream, RunManifest manifest)
    {
        JsonSerializer.Serialize(stream, manifest, _options);
        stream.Write("\n"u8);
    }
}

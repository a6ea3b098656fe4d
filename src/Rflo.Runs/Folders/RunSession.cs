using System.Text.Json;

namespace Rflo.Runs;

/// <summary>One process's part of a run: a run that was stopped and resumed has several.</summary>
/// <param name="Started">When it began, UTC.</param>
/// <param name="Trial">Trials that were done before it.</param>
/// <param name="Arguments">The words of its command line, without the program and the script.</param>
/// <param name="Notes">What its reader should know, such as a checkpoint that was damaged and passed over.</param>
public sealed record RunSession(DateTimeOffset Started, int Trial, IReadOnlyList<string> Arguments, IReadOnlyList<string> Notes);

/// <summary>The sessions of a run that is being written, in a file of its folder that outlives a kill.</summary>
internal static class SessionFile
{
    public const string Name = ".sessions.json";

    private static readonly JsonSerializerOptions _options = new() { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <summary>The sessions so far; none where there is no such file.</summary>
    /// <exception cref="RunFileException">The file is damaged.</exception>
    public static RunSession[] Read(string folder, ReadLimits limits)
    {
        string path = Path.Combine(folder, Name);
        if (!File.Exists(path))
            return [];
        try
        {
            using FileStream stream = Disk.OpenRead(path);
            if (stream.Length > limits.MaxTextBytes)
                throw new RunFileException(path, null, "is too long", "Start the run anew.");
            RunSession[] sessions = JsonSerializer.Deserialize<RunSession[]>(stream, _options) ?? [];
            return AreWhole(sessions) ? sessions : throw new JsonException("a session or a word is null");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new RunFileException(path, null, "is no list of sessions", "Start the run anew.", e);
        }
    }

    /// <summary>Is nothing in a list that was read null? Annotations do not reach into lists.</summary>
    public static bool AreWhole(IReadOnlyList<RunSession> sessions) =>
        sessions.All(session => session is not null && session.Arguments.All(word => word is not null) && session.Notes.All(note => note is not null));

    /// <summary>Writes the sessions, whole or not at all.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public static void Write(string folder, IReadOnlyList<RunSession> sessions) =>
        Disk.Write(Path.Combine(folder, Name), stream => JsonSerializer.Serialize(stream, sessions, _options));
}

using System.Text.Json;

namespace Rflo.Runs;

/// <summary>One process's part of a run: a run that was stopped and resumed has several.</summary>
/// <param name="Started">When it began, UTC.</param>
/// <param name="Trial">Trials that were done before it.</param>
/// <param name="Arguments">The words of its command line, without the program and the script.</param>
/// <param name="Notes">Notes for the reader, such as a checkpoint that was damaged and skipped.</param>
/// <param name="Sources">Files of the run folder that hold the script as it ran in this session, and the files that it loaded; the script first.</param>
/// <param name="Commit">Commit of the repository that the script lay in when the session began; null outside of one.</param>
public sealed record RunSession(
    DateTimeOffset Started,
    int Trial,
    IReadOnlyList<string> Arguments,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string>? Sources = null,
    string? Commit = null);

/// <summary>The sessions of a run that is being written, in a file of its folder that is kept if the process is killed.</summary>
internal static class SessionFile
{
    public const string Name = ".sessions.json";

    private const string Anew = "Begin the run anew with --force instead of --resume, or the point of a sweep with --retry.";

    private static readonly JsonSerializerOptions _options = new() { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    /// <summary>The sessions so far; none where there is no such file.</summary>
    /// <exception cref="RunFileException">The file is damaged.</exception>
    public static RunSession[] Read(string folder, ReadLimits limits)
    {
        string path = Path.Combine(folder, Name);
        if (!Listing.IsThere(path))
            return [];
        try
        {
            RunSession[] sessions = JsonSerializer.Deserialize<RunSession[]>(Disk.ReadAll(path, limits.MaxTextBytes), _options) ?? [];
            return AreWhole(sessions) ? sessions : throw new JsonException("a session or a word is null");
        }
        catch (JsonException e)
        {
            throw new RunFileException(path, null, "is no list of sessions", Anew, e);
        }
    }

    /// <summary>Does a list that was read have no null element? Nullable annotations are not checked for elements.</summary>
    public static bool AreWhole(IReadOnlyList<RunSession> sessions) =>
        sessions.All(session => session is not null && AreWords(session.Arguments) && AreWords(session.Notes) && AreWords(session.Sources ?? []));

    private static bool AreWords(IReadOnlyList<string> words) => words.All(word => word is not null);

    /// <summary>Writes the sessions, whole or not at all.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public static void Write(string folder, IReadOnlyList<RunSession> sessions) =>
        Disk.Write(Path.Combine(folder, Name), stream => JsonSerializer.Serialize(stream, sessions, _options));
}

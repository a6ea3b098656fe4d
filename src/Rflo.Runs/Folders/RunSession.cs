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
            return JsonSerializer.Deserialize<RunSession[]>(stream) ?? [];
        }
        catch (JsonException e)
        {
            throw new RunFileException(path, null, "is no list of sessions", "Start the run anew.", e);
        }
    }

    /// <summary>Writes the sessions, whole or not at all.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public static void Write(string folder, IReadOnlyList<RunSession> sessions) =>
        Disk.Write(Path.Combine(folder, Name), stream => JsonSerializer.Serialize(stream, sessions));
}

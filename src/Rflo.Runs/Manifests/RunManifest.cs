using System.Text.Json.Nodes;
using Rflo.Core;

namespace Rflo.Runs;

/// <summary>The content of manifest.json: what was run, where, and how it ended.</summary>
public sealed record RunManifest
{
    /// <summary>The version that this assembly writes. A file with a larger one is refused.</summary>
    public const int CurrentFormat = 1;

    /// <summary>Version of the manifest's own layout.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>Name of the experiment.</summary>
    public required string Name { get; init; }

    /// <summary>The experiment in words.</summary>
    public required string Description { get; init; }

    /// <summary>The experiment in full, in its caller's layout; null where there is none.</summary>
    public JsonNode? Experiment { get; init; }

    /// <summary>Seed of the experiment.</summary>
    public required long Seed { get; init; }

    /// <summary>Precision of the numbers, <c>double</c> or <c>single</c>.</summary>
    public required string Precision { get; init; }

    /// <summary>The settings that make a point of a sweep this one, in the order of its axes; empty for a run by itself.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Settings that the command line changed, by option.</summary>
    public IReadOnlyDictionary<string, string> Overrides { get; init; } = new Dictionary<string, string>();

    /// <summary>File name of the script, without its folder; null where there was none.</summary>
    public string? Script { get; init; }

    /// <summary>Commit of the repository that the script lies in; null outside of one.</summary>
    public string? Commit { get; init; }

    /// <summary>Versions of the programs that ran.</summary>
    public RunVersions Versions { get; init; } = RunVersions.Current;

    /// <summary>The machine it ran on.</summary>
    public MachineInfo Machine { get; init; } = MachineInfo.Current;

    /// <summary>When it began, UTC.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When it ended, UTC.</summary>
    public required DateTimeOffset Ended { get; init; }

    /// <summary>How long it took, in seconds of wall time.</summary>
    public required double ElapsedSeconds { get; init; }

    /// <summary>Trials that were run.</summary>
    public required int Trials { get; init; }

    /// <summary>How it ended.</summary>
    public required RunEnd Status { get; init; }

    /// <summary>How it ended, in words, such as "diverged at trial 214, step 37, in area cortex".</summary>
    public required string StatusText { get; init; }

    /// <summary>Loss of the last trial; NaN where there was none.</summary>
    public required double FinalLoss { get; init; }

    /// <summary>Measures of a sweep, by name: numbers that the script computes from what training left; empty for a run by itself.</summary>
    public IReadOnlyDictionary<string, double> Measures { get; init; } = new Dictionary<string, double>();

    /// <summary>Why measures have no value, by their names.</summary>
    public IReadOnlyDictionary<string, string> MeasureFailures { get; init; } = new Dictionary<string, string>();

    /// <summary>The processes that worked on it, in their order; empty in a manifest of an older version.</summary>
    public IReadOnlyList<RunSession> Sessions { get; init; } = [];

    /// <summary>The other files of the folder; filled in when it is moved into place.</summary>
    public IReadOnlyList<RunFile> Files { get; init; } = [];
}

/// <summary>A file of a run folder.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Crc32">Its checksum in hexadecimal, of a file that has none in itself; null for the others, and in a manifest of an older version.</param>
public sealed record RunFile(string Name, long Bytes, string? Crc32 = null)
{
    /// <summary>Checks that a file is the one that this describes.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="RunFileException">It is missing, or has changed since.</exception>
    public void Check(string path)
    {
        using FileStream stream = Disk.OpenRead(path);
        if (stream.Length != Bytes)
            throw Changed(path, $"it has {stream.Length} bytes, and in the manifest {Bytes}");
        if (Crc32 is not null && Disk.Reading(path, () => Runs.Crc32.Of(stream)) != Crc32)
            throw Changed(path, "its checksum differs from the manifest's");
    }

    private static RunFileException Changed(string path, string how) =>
        new(path, null, $"has changed since the run wrote it: {how}", "Copy it again from where it was made; if the change is meant, take its entry out of \"files\" in manifest.json.");
}

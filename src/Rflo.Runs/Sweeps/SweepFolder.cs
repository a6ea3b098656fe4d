using System.Text;
using Rflo.Core;

namespace Rflo.Runs;

/// <summary>
/// The folder of a sweep: sweep.json says what it is, points.txt lists its points, and each point is an ordinary run folder below points/,
/// in a folder that has the first two letters of its name, since no folder of a shared disk likes a million entries.
/// </summary>
/// <remarks>Any number of processes, on any number of machines, may work in it: each point is claimed by one of them at a time.</remarks>
public sealed class SweepFolder
{
    private const string PointList = "points.txt";
    private const string Points = "points";
    private const int Letters = 2;
    private static readonly EnumerationOptions _twoDeep = new() { RecurseSubdirectories = true, MaxRecursionDepth = 1, AttributesToSkip = 0 };
    private readonly ReadLimits _limits;

    private SweepFolder(string place, SweepDescription description, ReadLimits limits)
    {
        Place = place;
        Description = description;
        _limits = limits;
    }

    /// <summary>Full path of the folder.</summary>
    public string Place { get; }

    /// <summary>What sweep.json says.</summary>
    public SweepDescription Description { get; }

    /// <summary>Is this the folder of a sweep?</summary>
    public static bool IsSweep(string path) => File.Exists(Path.Combine(path, SweepFile.Name));

    /// <summary>Makes the folder of a sweep, or goes on with it; a sweep may have grown meanwhile.</summary>
    /// <param name="path">Path of the folder; folders above it are made.</param>
    /// <param name="description">The sweep as it is now.</param>
    /// <exception cref="RunFileException">Something else lies there, or it is not writable.</exception>
    public static SweepFolder Create(string path, SweepDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        string place = Placement.FullPath(path);
        string file = Path.Combine(place, SweepFile.Name);
        string text = SweepFile.Text(description);
        if (File.Exists(file))
        {
            SweepDescription earlier = SweepFile.Read(file, ReadLimits.Default);
            if (earlier.Name != description.Name)
                throw new RunFileException(place, null, $"holds another sweep, {Printable.Text(earlier.Name)}", "Choose another place with --out.");
        }
        else if (Path.Exists(place) && (!Directory.Exists(place) || Directory.EnumerateFileSystemEntries(place).Any()))
        {
            throw new RunFileException(place, null, "is there already and is no sweep", "Choose another place with --out.");
        }

        WriteShared(file, text);
        return new SweepFolder(place, description, ReadLimits.Default);
    }

    /// <summary>Opens the folder of a sweep.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="limits">What its files may ask for; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">It is none, or sweep.json is damaged.</exception>
    public static SweepFolder Open(string path, ReadLimits? limits = null)
    {
        string place = Placement.FullPath(path);
        limits ??= ReadLimits.Default;
        if (!IsSweep(place))
            throw new RunFileException(place, null, "is no folder of a sweep", $"Name one that holds {SweepFile.Name}.");
        return new SweepFolder(place, SweepFile.Read(Path.Combine(place, SweepFile.Name), limits), limits);
    }

    /// <summary>Full path of the run folder of a point.</summary>
    /// <param name="id">Name of the point, of hexadecimal digits.</param>
    public string PlaceOf(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return IsId(id) ? Path.Combine(Place, Points, id[..Letters], id) : throw new ArgumentException($"'{id}' is no name of a point.", nameof(id));
    }

    /// <summary>Writes down which points the sweep has, in their order.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void WritePoints(IEnumerable<string> ids) => WriteShared(Path.Combine(Place, PointList), string.Concat(ids.Select(id => id + "\n")));

    /// <summary>The points of the sweep, in their order, as they were last written down; those with a run folder where nobody did.</summary>
    /// <exception cref="RunFileException">The list is damaged, or the folder cannot be read.</exception>
    public IReadOnlyList<string> ReadPoints()
    {
        string path = Path.Combine(Place, PointList), points = Path.Combine(Place, Points);
        if (!File.Exists(path))
            return Directory.Exists(points) ? Disk.Reading(points, () => Found(points)) : [];
        string[] ids = Disk.Reading(path, () => File.ReadAllLines(path));
        int wrong = Array.FindIndex(ids, id => !IsId(id));
        return wrong < 0 ? ids : throw new RunFileException(path, null, $"line {wrong + 1} is no name of a point", "Run the sweep again: it writes the list anew.");
    }

    /// <summary>How far a point is.</summary>
    /// <exception cref="RunFileException">The system refuses.</exception>
    public PointState StateOf(string id)
    {
        string place = PlaceOf(id);
        if (Directory.Exists(Claim.FolderOf(place)))
            return new PointState(Claim.IsAbandoned(Claim.FolderOf(place)) ? PointStage.Stopped : PointStage.Running);
        return Ended(place);
    }

    /// <summary>The settings of a point that has ended; none of one that has not.</summary>
    /// <exception cref="RunFileException">What it left is damaged.</exception>
    public IReadOnlyDictionary<string, string> SettingsOf(string id)
    {
        string place = PlaceOf(id);
        if (Directory.Exists(place))
            return ManifestFile.Read(Path.Combine(place, RunFileNames.Manifest), _limits).Settings;
        return FailureFile.Read(place + FailureFile.Ending, _limits)?.Settings ?? new Dictionary<string, string>();
    }

    /// <summary>Begins a point, or takes up what a process that has ended left of it.</summary>
    /// <param name="id">Name of the point.</param>
    /// <param name="retry">Begin a point anew that has failed.</param>
    /// <param name="takeOver">Take it over from a process of another machine, of which nothing can be known here: somebody else does know that it has ended.</param>
    /// <param name="state">How far it was.</param>
    /// <returns>Null where there is nothing to do: it is finished, has failed, or another process writes it.</returns>
    /// <exception cref="RunFileException">The place is not writable, or what lies there is damaged.</exception>
    public RunFolder? TryBegin(string id, bool retry, bool takeOver, out PointState state)
    {
        string place = PlaceOf(id);
        while (true)
        {
            state = StateOf(id);
            if (!IsToDo(state.Stage, retry, takeOver))
                return null;
            RunFolder? folder;
            try
            {
                folder = RunFolder.TryBegin(place, anew: state.Stage == PointStage.Failed, takeOver, _limits);
            }
            catch (RunFileException) when (StateOf(id) != state)
            {
                // Whoever wrote it has just finished, and its temporary folder is gone.
                continue;
            }

            if (folder is null)
            {
                state = new PointState(PointStage.Running);
                return null;
            }

            // Once more: another process may have finished this very point before it was claimed.
            PointStage now = Ended(place).Stage;
            bool wasDone = now == PointStage.Finished || (now == PointStage.Failed && state.Stage == PointStage.NotBegun);
            if (!wasDone)
                return folder;
            folder.Dispose();
        }
    }

    /// <summary>Writes down why a point left no run folder.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void Fail(string id, IReadOnlyDictionary<string, string> settings, string reason)
    {
        string path = PlaceOf(id) + FailureFile.Ending;
        Disk.Writing(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        new FailureFile(settings, reason).Write(path);
    }

    /// <summary>Forgets why a point once left no run folder: it has one now.</summary>
    public void Forgive(string id) => Disk.Remove(PlaceOf(id) + FailureFile.Ending);

    private static bool IsToDo(PointStage stage, bool retry, bool takeOver) => stage switch
    {
        PointStage.Finished => false,
        PointStage.Failed => retry,
        PointStage.Running => takeOver,
        _ => true,
    };

    private PointState Ended(string place)
    {
        if (!Directory.Exists(place))
            return FailureFile.Read(place + FailureFile.Ending, _limits) is { } failure ? new PointState(PointStage.Failed, failure.Reason) : new PointState(PointStage.NotBegun);
        RunManifest manifest = ManifestFile.Read(Path.Combine(place, RunFileNames.Manifest), _limits);
        return manifest.Status switch
        {
            RunEnd.Completed or RunEnd.Stopped => new PointState(PointStage.Finished),
            RunEnd.Cancelled => new PointState(PointStage.Stopped),
            _ => new PointState(PointStage.Failed, manifest.StatusText),
        };
    }

    private static string[] Found(string points) =>
        [.. Directory.EnumerateDirectories(points, "*", _twoDeep).Select(path => Path.GetFileName(path)).Where(IsId).Order(StringComparer.Ordinal)];

    private static bool IsId(string id) => id.Length is > Letters and <= 64 && id.All(char.IsAsciiHexDigitLower);

    /// <summary>Writes a file that another process may be writing too, with the same content.</summary>
    private static void WriteShared(string path, string text)
    {
        byte[] content = Encoding.UTF8.GetBytes(text);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (File.Exists(path) && Disk.Reading(path, () => File.ReadAllBytes(path)).AsSpan().SequenceEqual(content))
                    return;
                Disk.Writing(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
                Disk.Write(path, stream => stream.Write(content));
                return;
            }
            catch (RunFileException) when (attempt < 20)
            {
                Thread.Sleep(25);
            }
        }
    }
}

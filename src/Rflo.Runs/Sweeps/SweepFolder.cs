using System.Text;
using Rflo.Core;

namespace Rflo.Runs;

/// <summary>
/// The folder of a sweep: sweep.json describes it, points.txt lists its points, and each point is an ordinary run folder below points/,
/// in a folder that has the first two letters of its name, since folders with a million entries are slow on shared disks.
/// </summary>
/// <remarks>Any number of processes, on any number of machines, may work in it: each point is claimed by one of them at a time.</remarks>
public sealed class SweepFolder
{
    private const string Points = "points";
    private const string Slurm = "slurm";
    private const int Letters = 2;
    private static readonly TimeSpan _soonAgain = TimeSpan.FromMilliseconds(20);
    private readonly ReadLimits _limits;

    private SweepFolder(string place, SweepDescription description, ReadLimits limits)
    {
        Place = place;
        Description = description;
        _limits = limits;
    }

    /// <summary>Full path of the folder.</summary>
    public string Place { get; }

    /// <summary>The content of sweep.json.</summary>
    public SweepDescription Description { get; }

    /// <summary>Is this the folder of a sweep?</summary>
    /// <exception cref="RunFileException">The system refuses access.</exception>
    public static bool IsSweep(string path) => Listing.IsFile(Path.Combine(path, SweepFile.Name));

    /// <summary>Makes the folder of a sweep, or opens an existing one; the sweep may have more points than before.</summary>
    /// <param name="path">Path of the folder; folders above it are made.</param>
    /// <param name="description">The sweep as it is now.</param>
    /// <exception cref="RunFileException">Something else lies there, or it is not writable.</exception>
    public static SweepFolder Create(string path, SweepDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        string place = Placement.FullPath(path);
        string file = Path.Combine(place, SweepFile.Name);
        string text = SweepFile.Text(description);
        if (Listing.IsThere(file))
        {
            SweepDescription earlier = SweepFile.Read(file, ReadLimits.Default);
            if (earlier.Name != description.Name)
                throw new RunFileException(place, null, $"holds another sweep, {Printable.Text(earlier.Name)}", "Choose another place with --out.");
        }
        else if (Listing.IsThere(place) && (!Listing.IsFolder(place) || !Listing.Entries(place).All(IsOfSweep)))
        {
            throw new RunFileException(place, null, "is there already and is no sweep", "Choose another place with --out.");
        }

        WriteShared(file, text);
        return Listed(new SweepFolder(place, description, ReadLimits.Default));
    }

    /// <summary>Opens the folder of a sweep.</summary>
    /// <param name="path">Path of the folder.</param>
    /// <param name="limits">The limits of its files; <see cref="ReadLimits.Default"/> where null.</param>
    /// <exception cref="RunFileException">It is none, or sweep.json is damaged.</exception>
    public static SweepFolder Open(string path, ReadLimits? limits = null)
    {
        string place = Placement.FullPath(path);
        limits ??= ReadLimits.Default;
        if (!IsSweep(place))
            throw new RunFileException(place, null, "is no folder of a sweep", $"Name one that holds {SweepFile.Name}.");
        return Listed(new SweepFolder(place, SweepFile.Read(Path.Combine(place, SweepFile.Name), limits), limits));
    }

    /// <summary>Full path of the run folder of a point.</summary>
    /// <param name="id">Name of the point, of hexadecimal digits.</param>
    public string PlaceOf(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return PointList.IsId(id) ? Path.Combine(Place, Points, id[..Letters], id) : throw new ArgumentException($"'{id}' is no name of a point.", nameof(id));
    }

    /// <summary>Writes the list of the sweep's points, in their order.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void WritePoints(IEnumerable<string> ids) => WriteShared(Path.Combine(Place, PointList.Name), PointList.Text(ids));

    /// <summary>The points of the sweep, in their order, by the list that was written last; those with a run folder where there is no list.</summary>
    /// <exception cref="RunFileException">The list is damaged, or the folder cannot be read.</exception>
    public IReadOnlyList<string> ReadPoints()
    {
        string path = Path.Combine(Place, PointList.Name);
        return Listing.IsThere(path) ? PointList.Read(path, Description.Points, _limits) : RunFolders();
    }

    /// <summary>Notes for a reader of these points: whether the sweep has others.</summary>
    /// <param name="ids">The result of <see cref="ReadPoints"/>.</param>
    /// <exception cref="RunFileException">The folder cannot be listed.</exception>
    public IReadOnlyList<string> Notes(IReadOnlyList<string> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        List<string> notes = [];
        if (ids.Count != Description.Points)
            notes.Add($"{SweepFile.Name} has {Description.Points} points, and {ids.Count} are listed; give the command of the sweep again to list all of them");
        HashSet<string> listed = [.. ids];
        int others = RunFolders(skipsRefused: true).Count(id => !listed.Contains(id));
        if (others > 0)
        {
            string points = others == 1 ? "1 point" : $"{others} points";
            notes.Add($"{points} of an earlier version of the sweep, or with other options, are no part of it now; what they left stays in {Path.Combine(Place, Points)}");
        }

        return notes;
    }

    /// <summary>The stage of a point.</summary>
    public PointState StateOf(string id)
    {
        string place = PlaceOf(id);
        for (bool isFirst = true; ; isFirst = false)
        {
            try
            {
                if (Listing.IsFolder(Claim.FolderOf(place)))
                    return new PointState(Claim.IsAbandoned(Claim.FolderOf(place)) ? PointStage.Stopped : PointStage.Running);
                return Ended(place);
            }
            catch (RunFileException e)
            {
                if (!isFirst)
                    return new PointState(PointStage.Damaged, e.Message);
                // The process that writes it may have been replacing it.
                Thread.Sleep(_soonAgain);
            }
        }
    }

    /// <summary>The settings of a point that has ended; none of one that has not, or whose files are damaged.</summary>
    public IReadOnlyDictionary<string, string> SettingsOf(string id)
    {
        string place = PlaceOf(id);
        try
        {
            if (Listing.IsFolder(place))
                return ManifestFile.Read(Path.Combine(place, RunFileNames.Manifest), _limits).Settings;
            return FailureFile.Read(place + FailureFile.Ending, _limits)?.Settings ?? new Dictionary<string, string>();
        }
        catch (RunFileException)
        {
            return new Dictionary<string, string>();
        }
    }

    /// <summary>Begins a point, or resumes one that a process which has ended left.</summary>
    /// <param name="id">Name of the point.</param>
    /// <param name="retry">Begin a point anew that has failed, or whose files are damaged: these are kept beside it.</param>
    /// <param name="takeOver">Take it over from a process of another machine, whose state cannot be determined here: the caller asserts that it has ended.</param>
    /// <param name="state">Its stage before.</param>
    /// <returns>Null where there is nothing to do: it is finished, has failed, or another process writes it.</returns>
    /// <exception cref="RunFileException">The place is not writable, or the folder there is damaged.</exception>
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
                folder = RunFolder.TryBegin(place, anew: state.Stage == PointStage.Failed, takeOver, _limits, replaceDamaged: retry);
            }
            catch (RunFileException) when (StateOf(id) != state)
            {
                // The process that wrote it has just finished, and its temporary folder no longer exists.
                continue;
            }

            if (folder is null)
            {
                state = new PointState(PointStage.Running);
                return null;
            }

            // Checked again: another process may have finished this point before it was claimed.
            PointStage now = StageOf(place);
            bool wasDone = now == PointStage.Finished || (now == PointStage.Failed && state.Stage == PointStage.NotBegun);
            if (!wasDone)
                return folder;
            folder.Dispose();
        }
    }

    /// <summary>Writes the reason why a point has no run folder.</summary>
    /// <exception cref="RunFileException">The file cannot be written.</exception>
    public void Fail(string id, IReadOnlyDictionary<string, string> settings, string reason)
    {
        string path = PlaceOf(id) + FailureFile.Ending;
        Disk.Writing(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
        new FailureFile(settings, reason).Write(path);
    }

    /// <summary>Deletes the reason why a point had no run folder: it has one now.</summary>
    public void Forgive(string id) => Disk.Remove(PlaceOf(id) + FailureFile.Ending);

    private static bool IsToDo(PointStage stage, bool retry, bool takeOver) => stage switch
    {
        PointStage.Finished => false,
        PointStage.Failed or PointStage.Damaged => retry,
        PointStage.Running => takeOver,
        _ => true,
    };

    private PointStage StageOf(string place)
    {
        try
        {
            return Ended(place).Stage;
        }
        catch (RunFileException)
        {
            return PointStage.Damaged;
        }
    }

    private PointState Ended(string place)
    {
        if (!Listing.IsFolder(place))
            return FailureFile.Read(place + FailureFile.Ending, _limits) is { } failure ? new PointState(PointStage.Failed, failure.Reason) : new PointState(PointStage.NotBegun);
        RunManifest manifest = ManifestFile.Read(Path.Combine(place, RunFileNames.Manifest), _limits);
        return manifest.Status switch
        {
            RunEnd.Completed or RunEnd.Stopped => new PointState(PointStage.Finished),
            RunEnd.Cancelled => new PointState(PointStage.Stopped),
            _ => new PointState(PointStage.Failed, manifest.StatusText),
        };
    }

    /// <summary>Checks that the points can be listed, so that there is one exception instead of one for each point.</summary>
    private static SweepFolder Listed(SweepFolder folder)
    {
        _ = Listing.Folders(Path.Combine(folder.Place, Points), "*");
        return folder;
    }

    /// <summary>The points that have left a run folder.</summary>
    /// <param name="skipsRefused">Leave out those that cannot be listed, since each of them counts as damaged.</param>
    private string[] RunFolders(bool skipsRefused = false) =>
    [
        .. Listing.Folders(Path.Combine(Place, Points), "*")
            .SelectMany(folder => FoldersOf(folder, skipsRefused))
            .Select(path => Path.GetFileName(path))
            .Where(PointList.IsId)
            .Order(StringComparer.Ordinal),
    ];

    private static string[] FoldersOf(string folder, bool skipsRefused)
    {
        try
        {
            return Listing.Folders(folder, "*");
        }
        catch (RunFileException) when (skipsRefused)
        {
            return [];
        }
    }

    /// <summary>Is this the name of a file or folder of a sweep? Another process may be making the sweep's folder at the same time.</summary>
    private static bool IsOfSweep(string path)
    {
        string name = Path.GetFileName(path);
        return name is SweepFile.Name or PointList.Name or Points or Slurm
            || (name.EndsWith(Disk.Unfinished, StringComparison.Ordinal)
                && (name.StartsWith(SweepFile.Name, StringComparison.Ordinal) || name.StartsWith(PointList.Name, StringComparison.Ordinal)));
    }

    /// <summary>Writes a file that another process may be writing too, with the same content.</summary>
    private static void WriteShared(string path, string text)
    {
        byte[] content = Encoding.UTF8.GetBytes(text);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                if (Listing.IsThere(path) && Disk.ReadAll(path, long.MaxValue).AsSpan().SequenceEqual(content))
                    return;
                Disk.Writing(path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
                Disk.WriteShared(path, stream => stream.Write(content));
                SystemCalls.SyncFolder(Path.GetDirectoryName(path)!);
                return;
            }
            catch (RunFileException) when (attempt < 20)
            {
                Thread.Sleep(25);
            }
        }
    }
}

namespace Rflo.Runs;

/// <summary>The checkpoints of one run, in its folder: the last two are kept, so that a damaged one costs no more than the trials between them.</summary>
public sealed class Checkpoints
{
    private const int Kept = 2;
    private readonly string _folder;
    private readonly string _experiment;
    private readonly ReadLimits _limits;

    /// <param name="folder">The folder of the run while it is written, <see cref="RunFolder.Temporary"/>.</param>
    /// <param name="experiment">SHA-256 of the experiment, in hexadecimal.</param>
    /// <param name="limits">The limits of a checkpoint; null for <see cref="ReadLimits.Default"/>.</param>
    internal Checkpoints(string folder, string experiment, ReadLimits? limits)
    {
        _folder = folder;
        _experiment = experiment;
        _limits = limits ?? ReadLimits.Default;
    }

    /// <summary>Writes a checkpoint, then deletes those before the last two, and those of later trials, which were skipped.</summary>
    /// <param name="trial">Trials that were trained.</param>
    /// <param name="state">The result of <see cref="Core.Session.Capture"/>.</param>
    /// <exception cref="RunFileException">It cannot be written; the ones before it are still there.</exception>
    public void Write(int trial, IReadOnlyDictionary<string, double[]> state)
    {
        CheckpointFile.Write(_folder, new Checkpoint(trial, _experiment, state));
        // An old one is deleted only after the new one is on the disk.
        SystemCalls.SyncFolder(_folder);
        string written = CheckpointFile.NameOf(trial);
        string[] all = CheckpointFile.In(_folder);
        string[] later = [.. all.TakeWhile(path => string.CompareOrdinal(Path.GetFileName(path), written) > 0)];
        foreach (string stale in later.Concat(all.Skip(later.Length + Kept)))
            Disk.Remove(stale);
    }

    /// <summary>
    /// Calls <paramref name="use"/> with the newest checkpoint that can be used. One that is damaged, belongs to another experiment or is
    /// refused by <paramref name="use"/> (an <see cref="ArgumentException"/>) is skipped for the one before.
    /// </summary>
    /// <param name="use">Restores the state.</param>
    /// <param name="passedOver">What is wrong with each checkpoint that was not used, the newest first.</param>
    /// <returns>The one used; null where there was none.</returns>
    public Checkpoint? TakeUp(Action<Checkpoint> use, out IReadOnlyList<string> passedOver)
    {
        List<string> wrong = [];
        passedOver = wrong;
        foreach (string path in CheckpointFile.In(_folder))
        {
            try
            {
                Checkpoint checkpoint = CheckpointFile.Read(path, _limits);
                if (checkpoint.Experiment != _experiment)
                    throw new RunFileException(path, null, "belongs to another experiment", "Resume it with the script and the options that began it.");
                use(checkpoint);
                return checkpoint;
            }
            catch (Exception e) when (e is RunFileException or ArgumentException)
            {
                wrong.Add(e is RunFileException ? e.Message : $"{path}: {e.Message}");
            }
        }

        return null;
    }
}

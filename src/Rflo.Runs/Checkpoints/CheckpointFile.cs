using System.Globalization;

namespace Rflo.Runs;

/// <summary>
/// A checkpoint as a file that numpy reads: the arrays <c>trial</c>, <c>experiment</c> (the bytes of the hash), <c>format</c>
/// and <c>state/NAME</c>. Every member has a checksum, so damage is detected when the file is read.
/// </summary>
internal static class CheckpointFile
{
    private const int Format = 1;
    private const int HashBytes = 32;
    private const string StatePrefix = "state/";
    private const string NamePrefix = "checkpoint-";
    private const string NameSuffix = ".npz";

    /// <summary>Digits of the largest number of trials.</summary>
    private const int Digits = 10;

    /// <summary>Name of the file of a trial; names sort as trials do.</summary>
    public static string NameOf(int trial) => string.Create(CultureInfo.InvariantCulture, $"{NamePrefix}{trial:d10}{NameSuffix}");

    /// <summary>Paths of the checkpoints in a folder, the newest first; none where it is not there, or no longer.</summary>
    /// <exception cref="RunFileException">The folder cannot be listed.</exception>
    public static string[] In(string folder) =>
        [.. Listing.Files(folder, $"{NamePrefix}*{NameSuffix}").Where(path => IsName(Path.GetFileName(path))).OrderDescending(StringComparer.Ordinal)];

    /// <summary>Is this the name of a checkpoint? The name of a user's copy is none.</summary>
    public static bool IsName(string name) =>
        name.Length == NamePrefix.Length + Digits + NameSuffix.Length
        && name.StartsWith(NamePrefix, StringComparison.Ordinal)
        && name.EndsWith(NameSuffix, StringComparison.Ordinal)
        && name.AsSpan(NamePrefix.Length, Digits).IndexOfAnyExceptInRange('0', '9') < 0;

    /// <summary>Writes a checkpoint: the file is whole and on the disk, or not there.</summary>
    /// <exception cref="RunFileException">It cannot be written.</exception>
    public static void Write(string folder, Checkpoint checkpoint)
    {
        byte[] hash = Convert.FromHexString(checkpoint.Experiment);
        Npz.Write(Path.Combine(folder, NameOf(checkpoint.Trial)),
        [
            new NamedArray("format", [1], [Format]),
            new NamedArray("trial", [1], [checkpoint.Trial]),
            new NamedArray("experiment", [HashBytes], [.. hash.Select(one => (double)one)]),
            .. checkpoint.State.Select(part => new NamedArray(StatePrefix + part.Key, [part.Value.Length], part.Value)),
        ]);
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="limits">The limits of the file.</param>
    /// <exception cref="RunFileException">The file is missing, damaged, or no checkpoint.</exception>
    public static Checkpoint Read(string path, ReadLimits limits)
    {
        var arrays = Npz.Read(path, limits).ToDictionary(array => array.Name, array => array.Values);
        if (!arrays.TryGetValue("format", out double[]? format) || format is not [Format])
            throw new RunFileException(path, null, "is no checkpoint of this version", "Start the run anew.");
        if (!arrays.TryGetValue("trial", out double[]? trial) || trial is not [>= 0 and <= int.MaxValue and var count] || count != Math.Floor(count))
            throw new RunFileException(path, "trial", "is no number of trials", "The file is damaged; use another checkpoint.");
        if (!arrays.TryGetValue("experiment", out double[]? hash) || hash.Length != HashBytes || !hash.All(one => one is >= 0 and <= 255))
            throw new RunFileException(path, "experiment", "is no hash", "The file is damaged; use another checkpoint.");
        string experiment = Convert.ToHexStringLower([.. hash.Select(one => (byte)one)]);
        var state = arrays.Where(part => part.Key.StartsWith(StatePrefix, StringComparison.Ordinal))
            .ToDictionary(part => part.Key[StatePrefix.Length..], part => part.Value);
        return new Checkpoint((int)count, experiment, state);
    }
}

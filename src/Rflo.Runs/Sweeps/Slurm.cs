using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Rflo.Runs;

/// <summary>The limits of a cluster's Slurm.</summary>
/// <param name="MaxArraySize">The largest index of a task in a job array is one less.</param>
/// <param name="MaxJobCount">Jobs that the controller keeps; each task of an array is one.</param>
/// <param name="IsKnown">Whether Slurm reported them; if it cannot be reached, they are its defaults.</param>
public sealed record SlurmLimits(int MaxArraySize, int MaxJobCount, bool IsKnown)
{
    /// <summary>Slurm's defaults.</summary>
    public static SlurmLimits Usual { get; } = new(1001, 10_000, IsKnown: false);
}

/// <summary>The programs of Slurm.</summary>
public static partial class Slurm
{
    /// <summary>The limits of this cluster's Slurm.</summary>
    public static SlurmLimits Limits()
    {
        if (TryRun("scontrol", ["show", "config"]) is not { ExitCode: 0 } ended)
            return SlurmLimits.Usual;
        int Number(string name, int usual)
        {
            Match match = Regex.Match(ended.Output, $@"^{name}\s*=\s*(\d+)", RegexOptions.Multiline);
            return match.Success && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : usual;
        }

        return new SlurmLimits(Number("MaxArraySize", SlurmLimits.Usual.MaxArraySize), Number("MaxJobCount", SlurmLimits.Usual.MaxJobCount), IsKnown: true);
    }

    /// <summary>Submits a script to the queue.</summary>
    /// <param name="script">Path of the script.</param>
    /// <returns>Number of the job.</returns>
    /// <exception cref="RunFileException">Slurm is not there, or refuses it.</exception>
    public static string Submit(string script)
    {
        Ended ended = TryRun("sbatch", ["--parsable", script])
            ?? throw new RunFileException(script, null, "cannot be submitted: there is no sbatch on this machine", "Give the command where Slurm is, or run the sweep without --slurm.");
        Match job = Job().Match(ended.Output);
        return ended.ExitCode == 0 && job.Success
            ? job.Groups[1].Value
            : throw new RunFileException(script, null, $"was refused by sbatch ({Printable.Text((ended.Errors + ended.Output).Trim())})", "Change the options of the job, and give the command again.");
    }

    /// <summary>Has a job tasks that wait or run?</summary>
    /// <param name="job">Number of the job.</param>
    public static bool IsQueued(string job) =>
        TryRun("squeue", ["--noheader", "--jobs", job, "--format", "%i"]) is { ExitCode: 0 } ended && ended.Output.Trim() != "";

    private sealed record Ended(int ExitCode, string Output, string Errors);

    private static Ended? TryRun(string program, string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return new Ended(process.ExitCode, output, errors.Result);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    [GeneratedRegex(@"^(\d+)", RegexOptions.Multiline)]
    private static partial Regex Job();
}

using System.Globalization;
using System.Text;

namespace Rflo.Runs;

/// <summary>A sweep as a job array of Slurm: each task runs one part of the points by the same command as on one machine.</summary>
public sealed record SlurmJob
{
    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>The program and its words, without the options that say which part.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The folder in which the command is given.</summary>
    public required string Directory { get; init; }

    /// <summary>Where the output of tasks goes.</summary>
    public required string Logs { get; init; }

    /// <summary>Number of parts.</summary>
    public required int Parts { get; init; }

    /// <summary>The parts to run, from 1, in ascending order.</summary>
    public required IReadOnlyList<int> Tasks { get; init; }

    /// <summary>Points that a task runs at once; as many processors it asks for.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Tasks that run at once, at most; null for as many as the cluster has room for.</summary>
    public int? MaxParallel { get; init; }

    /// <summary>Partition; null for the cluster's default.</summary>
    public string? Partition { get; init; }

    /// <summary>Time limit of a task, as Slurm writes it; null for the partition's.</summary>
    public string? Time { get; init; }

    /// <summary>Memory of a task, as Slurm writes it; null for the partition's default.</summary>
    public string? Memory { get; init; }

    /// <summary>Whether an earlier job of the same sweep is known to have ended, so that what it left may be taken over on any machine.</summary>
    public bool TakeOver { get; init; }

    /// <summary>The tasks as sbatch takes them, such as <c>1-3,7%2</c>.</summary>
    public string Array
    {
        get
        {
            StringBuilder text = new();
            for (int k = 0; k < Tasks.Count;)
            {
                int last = k;
                while (last + 1 < Tasks.Count && Tasks[last + 1] == Tasks[last] + 1)
                    last++;
                text.Append(CultureInfo.InvariantCulture, $"{(k > 0 ? "," : "")}{Tasks[k]}");
                if (last > k)
                    text.Append(CultureInfo.InvariantCulture, $"-{Tasks[last]}");
                k = last + 1;
            }

            return MaxParallel is { } most ? string.Create(CultureInfo.InvariantCulture, $"{text}%{most}") : text.ToString();
        }
    }

    /// <summary>The script that sbatch takes.</summary>
    /// <remarks>
    /// A task that is pre-empted or loses its node is put back into the queue and goes on from checkpoints. One that comes to the end of its time is
    /// warned 90 s before, writes checkpoints, and puts itself back. The queue starts a task again only when the one before has ended, wherever
    /// that was, so what it left may be taken over.
    /// </remarks>
    public string Script()
    {
        StringBuilder text = new();
        void Line(string line) => text.Append(line).Append('\n');
        Line("#!/bin/bash");
        Line($"#SBATCH --job-name=rflo-{Word(Name)}");
        Line($"#SBATCH --array={Array}");
        Line("#SBATCH --ntasks=1");
        Line(string.Create(CultureInfo.InvariantCulture, $"#SBATCH --cpus-per-task={Jobs}"));
        Line("#SBATCH --requeue");
        Line("#SBATCH --open-mode=append");
        Line("#SBATCH --signal=B:USR1@90");
        Line($"#SBATCH --chdir={Quoted(Directory)}");
        Line($"#SBATCH --output={Quoted(Path.Combine(Logs, "%A_%a.log"))}");
        if (Partition is not null)
            Line($"#SBATCH --partition={Quoted(Partition)}");
        if (Time is not null)
            Line($"#SBATCH --time={Quoted(Time)}");
        if (Memory is not null)
            Line($"#SBATCH --mem={Quoted(Memory)}");
        Line("");
        Line(TakeOver ? "over=--take-over" : "over=");
        Line("# A task that was put back into the queue runs when the one before has ended, wherever that was.");
        Line("if [ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ]; then over=--take-over; fi");
        Line("again=");
        Line($"{string.Join(' ', Command.Select(Shell))} --part \"$SLURM_ARRAY_TASK_ID/{Parts.ToString(CultureInfo.InvariantCulture)}\" $over &");
        Line("run=$!");
        Line("trap 'kill -TERM $run' TERM");
        Line("# The time is nearly over: checkpoints are written, and another task goes on.");
        Line("trap 'again=yes; kill -TERM $run' USR1");
        Line("wait $run");
        Line("code=$?");
        Line("while kill -0 $run 2>/dev/null; do wait $run; code=$?; done");
        Line("if [ -n \"$again\" ] && [ $code -eq 3 ]; then scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"; fi");
        Line("exit $code");
        return text.ToString();
    }

    private static string Word(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));

    /// <summary>A value of an option line of sbatch.</summary>
    private static string Quoted(string value) => value.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:%,+".Contains(c, StringComparison.Ordinal)) ? value : $"\"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>A word of a command line.</summary>
    private static string Shell(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

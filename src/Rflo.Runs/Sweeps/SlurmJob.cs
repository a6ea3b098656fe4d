using System.Globalization;
using System.Text;

namespace Rflo.Runs;

/// <summary>A sweep as a job array of Slurm: each task runs one part of the points by the same command as on one machine.</summary>
public sealed record SlurmJob
{
    private const long ShortestMargin = 10, LongestMargin = 90;

    /// <summary>Name of the sweep.</summary>
    public required string Name { get; init; }

    /// <summary>The program and its arguments, without the options of the part.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The folder in which the command is given.</summary>
    public required string Directory { get; init; }

    /// <summary>Where the output of tasks goes.</summary>
    public required string Logs { get; init; }

    /// <summary>Number of parts.</summary>
    public required int Parts { get; init; }

    /// <summary>The parts to run, from 1, in ascending order.</summary>
    public required IReadOnlyList<int> Tasks { get; init; }

    /// <summary>Points that a task runs at once; it requests as many processors.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Tasks that run at once, at most; null for as many as the cluster has room for.</summary>
    public int? MaxParallel { get; init; }

    /// <summary>Partition; null for the cluster's default.</summary>
    public string? Partition { get; init; }

    /// <summary>Time limit of a task, as Slurm writes it; null for the partition's.</summary>
    public string? Time { get; init; }

    /// <summary>Memory of a task, as Slurm writes it; null for the partition's default.</summary>
    public string? Memory { get; init; }

    /// <summary>Time after which the command ends by itself, to be resumed later; null for none.</summary>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>Whether an earlier job of the same sweep is known to have ended, so that its unfinished points may be taken over on any machine.</summary>
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

    /// <summary>The script for sbatch.</summary>
    /// <remarks>
    /// A task that is pre-empted or whose node fails is requeued and resumes from checkpoints. Near the end of its time limit a task receives a
    /// signal, writes checkpoints, and requeues itself; so does one that <c>--max-minutes</c> ends. Slurm may send the signal a minute early, in
    /// a short task even before its run has begun: traps are set first, and the remaining time is used. Slurm starts a task again only after its
    /// predecessor has ended, on any node, so unfinished points may be taken over.
    /// </remarks>
    /// <exception cref="RunFileException">A folder has a name that no line of options can hold.</exception>
    public string Script()
    {
        StringBuilder text = new();
        void Line(string line) => text.Append(line).Append('\n');
        string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
        Line("#!/bin/bash");
        Line($"#SBATCH --job-name=rflo-{Word(Name)}");
        Line($"#SBATCH --array={Array}");
        Line("#SBATCH --ntasks=1");
        Line($"#SBATCH --cpus-per-task={Number(Jobs)}");
        Line("#SBATCH --requeue");
        Line("#SBATCH --open-mode=append");
        Line($"#SBATCH --signal=B:USR1@{Number(Margin)}");
        Line($"#SBATCH --chdir={Folder(Directory)}");
        // Slurm replaces %A, %a, %j and others by numbers; %% is the sign itself.
        Line($"#SBATCH --output={Folder(Path.Combine(Logs.Replace("%", "%%", StringComparison.Ordinal), "%A_%a.log"))}");
        if (Partition is not null)
            Line($"#SBATCH --partition={Quoted(Partition)}");
        if (Time is not null)
            Line($"#SBATCH --time={Quoted(Time)}");
        if (Memory is not null)
            Line($"#SBATCH --mem={Quoted(Memory)}");
        Line("");
        Line("# Seconds that are left of the time of this task.");
        Line("left() {");
        Line($"    if [ -n \"${{SLURM_JOB_END_TIME:-}}\" ]; then echo $((SLURM_JOB_END_TIME - $(date +%s))); else echo $(({Number(Limit ?? 0)} - SECONDS)); fi");
        Line("}");
        Line("# Once: a second signal would end the run in the midst of a trial.");
        Line("stop() {");
        Line("    if [ -n \"$run\" ] && [ -z \"$stopped\" ]; then stopped=yes; kill -TERM \"$run\"; fi");
        Line("}");
        Line("# The time is nearly over: checkpoints are written, and another task goes on.");
        Line("warned() {");
        Line("    again=yes");
        Line($"    while [ -n \"$run\" ] && kill -0 \"$run\" 2>/dev/null && [ \"$(left)\" -gt {Number(Margin)} ]; do sleep 1; done");
        Line("    stop");
        Line("}");
        Line("run= stopped= again= ended=");
        Line("trap 'ended=yes; stop' TERM");
        Line("trap warned USR1");
        Line("");
        Line(TakeOver ? "over=--take-over" : "over=");
        Line("# A task that was put back into the queue runs when the one before has ended, wherever that was.");
        Line("if [ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ]; then over=--take-over; fi");
        Line($"{string.Join(' ', Command.Select(Shell))} --part \"$SLURM_ARRAY_TASK_ID/{Number(Parts)}\" $over &");
        Line("run=$!");
        Line("# A signal that came before there was a run.");
        Line("if [ -n \"$ended\" ]; then stop; elif [ -n \"$again\" ]; then warned; fi");
        Line("wait \"$run\"");
        Line("code=$?");
        Line("# A signal ends the wait, and not the run.");
        Line("while kill -0 \"$run\" 2>/dev/null; do wait \"$run\"; code=$?; done");
        Line("wait \"$run\" 2>/dev/null");
        Line("last=$?");
        Line("if [ $last -ne 127 ]; then code=$last; fi");
        if (MaxTime is { } most)
            Line($"if [ $code -eq 3 ] && [ $SECONDS -ge {Number((long)Math.Floor(most.TotalSeconds))} ]; then again=yes; fi");
        Line("# 3: it was stopped, with checkpoints; 143: before it had begun, so that nothing is lost, but not for ever.");
        Line("if [ $code -eq 143 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -ge 20 ]; then again=; fi");
        Line("if [ -n \"$again\" ] && { [ $code -eq 3 ] || [ $code -eq 143 ]; }; then scontrol requeue \"${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\"; fi");
        Line("exit $code");
        return text.ToString();
    }

    /// <summary>Seconds of a task; null where the limit is the partition's.</summary>
    private long? Limit => Time is null ? null : SlurmTime.Seconds(Time);

    /// <summary>Seconds before the end of its time at which a task writes checkpoints; fewer for a short task.</summary>
    private long Margin => Limit is { } limit ? Math.Clamp(limit / 4, ShortestMargin, LongestMargin) : LongestMargin;

    private static string Word(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));

    /// <summary>A folder in an option line, in which some characters cannot be written.</summary>
    private static string Folder(string path) =>
        path.Any(c => char.IsControl(c) || c is '"' or '\\')
            ? throw new RunFileException(path, null, "has a name with a quotation mark, a backslash or a control character, which no option of sbatch can hold", "Choose another folder with --out, or give the command in another one.")
            : Quoted(path);

    /// <summary>A value of an option line of sbatch.</summary>
    private static string Quoted(string value) => value.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:%,+".Contains(c, StringComparison.Ordinal)) ? value : $"\"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    /// <summary>A word of a command line.</summary>
    private static string Shell(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}

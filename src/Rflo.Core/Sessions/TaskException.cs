namespace Rflo.Core;

/// <summary>Code that a session was given threw: a task's, or a function of a learning rule or of a probe. The message is what it said.</summary>
public sealed class TaskException : Exception
{
    private const string Task = "the task";

    /// <summary>What the code of a task threw, and in which step.</summary>
    /// <param name="step">The step that it could not make; 0 for the trial as a whole.</param>
    /// <param name="inner">What it threw.</param>
    public TaskException(int step, Exception inner)
        : this(step, Task, inner)
    {
    }

    /// <summary>What some code threw, and in which step.</summary>
    /// <param name="step">The step; 0 for the trial as a whole.</param>
    /// <param name="part">Whose code, such as "the probe x".</param>
    /// <param name="inner">What it threw.</param>
    public TaskException(int step, string part, Exception inner)
        : base(Said(inner), inner) => (Step, Part) = (step, part);

    /// <summary>The step in which it threw, from 1; 0 for the trial as a whole.</summary>
    public int Step { get; }

    /// <summary>Whose code threw, such as "the task".</summary>
    public string Part { get; }

    /// <summary>
    /// Whether what the task was given of the circuit was finite. Where it was not, the circuit diverged, and no code is at fault.
    /// </summary>
    internal bool IsCircuitFinite { get; init; } = true;

    /// <summary>What an exception says; with its type, where that is not one which people throw with words of their own.</summary>
    internal static string Said(Exception? inner) => inner switch
    {
        null => "",
        ArgumentException or InvalidOperationException => inner.Message,
        _ when inner.GetType() == typeof(Exception) => inner.Message,
        _ => $"{inner.Message} ({inner.GetType().Name})",
    };
}

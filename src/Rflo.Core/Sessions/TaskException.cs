namespace Rflo.Core;

/// <summary>Code that a session was given threw: a task's, or a function of a learning rule or of a probe. The message is that of its exception.</summary>
public sealed class TaskException : Exception
{
    private const string Task = "the task";

    /// <summary>An exception of a task's code, with the step.</summary>
    /// <param name="step">The step in which it threw; 0 for the trial as a whole.</param>
    /// <param name="inner">The exception that it threw.</param>
    public TaskException(int step, Exception inner)
        : this(step, Task, inner)
    {
    }

    /// <summary>An exception of user code, with the step.</summary>
    /// <param name="step">The step; 0 for the trial as a whole.</param>
    /// <param name="part">Whose code, such as "the probe x".</param>
    /// <param name="inner">The exception that it threw.</param>
    public TaskException(int step, string part, Exception inner)
        : base(MessageOf(inner), inner) => (Step, Part) = (step, part);

    /// <summary>The step in which it threw, from 1; 0 for the trial as a whole.</summary>
    public int Step { get; }

    /// <summary>Whose code threw, such as "the task".</summary>
    public string Part { get; }

    /// <summary>
    /// Whether the activity that the task read was finite. If not, the circuit diverged, and the code is not the cause.
    /// </summary>
    internal bool IsCircuitFinite { get; init; } = true;

    /// <summary>The message of an exception; with its type, unless that is one of the types that user code throws with its own message.</summary>
    internal static string MessageOf(Exception? inner) => inner switch
    {
        null => "",
        ArgumentException or InvalidOperationException => inner.Message,
        _ when inner.GetType() == typeof(Exception) => inner.Message,
        _ => $"{inner.Message} ({inner.GetType().Name})",
    };
}

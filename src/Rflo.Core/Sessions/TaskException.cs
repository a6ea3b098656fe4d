namespace Rflo.Core;

/// <summary>A task's own code threw; the message is what it said.</summary>
public sealed class TaskException : Exception
{
    /// <summary>What it said, and in which step.</summary>
    /// <param name="step">The step that it could not make; 0 for the trial as a whole.</param>
    /// <param name="inner">What it threw.</param>
    public TaskException(int step, Exception inner)
        : base(inner?.Message, inner) => Step = step;

    /// <summary>The step that it could not make, from 1; 0 where it could not begin the trial.</summary>
    public int Step { get; }
}

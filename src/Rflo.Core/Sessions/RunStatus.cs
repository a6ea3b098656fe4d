namespace Rflo.Core;

/// <summary>How a run ended.</summary>
public enum RunEnd
{
    /// <summary>All trials were run.</summary>
    Completed,

    /// <summary>A number stopped being finite, the loss is more than 1e15 times that of outputs that are all 0, or a weight more than 1e15 times the largest at the start.</summary>
    Diverged,

    /// <summary>It was cancelled; the current trial was finished.</summary>
    Cancelled,

    /// <summary>It was stopped early: the loss reached its target, or stopped falling.</summary>
    Stopped,

    /// <summary>Code that the session was given threw: a task's, a learning rule's or a probe's function, or the callback. The current trial was undone.</summary>
    Failed,
}

/// <summary>How a run ended, and where. A number that stopped being finite is an ending, not an exception.</summary>
/// <param name="End">How.</param>
/// <param name="Trial">The last trial that was run, or that could not be finished, from 0; -1 where there was none. In words, a run ends after
/// so many trials, and fails at a trial of that number.</param>
/// <param name="Step">The first step at which a number was not finite, or in which code threw; 0 where there was none.</param>
/// <param name="Where">The part in which that was, such as "area cortex", whose code threw and what, or why it stopped; empty after all trials.</param>
public sealed record RunStatus(RunEnd End, int Trial, int Step, string Where)
{
    /// <summary>Whether it ended as planned: after its last trial, or by early stopping.</summary>
    public bool IsWell => End is RunEnd.Completed or RunEnd.Stopped;

    private string Trials => Trial == 0 ? "1 trial" : $"{Trial + 1} trials";

    /// <inheritdoc/>
    public override string ToString() => End switch
    {
        RunEnd.Diverged => $"diverged at trial {Trial}, step {Step}, in {Where}",
        RunEnd.Failed when Step > 0 => $"failed at trial {Trial}, step {Step}, in {Where}",
        RunEnd.Failed => $"failed at trial {Trial}, in {Where}",
        RunEnd.Stopped => $"stopped after {Trials}: {Where}",
        RunEnd.Cancelled => $"cancelled after {Trials}",
        _ => $"completed {Trials}",
    };
}

namespace Rflo.Core;

/// <summary>
/// When an operator is carried out. The first three stages follow one another once a step, the others once a trial, in this order; within the
/// stages of learners the order of operators does not matter.
/// </summary>
public enum PlanStage
{
    /// <summary>The step of the circuit.</summary>
    Forward,

    /// <summary>Learners read errors and weights of the step.</summary>
    ObserveStep,

    /// <summary>Learners advance traces, and change weights if they learn online.</summary>
    ApplyStep,

    /// <summary>When the trial has ended: learners read errors and weights of it.</summary>
    ObserveTrial,

    /// <summary>Then they change weights, or the collected increments.</summary>
    ApplyTrial,

    /// <summary>When the last trial of an update has ended: the collected increments change the weights.</summary>
    ApplyUpdate,
}

/// <summary>A buffer that an operator reads.</summary>
/// <param name="Buffer">Its name.</param>
/// <param name="Lag">How many steps ago the values were written; 0 for the current step.</param>
public readonly record struct PlanRead(string Buffer, int Lag = 0)
{
    /// <summary>As a plan prints it.</summary>
    public override string ToString() => Lag == 0 ? Buffer : $"{Buffer} at t - {Lag}";
}

/// <summary>A calculation of a trial, with what it reads and what it writes.</summary>
/// <param name="Stage">When it is carried out.</param>
/// <param name="Name">What it computes, and of which part: "trace and update of cortex->cortex".</param>
/// <param name="Reads">The buffers that it reads.</param>
/// <param name="Writes">The names of the buffers that it writes.</param>
public sealed record PlanOperator(PlanStage Stage, string Name, IReadOnlyList<PlanRead> Reads, IReadOnlyList<string> Writes)
{
    /// <summary>The fast form in which it is carried out; empty for the plain one.</summary>
    public string Form { get; init; } = "";

    /// <summary>Whether its products with weights include deferred updates, so that deferring them does not change its results.</summary>
    public bool AddsDeferred { get; init; }

    /// <summary>Whether it is the same calculation, in any form.</summary>
    internal bool IsSame(PlanOperator other) => Name == other.Name && Stage == other.Stage;

    /// <summary>Whether it is carried out within the steps of a trial.</summary>
    internal bool IsInSteps => Stage <= PlanStage.ApplyStep;

    /// <summary>Whether it reads or writes a buffer.</summary>
    internal bool Touches(string buffer) => Writes.Contains(buffer) || Reads.Any(read => read.Buffer == buffer);

    /// <summary>When it is carried out, in words.</summary>
    internal string When => IsInSteps ? "in every step" : "when the trial has ended";
}

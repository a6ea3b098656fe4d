namespace Rflo.Core;

/// <summary>What the steps of a perturbation are counted from.</summary>
public enum WindowKind
{
    /// <summary>All steps.</summary>
    WholeTrial,

    /// <summary>From a number of steps to another.</summary>
    Steps,

    /// <summary>The steps that the task marks with an event, such as all of a phase.</summary>
    Event,

    /// <summary>A number of steps from the first that the task marks with an event.</summary>
    AfterEvent,
}

/// <summary>The steps of a trial in which a perturbation acts.</summary>
/// <param name="Kind">What they are counted from.</param>
/// <param name="Number">The number of the task's event.</param>
/// <param name="From">Steps before the first.</param>
/// <param name="To">Steps up to the last, that one among them.</param>
public readonly record struct PerturbationWindow(WindowKind Kind, int Number, int From, int To)
{
    /// <summary>All steps.</summary>
    public static PerturbationWindow WholeTrial => default;

    /// <summary>The steps t with from &lt; t &lt;= to: those that lie between the two times, in steps.</summary>
    public static PerturbationWindow Between(int from, int to) => new(WindowKind.Steps, 0, from, to);

    /// <summary>The steps that the task marks with event <paramref name="number"/>, from 0.</summary>
    public static PerturbationWindow AtEvent(int number) => new(WindowKind.Event, number, 0, 0);

    /// <summary>So many steps, from so many after the beginning of the first step of a trial that the task marks with event <paramref name="number"/>.</summary>
    /// <param name="number">Of the event, from 0.</param>
    /// <param name="after">Steps from its first step on that are left out.</param>
    /// <param name="steps">Steps that follow.</param>
    public static PerturbationWindow After(int number, int after, int steps) => new(WindowKind.AfterEvent, number, after, after + steps);

    /// <summary>Whether it is counted from an event of the task.</summary>
    internal bool IsOfEvent => Kind is WindowKind.Event or WindowKind.AfterEvent;
}

namespace Rflo.Core;

/// <summary>When the gate of a projection is open.</summary>
public enum GateKind
{
    /// <summary>In every step.</summary>
    Always,

    /// <summary>In steps k, 2k, 3k, ...</summary>
    Every,

    /// <summary>In the last step of a trial.</summary>
    TrialEnd,

    /// <summary>In the steps that the task marks with an event.</summary>
    Event,
}

/// <summary>The gate g(t) of a projection: 1 where it is open, 0 where it is shut.</summary>
/// <param name="Kind">When it opens.</param>
/// <param name="Number">Steps between openings, or the number of the task's event.</param>
public readonly record struct Gate(GateKind Kind, int Number)
{
    /// <summary>Open in every step.</summary>
    public static Gate Always => default;

    /// <summary>Open in steps k, 2k, 3k, ...</summary>
    public static Gate Every(int steps) => new(GateKind.Every, steps);

    /// <summary>Open in the last step of a trial.</summary>
    public static Gate TrialEnd => new(GateKind.TrialEnd, 0);

    /// <summary>Open in the steps that the task marks with event <paramref name="number"/>, from 0.</summary>
    public static Gate AtEvent(int number) => new(GateKind.Event, number);
}

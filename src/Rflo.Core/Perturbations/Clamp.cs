namespace Rflo.Core;

/// <summary>The signal of units is held at a value or at a time course.</summary>
/// <remarks>
/// Where the signal is the state (leaky rates, relays), the state is held with it: what follows begins from the value, and neither the currents of those steps
/// nor the state before them have any effect (A = 0, c = 0). Where the signal is a function of states (the current form, unit models), the states follow their
/// own equation, and only the signal is replaced (g = 0). A unit of a winner-take-all area is excluded from the choice. Signals that were sent before still arrive
/// where delays are longer. A signal that is NaN stays NaN, so that a divergence is detected.
/// </remarks>
/// <param name="Area">Which area.</param>
/// <param name="Units">Which of its units; all where null.</param>
/// <param name="Course">The signal.</param>
public sealed record Clamp(AreaId Area, IReadOnlyList<int>? Units, TimeCourse Course) : UnitPerturbation(Area, Units)
{
    internal override bool CutsStates => true;
}

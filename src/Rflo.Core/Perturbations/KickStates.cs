namespace Rflo.Core;

/// <summary>
/// A state of units is set, or is added to, at the end of one step: the first of the window each time that it begins. The signal of that step follows from the new state.
/// </summary>
/// <param name="Area">Which area; none of winner-take-all.</param>
/// <param name="Units">Which of its units; all where null.</param>
/// <param name="Values">The state, or what is added: one number for all units, or one for each.</param>
public sealed record KickStates(AreaId Area, IReadOnlyList<int>? Units, IReadOnlyList<double> Values) : UnitPerturbation(Area, Units)
{
    /// <summary>Whether the values are added; if not, they replace the state, which is then independent of earlier states.</summary>
    public bool Adds { get; init; } = true;

    /// <summary>Which state variable of a unit model; 0 is the first, and the only one of the core's other units.</summary>
    public int State { get; init; }

    internal override bool CutsStates => !Adds;
}

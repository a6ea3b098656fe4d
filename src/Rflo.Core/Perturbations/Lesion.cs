namespace Rflo.Core;

/// <summary>
/// Units are gone for the whole trial and before it: they send 0, at the initial state too, and neither currents nor noise reach them. The others are as in a circuit without these units.
/// </summary>
/// <param name="Area">Which area; none whose rates are carried from trial to trial.</param>
/// <param name="Units">Which of its units; all where null.</param>
public sealed record Lesion(AreaId Area, IReadOnlyList<int>? Units = null) : UnitPerturbation(Area, Units)
{
    internal override bool CutsStates => true;
}

namespace Rflo.Core;

/// <summary>
/// Units are removed for the whole trial, the initial state included: they send 0 and receive neither currents nor noise. The others are as in a circuit without these units.
/// </summary>
/// <param name="Area">Which area; none whose rates are carried from trial to trial.</param>
/// <param name="Units">Which of its units; all where null.</param>
public sealed record Lesion(AreaId Area, IReadOnlyList<int>? Units = null) : UnitPerturbation(Area, Units)
{
    internal override bool CutsStates => true;
}

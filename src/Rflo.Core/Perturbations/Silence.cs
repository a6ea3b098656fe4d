namespace Rflo.Core;

/// <summary>The signal of units is held at 0: a <see cref="Clamp"/> at 0, which see for what is held with it.</summary>
/// <param name="Area">Which area.</param>
/// <param name="Units">Which of its units; all where null.</param>
public sealed record Silence(AreaId Area, IReadOnlyList<int>? Units = null) : UnitPerturbation(Area, Units)
{
    internal override bool CutsStates => true;
}

namespace Rflo.Core;

/// <summary>A perturbation of units of one area.</summary>
/// <param name="Area">Which area.</param>
/// <param name="Units">Which of its units; all where null.</param>
public abstract record UnitPerturbation(AreaId Area, IReadOnlyList<int>? Units) : PerturbationSpec;

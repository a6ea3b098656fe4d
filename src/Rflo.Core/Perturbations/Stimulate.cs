namespace Rflo.Core;

/// <summary>A current is added to that of units: a constant, a time course, or noise.</summary>
/// <remarks>In steps in which a winner-take-all area makes no choice, there is no current and nothing is added.</remarks>
/// <param name="Area">Which area.</param>
/// <param name="Units">Which of its units; all where null.</param>
/// <param name="Course">The current.</param>
public sealed record Stimulate(AreaId Area, IReadOnlyList<int>? Units, TimeCourse Course) : UnitPerturbation(Area, Units)
{
    /// <summary>
    /// Standard deviation of a draw that is added too, for every unit and step. It is drawn from a stream of the perturbation's own, and is no part of the noise
    /// that rules learn from (<see cref="PostSignal.Noise"/>).
    /// </summary>
    public double Noise { get; init; }
}

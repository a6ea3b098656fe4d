namespace Rflo.Core;

/// <summary>
/// The currents of a projection are multiplied by a factor, and with them the presynaptic signals of its rule. At 0 it is cut; over a whole trial that is
/// the circuit without it. Where the transposed readout weights carry the error back, that is scaled too.
/// </summary>
/// <param name="Projection">Which projection.</param>
/// <param name="Factor">The factor of its currents.</param>
public sealed record ScaleProjection(ProjectionId Projection, double Factor) : PerturbationSpec
{
    /// <summary>
    /// The factor in all other steps and trials, those of unperturbed tests among them; 1 unless it is set. At 0 the projection exists only
    /// where the perturbation acts, such as one that takes the place of another.
    /// </summary>
    public double Otherwise { get; init; } = 1;
}

namespace Rflo.Core;

/// <summary>
/// The currents of a projection are multiplied by a factor, and what its rule takes for its presynaptic signals with them. At 0 it is cut; over a whole trial that is
/// the circuit without it. Where the readout's own weights carry its error back, that is scaled too.
/// </summary>
/// <param name="Projection">Which projection.</param>
/// <param name="Factor">What its currents are multiplied by.</param>
public sealed record ScaleProjection(ProjectionId Projection, double Factor) : PerturbationSpec;

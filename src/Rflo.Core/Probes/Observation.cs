namespace Rflo.Core;

/// <summary>A trial that was just trained, as a custom probe receives it: copies, so that the probe cannot change the run.</summary>
public sealed class Observation
{
    private readonly Func<ProjectionId, double[]> _weights;
    private readonly Func<AreaId, double[]> _timeConstants;
    private readonly Func<AreaId, double[]> _initialStates;

    internal Observation(int trial, Recording recording, Func<ProjectionId, double[]> weights, Func<AreaId, double[]> timeConstants, Func<AreaId, double[]> initialStates) =>
        (Trial, Recording, _weights, _timeConstants, _initialStates) = (trial, recording, weights, timeConstants, initialStates);

    /// <summary>Number of the trial, from 0.</summary>
    public int Trial { get; }

    /// <summary>What happened in it.</summary>
    public Recording Recording { get; }

    /// <summary>The weights of a projection after its update, as <see cref="Session.Weights"/> gives them.</summary>
    /// <exception cref="ArgumentException">There is no such projection.</exception>
    public double[] Weights(ProjectionId projection) => _weights(projection);

    /// <summary>The time constants of an area after its update, as <see cref="Session.TimeConstants"/> gives them.</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public double[] TimeConstants(AreaId area) => _timeConstants(area);

    /// <summary>The initial states of an area after its update, as <see cref="Session.InitialStates"/> gives them.</summary>
    /// <exception cref="ArgumentException">There is no such area.</exception>
    public double[] InitialStates(AreaId area) => _initialStates(area);
}

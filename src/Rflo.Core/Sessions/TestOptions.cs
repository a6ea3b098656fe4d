namespace Rflo.Core;

/// <summary>Which trial <see cref="Session.Test"/> shows, and what of it stays random.</summary>
public sealed record TestOptions
{
    /// <summary>Test trials, with the noise of the model and without exploration; the session is left as it was.</summary>
    public static TestOptions Default { get; } = new();

    /// <summary>The trial that training shows under the same number: its inputs, targets, noise and exploration.</summary>
    public static TestOptions AsTrained { get; } = new() { TrainingTrials = true, Exploration = true };

    /// <summary>
    /// Whether the numbers are those of the training's trials. Otherwise a test trial draws from streams of its own, so that it is none
    /// of the trials that training shows.
    /// </summary>
    public bool TrainingTrials { get; init; }

    /// <summary>Whether areas have their noise.</summary>
    public bool Noise { get; init; } = true;

    /// <summary>Whether winner-take-all areas explore.</summary>
    public bool Exploration { get; init; }

    /// <summary>Whether the perturbations of the graph act; without them it is the same trial as a control.</summary>
    public bool Perturbed { get; init; } = true;

    /// <summary>Whether what is carried from trial to trial goes on from this one, for the next test. Otherwise it is put back.</summary>
    public bool CarriesOver { get; init; }

    /// <summary>The number by which the random streams of a trial are told from others.</summary>
    internal long StreamOf(long trial) => TrainingTrials ? trial : RandomStream.TestTrial(trial);
}

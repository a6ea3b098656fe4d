namespace Rflo.Core;

/// <summary>Which trial <see cref="Session.Test"/> runs, and which of its parts are random.</summary>
public sealed record TestOptions
{
    /// <summary>Test trials, with the noise of the model and without exploration; the state of the session is restored.</summary>
    public static TestOptions Default { get; } = new();

    /// <summary>The trial of the training with the same number: its inputs, targets, noise and exploration.</summary>
    public static TestOptions AsTrained { get; } = new() { TrainingTrials = true, Exploration = true };

    /// <summary>
    /// Whether the numbers are those of the training's trials. Otherwise a test trial draws from streams of its own, so that it is none
    /// of the trials of the training.
    /// </summary>
    public bool TrainingTrials { get; init; }

    /// <summary>Whether areas have their noise.</summary>
    public bool Noise { get; init; } = true;

    /// <summary>Whether winner-take-all areas explore.</summary>
    public bool Exploration { get; init; }

    /// <summary>Whether the perturbations of the graph act; without them it is the same trial as a control.</summary>
    public bool Perturbed { get; init; } = true;

    /// <summary>Whether state that is carried from trial to trial is kept for the next test. Otherwise it is restored.</summary>
    public bool CarriesOver { get; init; }

    /// <summary>The number of the random streams of a trial.</summary>
    internal long StreamOf(long trial) => TrainingTrials ? trial : RandomStream.TestTrial(trial);
}

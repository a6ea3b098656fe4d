namespace Rflo.Runs;

/// <summary>A run between two trials: the state that it needs to continue with the same bits as without a stop.</summary>
/// <param name="Trial">Trials that were trained.</param>
/// <param name="Experiment">SHA-256 of the experiment, in hexadecimal: a checkpoint of another one is refused.</param>
/// <param name="State">The result of <see cref="Core.Session.Capture"/>.</param>
public sealed record Checkpoint(int Trial, string Experiment, IReadOnlyDictionary<string, double[]> State);

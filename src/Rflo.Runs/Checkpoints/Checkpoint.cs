namespace Rflo.Runs;

/// <summary>A run between two trials: what it needs to go on as if it had never stopped.</summary>
/// <param name="Trial">Trials that were trained.</param>
/// <param name="Experiment">SHA-256 of the experiment, in hexadecimal: a checkpoint of another one is refused.</param>
/// <param name="State">What <see cref="Core.Session.Capture"/> gave.</param>
public sealed record Checkpoint(int Trial, string Experiment, IReadOnlyDictionary<string, double[]> State);

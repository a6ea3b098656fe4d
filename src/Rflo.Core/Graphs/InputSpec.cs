namespace Rflo.Core;

/// <summary>One external input: a number of the task's channels under a name.</summary>
/// <param name="Name">Its name in the model.</param>
/// <param name="Channels">Number of channels, at least 1.</param>
public sealed record InputSpec(string Name, int Channels);

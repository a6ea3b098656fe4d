namespace Rflo.Core;

/// <summary>The results of test trials during training.</summary>
internal sealed class ValidationSeries(ValidationProbe probe)
{
    /// <summary>How many, and how often.</summary>
    public ValidationProbe Probe { get; } = probe;

    /// <summary>Mean losses.</summary>
    public ProbeSeries Loss { get; } = new("validation loss");

    /// <summary>Mean performances.</summary>
    public ProbeSeries Performance { get; } = new("validation performance");

    /// <summary>Whether test trials are run after a trial.</summary>
    public bool IsDue(int trial) => (trial + 1) % Probe.Every == 0;
}

namespace Rflo.Runs;

/// <summary>The names of the files in a run folder; the script keeps its own name.</summary>
public static class RunFileNames
{
    /// <summary>What was run, where, and how it ended.</summary>
    public const string Manifest = "manifest.json";

    /// <summary>A row of numbers for each trial.</summary>
    public const string Metrics = "metrics.csv";

    /// <summary>Weights, initial and final.</summary>
    public const string Weights = "weights.npz";

    /// <summary>What probes recorded.</summary>
    public const string Activity = "activity.npz";

    /// <summary>The picture of the circuit.</summary>
    public const string Picture = "circuit.svg";

    /// <summary>The report.</summary>
    public const string Report = "report.html";
}

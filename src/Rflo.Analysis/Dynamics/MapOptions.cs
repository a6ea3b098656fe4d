namespace Rflo.Analysis;

/// <summary>How a circuit becomes a map.</summary>
public sealed record MapOptions
{
    /// <summary>The defaults: steps of 1 ms, no gate.</summary>
    public static MapOptions Standard { get; } = new();

    /// <summary>Duration of a step in ms, for time constants and rates per second.</summary>
    public double Dt { get; init; } = 1;

    /// <summary>Whether each projection with a gate is open or shut, by its name. A map at constant inputs has no steps that could decide it.</summary>
    public IReadOnlyDictionary<string, bool> Open { get; init; } = new Dictionary<string, bool>();
}

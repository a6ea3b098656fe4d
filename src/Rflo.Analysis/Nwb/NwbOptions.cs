namespace Rflo.Analysis;

/// <summary>What of a file is read.</summary>
public sealed record NwbOptions
{
    /// <summary>All units, up to 4 GiB of numbers.</summary>
    public static NwbOptions Standard { get; } = new();

    /// <summary>The areas whose units are read; null for all. Spike times of other units are not read.</summary>
    public IReadOnlyCollection<string>? Areas { get; init; }

    /// <summary>Most bytes that spike times may take in memory together, and that any other dataset may take; 4 GiB. A file that exceeds it is refused before memory is taken.</summary>
    public long MaxBytes { get; init; } = 4L << 30;
}

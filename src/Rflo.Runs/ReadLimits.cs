namespace Rflo.Runs;

/// <summary>The limits of a file that is read; the defaults suit files of unknown origin.</summary>
/// <remarks>A file that exceeds a limit is refused by name before memory is allocated for it.</remarks>
public sealed record ReadLimits
{
    /// <summary>Limits for files from anywhere: 4 GiB of numbers, 200 to 1 compression beyond 16 MiB, 10,000 arrays, 64 MiB of text.</summary>
    public static ReadLimits Default { get; } = new();

    /// <summary>Most bytes that the arrays of one file may take together, as doubles in memory; 4 GiB.</summary>
    public long MaxTotalBytes { get; init; } = 4L << 30;

    /// <summary>Most unpacked bytes for one packed byte, of a member and of the whole file; 200. Zeros alone reach about 1000.</summary>
    public double MaxRatio { get; init; } = 200;

    /// <summary>Unpacked bytes up to which the ratio does not matter; 16 MiB.</summary>
    public long RatioFreeBytes { get; init; } = 16L << 20;

    /// <summary>Most arrays in one file; 10,000.</summary>
    public int MaxMembers { get; init; } = 10_000;

    /// <summary>Most bytes of a manifest; 64 MiB.</summary>
    public long MaxTextBytes { get; init; } = 64L << 20;
}

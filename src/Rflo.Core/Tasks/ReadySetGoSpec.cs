namespace Rflo.Core;

/// <summary>The parameters of an interval-matching task: all times in steps. Murray (2019), Fig 3, does not give most of them.</summary>
public sealed record ReadySetGoSpec
{
    /// <summary>Step t1 at which the first pulse peaks, at least 1.</summary>
    public required int FirstPulse { get; init; }

    /// <summary>
    /// The delays d: either the shortest and the longest, between which each trial draws evenly, or a list that trials go
    /// through in turn, if <see cref="InTurn"/>. Each at least 1.
    /// </summary>
    public required int[] Delays { get; init; }

    /// <summary>Whether trial k takes delay k of the list, modulo its length, instead of drawing one.</summary>
    public bool InTurn { get; init; }

    /// <summary>Standard deviation of the pulses, in steps; more than 0.</summary>
    public required double Width { get; init; }

    /// <summary>Height of the input pulses.</summary>
    public double Amplitude { get; init; } = 1;

    /// <summary>Height of the target's pulse.</summary>
    public double TargetAmplitude { get; init; } = 1;

    /// <summary>Steps after the latest possible peak of the target.</summary>
    public required int Tail { get; init; }

    /// <summary>1: both pulses on one channel; 2: each on its own.</summary>
    public int Channels { get; init; } = 1;
}

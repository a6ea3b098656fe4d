namespace Rflo.Core;

/// <summary>What kind of signal a projection carries.</summary>
public enum SignalKind
{
    /// <summary>Rates of an area, one or more steps old; onto a readout, those of this step.</summary>
    Area,

    /// <summary>An external input, of this step.</summary>
    Input,

    /// <summary>Outputs of a readout, one or more steps old.</summary>
    Readout,

    /// <summary>The constant 1: its weights are biases.</summary>
    One,
}

/// <summary>Where a projection comes from.</summary>
public sealed record Source
{
    private Source(SignalKind kind, int index, int delay, int[]? units) => (Kind, Index, Delay, Units) = (kind, index, delay, units is null ? null : [.. units]);

    /// <summary>The constant 1.</summary>
    public static Source One { get; } = new(SignalKind.One, 0, 0, null);

    /// <summary>What kind of signal this is.</summary>
    public SignalKind Kind { get; }

    /// <summary>Which one of its kind.</summary>
    public int Index { get; }

    /// <summary>How many steps old the signal is when it arrives.</summary>
    public int Delay { get; }

    /// <summary>The units, channels or outputs taken, in order; all of them where null.</summary>
    public int[]? Units { get; }

    /// <summary>Rates of an area.</summary>
    /// <param name="area">Which area.</param>
    /// <param name="delay">Age of the rates in steps, at least 1; a projection onto a readout has no delay and ignores it.</param>
    /// <param name="units">A population of the area, or null for all of it.</param>
    public static Source Area(AreaId area, int delay = 1, int[]? units = null) => new(SignalKind.Area, area.Index, delay, units);

    /// <summary>Channels of an external input, of the same step.</summary>
    public static Source Input(InputId input, int[]? channels = null) => new(SignalKind.Input, input.Index, 0, channels);

    /// <summary>Outputs of a readout, at least one step old.</summary>
    public static Source Readout(ReadoutId readout, int delay = 1, int[]? outputs = null) => new(SignalKind.Readout, readout.Index, delay, outputs);
}

/// <summary>Where a projection ends.</summary>
public sealed record Target
{
    private Target(bool isReadout, int index, int[]? units) => (IsReadout, Index, Units) = (isReadout, index, units is null ? null : [.. units]);

    /// <summary>Whether the target is a readout rather than an area.</summary>
    public bool IsReadout { get; }

    /// <summary>Which area or readout.</summary>
    public int Index { get; }

    /// <summary>The units that receive, in order; all of them where null.</summary>
    public int[]? Units { get; }

    /// <summary>Units of an area.</summary>
    public static Target Area(AreaId area, int[]? units = null) => new(false, area.Index, units);

    /// <summary>All outputs of a readout.</summary>
    public static Target Readout(ReadoutId readout) => new(true, readout.Index, null);
}

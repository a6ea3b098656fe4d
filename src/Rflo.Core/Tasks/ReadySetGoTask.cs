namespace Rflo.Core;

/// <summary>
/// Interval matching (Murray 2019, Fig 3): two Gaussian pulses, ready and set, a delay d apart; the output must make a third,
/// go, after the same delay. x(t) = a exp(-(t - t1)^2 / 2w^2) + a exp(-(t - t1 - d)^2 / 2w^2),
/// y*(t) = b exp(-(t - t1 - 2d)^2 / 2w^2).
/// </summary>
/// <remarks>All trials have the same length, t1 + 2 max d + tail, so the length carries no information about the delay.</remarks>
public sealed class ReadySetGoTask : ITask
{
    private readonly ReadySetGoSpec _spec;

    /// <summary>The task of those times.</summary>
    /// <exception cref="ArgumentException">There is no delay, or a number is out of range.</exception>
    public ReadySetGoTask(ReadySetGoSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Delays.Length == 0 || (!spec.InTurn && spec.Delays.Length != 2))
            ThrowHelper.ShapeMismatch(nameof(spec.Delays), spec.Delays.Length, spec.InTurn ? 1 : 2, "the delays");
        foreach (int delay in spec.Delays)
            if (delay < 1)
                ThrowHelper.NotPositive(nameof(spec.Delays), delay);
        if (!spec.InTurn && spec.Delays[0] > spec.Delays[1])
            ThrowHelper.OutOfRange(nameof(spec.Delays), spec.Delays[0], $"at most the longest, {spec.Delays[1]}");
        if (!(spec.Width > 0))
            ThrowHelper.OutOfRange(nameof(spec.Width), spec.Width, "more than 0");
        if (spec.Channels is not 1 and not 2)
            ThrowHelper.OutOfRange(nameof(spec.Channels), spec.Channels, "1 or 2");
        _spec = spec with { Delays = [.. spec.Delays] };
        MaxSteps = spec.FirstPulse + 2 * spec.Delays.Max() + spec.Tail;
    }

    /// <inheritdoc/>
    public int Inputs => _spec.Channels;

    /// <inheritdoc/>
    public int Outputs => 1;

    /// <inheritdoc/>
    public bool IsPerformancePure => true;

    /// <inheritdoc/>
    public int MaxSteps { get; }

    /// <inheritdoc/>
    public int Events => 0;

    /// <summary>"delay", in steps.</summary>
    public IReadOnlyList<string> Conditions { get; } = ["delay"];

    /// <inheritdoc/>
    public void Fill(int trial, RandomStream stream, Trial into)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(into);
        int[] delays = _spec.Delays;
        int delay = _spec.InTurn ? delays[(int)((uint)trial % (uint)delays.Length)] : stream.Between(delays[0], delays[1] + 1);
        into.Steps = MaxSteps;
        if (into.Conditions.Length > 0)
            into.Conditions[0] = delay;
        into.Mask.AsSpan().Fill(1);
        for (int t = 1; t <= MaxSteps; t++)
        {
            double ready = Pulse(t - _spec.FirstPulse), set = Pulse(t - _spec.FirstPulse - delay);
            Span<double> inputs = into.Inputs.AsSpan((t - 1) * Inputs, Inputs);
            inputs[0] = _spec.Amplitude * (Inputs == 1 ? ready + set : ready);
            if (Inputs == 2)
                inputs[1] = _spec.Amplitude * set;
            into.Targets[t - 1] = _spec.TargetAmplitude * Pulse(t - _spec.FirstPulse - 2 * delay);
        }
    }

    private double Pulse(double distance) => Math.Exp(-distance * distance / (2 * _spec.Width * _spec.Width));
}

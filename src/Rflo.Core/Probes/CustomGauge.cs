using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rflo.Core;

/// <summary>A number that user code measures. It is taken before any other probe reads, since that code may throw.</summary>
internal sealed class CustomGauge<T>(CustomProbe probe, Func<int, Observation> observe) : Gauge<T>([probe.Name])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private double _value;

    /// <summary>Takes the measurement of a trial.</summary>
    /// <exception cref="TaskException">The function threw.</exception>
    [SuppressMessage("Design", "CA1031", Justification = "A probe is user code and may throw anything.")]
    public void Take(int trial)
    {
        try
        {
            _value = probe.Measure(observe(trial));
        }
        catch (Exception e)
        {
            throw new TaskException(0, $"the probe {probe.Name}", e);
        }
    }

    public override IReadOnlyList<double> Read(int trial) => [_value];
}

using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rflo.Core;

/// <summary>A number of somebody's own.</summary>
internal sealed class CustomGauge<T>(CustomProbe probe, Func<int, Observation> observe) : Gauge<T>([probe.Name])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What its code said when it first threw.</summary>
    public string? Failure { get; private set; }

    [SuppressMessage("Design", "CA1031", Justification = "A probe is somebody else's code and may throw anything; the run is worth more.")]
    public override IReadOnlyList<double> Read(int trial)
    {
        try
        {
            return [probe.Measure(observe(trial))];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Failure ??= $"trial {trial}: {e.Message}";
            return [double.NaN];
        }
    }
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>The spectral radius of an area's weights onto itself.</summary>
internal sealed class SpectralRadiusGauge<T>(AreaState<T> area) : Gauge<T>([$"spectral-radius {area.Spec.Name}"])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public override IReadOnlyList<double> Read(int trial) => [SpectralRadius.Of(SquareMatrix.OfArea(area))];
}

/// <summary>The dimensions in which an area's rates moved.</summary>
internal sealed class ParticipationGauge<T>(AreaState<T> area, Func<double[]> rates) : Gauge<T>([$"participation-ratio {area.Spec.Name}"])
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public override IReadOnlyList<double> Read(int trial) => [ParticipationRatio.Of(rates(), area.Units)];
}

/// <summary>The mean rate of an area, and how much of it is saturated.</summary>
internal sealed class RatesGauge<T>(AreaState<T> area, Func<double[]> rates) : Gauge<T>(Names(area.Spec))
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public override IReadOnlyList<double> Read(int trial)
    {
        double[] all = rates();
        double mean = all.Average();
        return HasSlope(area.Spec) ? [mean, Saturation(all.Length / area.Units)] : [mean];
    }

    private double Saturation(int steps)
    {
        double least = 0.1 * (area.Spec.Transfer == Transfer.Sigmoid ? 0.25 : 1), flat = 0;
        for (int t = 1; t <= steps; t++)
            for (int i = 0; i < area.Units; i++)
                if (area.HasGain
                    ? double.CreateTruncating(area.Gain(t)[i]) < least
                    : double.CreateTruncating(area.Post(t)[i]) < least * double.CreateTruncating(area.Alpha.Span[i]))
                    flat++;
        return flat / steps / area.Units;
    }

    private static bool HasSlope(AreaSpec spec) => spec.Dynamics != Dynamics.WinnerTakeAll && spec.Model is null;

    private static string[] Names(AreaSpec spec) =>
        HasSlope(spec) ? [$"mean-rate {spec.Name}", $"saturation {spec.Name}"] : [$"mean-rate {spec.Name}"];
}

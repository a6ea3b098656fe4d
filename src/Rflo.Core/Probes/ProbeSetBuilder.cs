using System.Numerics;

namespace Rflo.Core;

/// <summary>Makes probes for a network: finds areas, and shares equal passive rules among probes.</summary>
/// <param name="network">The network that they measure.</param>
/// <param name="blocks">Its projections.</param>
/// <param name="rates">The rates of an area in the last trial, shape (steps, units).</param>
/// <param name="observe">The last trial, for custom probes.</param>
internal sealed class ProbeSetBuilder<T>(Network<T> network, IReadOnlyList<Block<T>> blocks, Func<AreaState<T>, double[]> rates, Func<int, Observation> observe)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dictionary<(LearningRule?, UpdateTime), PassiveUpdate<T>> _passive = [];

    /// <exception cref="ArgumentException">An area is unknown, an interval is below 1, or two probes have a column of one name.</exception>
    public ProbeSet<T> Build(IEnumerable<ProbeSpec> probes)
    {
        var set = new ProbeSet<T>();
        foreach (ProbeSpec probe in probes)
        {
            if (probe.Every < 1)
                ThrowHelper.NotPositive(nameof(probe.Every), probe.Every);
            if (probe is ValidationProbe validation)
                set.Add(validation);
            else
                set.Add(probe.Every, GaugeOf(probe));
        }

        return set;
    }

    private Gauge<T> GaugeOf(ProbeSpec probe) => probe switch
    {
        AngleProbe angle => new AngleGauge<T>(network.Graph, angle, PassiveOf(angle.Rule), PassiveOf(angle.Reference)),
        SpectralRadiusProbe radius => new SpectralRadiusGauge<T>(AreaOf(radius.Area)),
        ParticipationProbe ratio when AreaOf(ratio.Area) is var area => new ParticipationGauge<T>(area, () => rates(area)),
        RatesProbe mean when AreaOf(mean.Area) is var area => new RatesGauge<T>(area, () => rates(area)),
        WeightChangeProbe => new WeightChangeGauge<T>(blocks),
        DaleProbe => new DaleGauge<T>(blocks),
        MaskProbe => new MaskGauge<T>(network.Graph, blocks),
        CustomProbe custom => new CustomGauge<T>(custom, observe),
        _ => throw new NotSupportedException($"There is no measurement for the probe {probe}."),
    };

    private PassiveUpdate<T> PassiveOf(PassiveRule rule)
    {
        (LearningRule?, UpdateTime) key = (rule.Rule, rule.Rule is null ? default : rule.Time);
        if (!_passive.TryGetValue(key, out PassiveUpdate<T>? passive))
            _passive[key] = passive = new PassiveUpdate<T>(network, rule);
        return passive;
    }

    private AreaState<T> AreaOf(AreaId area)
    {
        if (area.Index < 0 || area.Index >= network.Areas.Length)
            ThrowHelper.Unknown(nameof(area), area.Index, network.Areas.Length);
        return network.Areas[area.Index];
    }
}

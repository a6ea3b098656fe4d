using System.Numerics;

namespace Rflo.Core;

/// <summary>The probes of a session, when each is due, and what they have measured.</summary>
internal sealed class ProbeSet<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<(int Every, Gauge<T> Gauge, ProbeSeries[] Series)> _probes = [];

    /// <summary>What was measured, column by column.</summary>
    public IReadOnlyList<ProbeSeries> Series => [.. _probes.SelectMany(probe => probe.Series)];

    /// <summary>Adds a probe that is due in every so many trials.</summary>
    /// <exception cref="ArgumentException">A column has the name of an earlier one.</exception>
    public void Add(int every, Gauge<T> gauge)
    {
        foreach (string column in gauge.Columns)
            if (Series.Any(series => series.Name == column))
                ThrowHelper.Invalid($"Two probes measure {column}.");
        _probes.Add((every, gauge, [.. gauge.Columns.Select(column => new ProbeSeries(column))]));
    }

    /// <summary>The rules that must watch a trial before it is trained, each once.</summary>
    public IReadOnlyList<PassiveUpdate<T>> Passive(int trial) =>
        _probes.Count == 0 ? [] : [.. _probes.Where(probe => trial % probe.Every == 0).SelectMany(probe => probe.Gauge.Passive).Distinct()];

    /// <summary>Shows what probes keep from one measurement to the next; what they measured is with the metrics.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < _probes.Count; k++)
            _probes[k].Gauge.Visit(visitor.Of($"probe{k}"));
    }

    /// <summary>After a trial was trained: takes the measurements that are due.</summary>
    public void Read(int trial)
    {
        foreach ((int every, Gauge<T> gauge, ProbeSeries[] series) in _probes)
        {
            if (trial % every != 0)
                continue;
            IReadOnlyList<double> values = gauge.Read(trial);
            for (int k = 0; k < series.Length; k++)
                series[k].Add(trial, values[k]);
            if (gauge is CustomGauge<T> { Failure: { } failure })
                series[0].Failure = failure;
        }
    }
}

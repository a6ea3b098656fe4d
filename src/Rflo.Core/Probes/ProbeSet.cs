using System.Numerics;

namespace Rflo.Core;

/// <summary>The probes of a session, when each is due, and what they have measured.</summary>
internal sealed class ProbeSet<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<(int Every, Gauge<T> Gauge, ProbeSeries[] Series)> _probes = [];

    /// <summary>What was measured, column by column.</summary>
    public IReadOnlyList<ProbeSeries> Series =>
        [.. _probes.SelectMany(probe => probe.Series), .. Validation is { } validation ? new[] { validation.Loss, validation.Performance } : []];

    /// <summary>The results of test trials; null where none are run.</summary>
    public ValidationSeries? Validation { get; private set; }

    /// <summary>Adds the validation by test trials.</summary>
    /// <exception cref="ArgumentException">There is such a probe, or a column has its name.</exception>
    public void Add(ValidationProbe probe)
    {
        if (probe.Trials < 1)
            ThrowHelper.NotPositive(nameof(probe.Trials), probe.Trials);
        var validation = new ValidationSeries(probe);
        foreach (ProbeSeries series in Series)
            if (series.Name == validation.Loss.Name || series.Name == validation.Performance.Name)
                ThrowHelper.Invalid($"Two probes measure {series.Name}.");
        Validation = validation;
    }

    /// <summary>Adds a probe that is due in every so many trials.</summary>
    /// <exception cref="ArgumentException">A column has the name of an earlier one.</exception>
    public void Add(int every, Gauge<T> gauge)
    {
        foreach (string column in gauge.Columns)
            if (Series.Any(series => series.Name == column))
                ThrowHelper.Invalid($"Two probes measure {column}.");
        _probes.Add((every, gauge, [.. gauge.Columns.Select(column => new ProbeSeries(column))]));
    }

    /// <summary>The passive rules that must run through a trial before it is trained, each once.</summary>
    public IReadOnlyList<PassiveUpdate<T>> Passive(int trial) =>
        _probes.Count == 0 ? [] : [.. _probes.Where(probe => trial % probe.Every == 0).SelectMany(probe => probe.Gauge.Passive).Distinct()];

    /// <summary>All passive rules, each once.</summary>
    public IEnumerable<PassiveUpdate<T>> AllPassive => _probes.SelectMany(probe => probe.Gauge.Passive).Distinct();

    /// <summary>Saves or restores what probes keep from one measurement to the next; what they measured is with the metrics.</summary>
    public void Visit(StateVisitor visitor)
    {
        for (int k = 0; k < _probes.Count; k++)
            _probes[k].Gauge.Visit(visitor.Of("probe", k));
    }

    /// <summary>Whether anything is measured in a trial.</summary>
    public bool IsDue(int trial)
    {
        foreach ((int every, _, _) in _probes)
            if (trial % every == 0)
                return true;
        return false;
    }

    /// <summary>Whether user code runs in a measurement of a trial, or in a passive rule of it.</summary>
    public bool RunsUserCode(int trial)
    {
        foreach ((int every, Gauge<T> gauge, _) in _probes)
        {
            if (trial % every != 0)
                continue;
            if (gauge is CustomGauge<T>)
                return true;
            foreach (PassiveUpdate<T> passive in gauge.Passive)
                if (passive.HasFunction)
                    return true;
        }

        return false;
    }

    /// <summary>After the time constants of an area were set between two trials.</summary>
    public void FollowTimeConstants(AreaState<T> area)
    {
        foreach (PassiveUpdate<T> passive in AllPassive)
            passive.Learners.FollowTimeConstants(area);
    }

    /// <summary>After a trial was trained: takes the measurements that are due. None is added where one cannot be taken.</summary>
    /// <exception cref="TaskException">The function of a probe threw.</exception>
    public void Read(int trial)
    {
        foreach ((int every, Gauge<T> gauge, ProbeSeries[] series) in _probes)
        {
            if (trial % every != 0 || gauge is not CustomGauge<T> custom)
                continue;
            try
            {
                custom.Take(trial);
            }
            catch (TaskException e)
            {
                series[0].Failure = $"trial {trial}: {e.Message}";
                throw;
            }
        }

        foreach ((int every, Gauge<T> gauge, ProbeSeries[] series) in _probes)
        {
            if (trial % every != 0)
                continue;
            IReadOnlyList<double> values = gauge.Read(trial);
            for (int k = 0; k < series.Length; k++)
                series[k].Add(trial, values[k]);
        }
    }
}

using System.Runtime.InteropServices;

namespace Rflo.Core;

/// <summary>The numbers of one column of a probe.</summary>
public sealed class ProbeSeries
{
    private readonly List<int> _trials = [];
    private readonly List<double> _values = [];

    internal ProbeSeries(string name) => Name = name;

    /// <summary>Its name, such as "spectral-radius cortex".</summary>
    public string Name { get; }

    /// <summary>In which trial the probe's own code threw, and what; null where it never did.</summary>
    public string? Failure { get; internal set; }

    /// <summary>Number of measurements.</summary>
    public int Count => _trials.Count;

    /// <summary>What was measured last; NaN where nothing was yet.</summary>
    public double Last => Count == 0 ? double.NaN : _values[^1];

    /// <summary>The trials in which it was measured, from 0; an array of its own.</summary>
    public int[] CopyTrials() => [.. _trials];

    /// <summary>What was measured in them; an array of its own.</summary>
    public double[] CopyValues() => [.. _values];

    /// <summary>Saves or restores what was measured; a visitor that restores a number of measurements finds the room for them.</summary>
    internal void Visit(StateVisitor visitor)
    {
        int count = Count;
        visitor.Visit("count", ref count);
        if (visitor.Restores)
        {
            CollectionsMarshal.SetCount(_trials, count);
            CollectionsMarshal.SetCount(_values, count);
        }

        visitor.Visit("trials", CollectionsMarshal.AsSpan(_trials));
        visitor.Visit("values", CollectionsMarshal.AsSpan(_values));
    }

    internal (int Trial, double Value) this[int k] => (_trials[k], _values[k]);

    internal void Add(int trial, double value)
    {
        _trials.Add(trial);
        _values.Add(value);
    }
}

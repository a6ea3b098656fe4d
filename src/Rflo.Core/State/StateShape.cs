namespace Rflo.Core;

/// <summary>Compares a state that was saved elsewhere with what a session needs, before anything is changed.</summary>
internal static class StateShape
{
    /// <summary>Metrics have the length of the run that saved them; measurements of a probe have the length in its own counter.</summary>
    private const string Metrics = "metrics.", Probe = "metrics.probe", Count = "count", Trials = "trials";

    /// <param name="own">The parts that the session needs, and how many numbers each has.</param>
    /// <param name="given">The state from elsewhere.</param>
    /// <exception cref="ArgumentException">They differ.</exception>
    public static void Check(IReadOnlyDictionary<string, int> own, IReadOnlyDictionary<string, double[]> given)
    {
        foreach (string name in given.Keys)
            if (!own.ContainsKey(name))
                ThrowHelper.Invalid($"The state has a part '{name}' that this run does not have.");
        foreach ((string name, int length) in own)
        {
            if (!given.TryGetValue(name, out double[]? found))
                ThrowHelper.Invalid($"The state lacks the part '{name}'.");
            int needed = CounterOf(name) is { } counter ? Number(given, counter) : length;
            if (found!.Length != needed)
                ThrowHelper.Invalid($"The part '{name}' of the state has {found.Length} numbers and needs {needed}.");
        }
    }

    /// <summary>The name of the number that has the length of a part; null where the length is fixed.</summary>
    private static string? CounterOf(string name)
    {
        if (name.StartsWith(Probe, StringComparison.Ordinal))
            return name.EndsWith("." + Count, StringComparison.Ordinal) ? null : name[..(name.LastIndexOf('.') + 1)] + Count;
        return name.StartsWith(Metrics, StringComparison.Ordinal) && name is not (Metrics + Trials) ? Metrics + Trials : null;
    }

    private static int Number(IReadOnlyDictionary<string, double[]> given, string counter)
    {
        if (given.TryGetValue(counter, out double[]? found) && found is [>= 0 and <= int.MaxValue and var count] && count == Math.Floor(count))
            return (int)count;
        ThrowHelper.Invalid($"The state lacks the length of its parts: '{counter}' is not a whole number of at least 0.");
        return 0;
    }
}

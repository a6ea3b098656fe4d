namespace Rflo.Core;

/// <summary>Compares a state from elsewhere with what a session needs, before anything is changed.</summary>
internal static class StateShape
{
    /// <summary>Metrics are as long as the run that left them.</summary>
    private const string Metrics = "metrics.";

    /// <param name="own">The session's own state: its names and lengths are what is needed.</param>
    /// <param name="given">The state from elsewhere.</param>
    /// <exception cref="ArgumentException">They differ.</exception>
    public static void Check(IReadOnlyDictionary<string, double[]> own, IReadOnlyDictionary<string, double[]> given)
    {
        foreach (string name in given.Keys)
            if (!own.ContainsKey(name))
                ThrowHelper.Invalid($"The state has a part '{name}' that this run does not have.");
        int trials = Trials(given);
        foreach ((string name, double[] values) in own)
        {
            if (!given.TryGetValue(name, out double[]? found))
                ThrowHelper.Invalid($"The state lacks the part '{name}'.");
            int needed = IsOfTrials(name) ? trials : values.Length;
            if (found!.Length != needed)
                ThrowHelper.Invalid($"The part '{name}' of the state has {found.Length} numbers and needs {needed}.");
        }
    }

    private static bool IsOfTrials(string name) =>
        name.StartsWith(Metrics, StringComparison.Ordinal) && name is not (Metrics + "trials" or Metrics + "best");

    private static int Trials(IReadOnlyDictionary<string, double[]> given)
    {
        if (given.TryGetValue(Metrics + "trials", out double[]? trials) && trials is [>= 0 and <= int.MaxValue and var count] && count == Math.Floor(count))
            return (int)count;
        ThrowHelper.Invalid("The state does not say how many trials it has.");
        return 0;
    }
}

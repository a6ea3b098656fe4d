namespace Rflo.Analysis;

/// <summary>Trials in two parts: those that something is fitted to, and those that it is tested on.</summary>
public sealed class TrialSplit
{
    private TrialSplit(int[] train, int[] test) => (Train, Test) = (train, test);

    /// <summary>The numbers of the trials to fit to, from 0, rising.</summary>
    public IReadOnlyList<int> Train { get; }

    /// <summary>The numbers of the trials to test on, from 0, rising: all others.</summary>
    public IReadOnlyList<int> Test { get; }

    /// <summary>Splits trials within each condition: trial k of a condition, counted from 1 in the order of the trials, is a test trial where k is a multiple of <paramref name="every"/>.</summary>
    /// <remarks>Nothing is drawn. Both parts have trials of every condition, from the beginning of the session to its end.</remarks>
    /// <param name="conditions">The condition of each trial.</param>
    /// <param name="every">One trial in how many is a test trial; at least 2.</param>
    /// <exception cref="ArgumentException">It is less than 2, there is no trial, or a condition has fewer trials.</exception>
    public static TrialSplit WithinConditions(IReadOnlyList<int> conditions, int every)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        if (every < 2)
            throw new ArgumentException($"split: one trial in {every} to test on leaves none to fit to; take one in 2 or more.");
        if (conditions.Count == 0)
            throw new ArgumentException("split: there is no trial.");
        Dictionary<int, int> seen = [];
        bool[] isTest = new bool[conditions.Count];
        for (int trial = 0; trial < isTest.Length; trial++)
        {
            int number = seen.GetValueOrDefault(conditions[trial]) + 1;
            seen[conditions[trial]] = number;
            isTest[trial] = number % every == 0;
        }

        foreach ((int condition, int count) in seen.OrderBy(pair => pair.Key))
            if (count < every)
                throw new ArgumentException($"split: condition {condition} has {count} trials, so one in {every} to test on is none. {(count < 2 ? "Leave that condition out" : $"Take one in {count}")}, or record more trials of it.");
        return new TrialSplit([.. Numbers(isTest, false)], [.. Numbers(isTest, true)]);
    }

    /// <summary>How many trials are in each part.</summary>
    public override string ToString() => $"{Train.Count} trials to fit to, {Test.Count} to test on";

    private static IEnumerable<int> Numbers(bool[] isTest, bool wanted) => Enumerable.Range(0, isTest.Length).Where(trial => isTest[trial] == wanted);
}

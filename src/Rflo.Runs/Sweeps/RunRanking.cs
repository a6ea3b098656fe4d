namespace Rflo.Runs;

/// <summary>What runs are ranked by: NaN where a run has no such number.</summary>
/// <param name="ValidationPerformance">Mean performance of the last validation.</param>
/// <param name="ValidationLoss">Mean loss of the last validation.</param>
/// <param name="FinalLoss">Mean loss of the last trials of the training.</param>
public readonly record struct RunScore(double ValidationPerformance, double ValidationLoss, double FinalLoss)
{
    /// <summary>The score of a run that diverged or failed: what it measured before says nothing of what it left.</summary>
    public static RunScore None { get; } = new(double.NaN, double.NaN, double.NaN);
}

/// <summary>Which number decides the rank.</summary>
public enum RankedBy
{
    /// <summary>The performance of the last validation, the largest first; of equal ones its loss decides.</summary>
    ValidationPerformance,

    /// <summary>The loss of the last validation, the smallest first.</summary>
    ValidationLoss,

    /// <summary>The final loss of the training, the smallest first.</summary>
    FinalLoss,
}

/// <summary>
/// The order of runs, the best first: by what trials show that training did not, where any run validates, else by the loss of the training.
/// </summary>
public static class RunRanking
{
    /// <summary>The number that ranks these runs: a validation's performance before its loss, and that before the loss of the training.</summary>
    public static RankedBy Criterion(IReadOnlyList<RunScore> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        if (runs.Any(run => double.IsFinite(run.ValidationPerformance)))
            return RankedBy.ValidationPerformance;
        return runs.Any(run => double.IsFinite(run.ValidationLoss)) ? RankedBy.ValidationLoss : RankedBy.FinalLoss;
    }

    /// <summary>The places of the runs in the list, the best first. Runs without the number are last; equal ones stay in their order.</summary>
    public static int[] Order(IReadOnlyList<RunScore> runs)
    {
        RankedBy by = Criterion(runs);
        IOrderedEnumerable<int> order = by switch
        {
            RankedBy.ValidationPerformance => By(runs, run => -run.ValidationPerformance).ThenBy(place => Last(runs[place].ValidationLoss)),
            RankedBy.ValidationLoss => By(runs, run => run.ValidationLoss),
            _ => By(runs, run => run.FinalLoss),
        };
        return [.. order.ThenBy(place => Last(runs[place].FinalLoss))];
    }

    /// <summary>The criterion in words, as the end of "best first, by".</summary>
    public static string Words(RankedBy by) => by switch
    {
        RankedBy.ValidationPerformance => "the performance of the last validation, of equal ones by its loss",
        RankedBy.ValidationLoss => "the loss of the last validation",
        _ => "the final loss of the training",
    };

    private static IOrderedEnumerable<int> By(IReadOnlyList<RunScore> runs, Func<RunScore, double> key) =>
        Enumerable.Range(0, runs.Count).OrderBy(place => Last(key(runs[place])));

    /// <summary>A key under which what is not finite comes last.</summary>
    private static double Last(double key) => double.IsFinite(key) ? key : double.PositiveInfinity;
}

using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>
/// Whether a rewrite of the list of operators is legal: it is if no other operator reads or writes, in between, what the rewrite delays or
/// advances. Each returns the obstacle in words; null for none.
/// </summary>
internal static class Rewrites
{
    /// <summary>
    /// The obstacle to changing weights when a trial has ended, instead of in its steps. Operators that include deferred updates in their
    /// products (<see cref="PlanOperator.AddsDeferred"/>) are none.
    /// </summary>
    /// <param name="plan">All operators.</param>
    /// <param name="update">The operator that changes them in every step.</param>
    public static string? ToTrialEnd(IEnumerable<PlanOperator> plan, PlanOperator update)
    {
        foreach (PlanOperator other in plan)
        {
            if (ReferenceEquals(other, update) || other.AddsDeferred || other.Stage > PlanStage.ApplyTrial)
                continue;
            if (update.Writes.FirstOrDefault(other.Touches) is { } touched)
                return $"the {other.Name} {(other.Writes.Contains(touched) ? "changes" : "reads")} the {touched} {other.When}";
        }

        return null;
    }

    /// <summary>The obstacle to computing the currents of step t + 1 right after an update of step t, in the pass over the weights.</summary>
    /// <param name="plan">All operators.</param>
    /// <param name="update">The operator that changes the weights.</param>
    /// <param name="advanced">The operators that compute the currents, in their order.</param>
    public static string? IntoUpdate(IReadOnlyList<PlanOperator> plan, PlanOperator update, IReadOnlyList<PlanOperator> advanced)
    {
        foreach (PlanOperator other in plan)
        {
            bool liesBetween = other.Stage == PlanStage.ApplyStep ? !ReferenceEquals(other, update) : other.Stage == PlanStage.Forward && !advanced.Any(other.IsSame);
            if (!liesBetween)
                continue;
            foreach (PlanOperator made in advanced)
            {
                if (made.Reads.FirstOrDefault(read => read.Lag == 0 && other.Writes.Contains(read.Buffer)) is { Buffer: { } written })
                    return $"the {other.Name} changes the {written} in between";
                if (other.Stage == PlanStage.ApplyStep && other.Reads.FirstOrDefault(read => made.Writes.Contains(read.Buffer)) is { Buffer: { } read })
                    return $"the {other.Name} reads the {read} in between";
            }
        }

        return null;
    }

    /// <summary>The obstacle to computing signals, outputs and errors of readouts when the trial has ended.</summary>
    /// <param name="plan">All operators.</param>
    public static string? OutputsToTrialEnd(IReadOnlyList<PlanOperator> plan)
    {
        PlanOperator[] forward = [.. plan.Where(one => one.Stage == PlanStage.Forward)];
        HashSet<PlanOperator> delayed = [.. forward.Where(one => one.Writes.Any(IsOfReadouts))];
        if (delayed.Count == 0)
            return "there is no readout";

        // Operators that only compute inputs of these are deferred with them.
        for (int before = 0; before != delayed.Count;)
        {
            before = delayed.Count;
            HashSet<string> read = [.. delayed.SelectMany(one => one.Reads).Select(access => access.Buffer)];
            delayed.UnionWith(forward.Where(one =>
                one.Writes.All(read.Contains) && !forward.Any(other => !delayed.Contains(other) && other != one && other.Reads.Any(access => one.Writes.Contains(access.Buffer)))));
        }

        HashSet<string> made = [.. delayed.SelectMany(one => one.Writes)], used = [.. delayed.SelectMany(one => one.Reads).Select(access => access.Buffer).Where(IsOfWeights)];
        foreach (PlanOperator other in plan.Where(one => one.IsInSteps && !delayed.Contains(one)))
        {
            if (other.Reads.FirstOrDefault(access => made.Contains(access.Buffer)) is { Buffer: { } read })
                return $"the {other.Name} reads the {read} in every step";
            if (other.Writes.FirstOrDefault(used.Contains) is { } written)
                return $"the {other.Name} changes the {written} in every step";
        }

        return null;
    }
}

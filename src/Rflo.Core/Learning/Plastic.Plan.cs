using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>The operators of the updates of projections that learn together.</summary>
internal sealed partial class Plastic<T>
{
    /// <summary>The names of the projections.</summary>
    public string Name => string.Join(", ", Segments.Select(segment => segment.Spec.Name));

    /// <summary>Their weights, read.</summary>
    public PlanRead[] WeightReads => [.. Written.Select(buffer => new PlanRead(buffer))];

    /// <summary>The operator that computes their increments: in the steps, or when the trial has ended.</summary>
    /// <param name="what">Its name: "trace and update".</param>
    /// <param name="reads">What it reads.</param>
    public PlanOperator Update(string what, params IEnumerable<PlanRead> reads) =>
        new(IncrementStage, $"{what} of {Name}", [.. reads], IsSum ? Written : [Increments(Name)]) { Form = IsSum ? "" : "collected" };

    /// <summary>The operator that advances their traces, and computes their increments from them.</summary>
    /// <param name="reads">The other buffers that it reads.</param>
    public PlanOperator UpdateByTraces(params IEnumerable<PlanRead> reads)
    {
        PlanOperator update = Update("trace and update", reads.Append(new(Traces(Name), 1)));
        return update with { Writes = [.. update.Writes, Traces(Name)] };
    }

    /// <summary>That operator with those that come before and after it, in the order in which they are carried out.</summary>
    /// <param name="update">The operator that computes the increments.</param>
    public IEnumerable<PlanOperator> Around(PlanOperator update) => [.. BeforeUpdate(), update, .. AfterUpdate()];

    /// <summary>The operators that come before it.</summary>
    public IEnumerable<PlanOperator> BeforeUpdate()
    {
        if (IsSum && Array.Exists(Segments, segment => segment.Spec.Decay != 0))
            yield return new(IncrementStage, $"weight decay of {Name}", WeightReads, Written);
    }

    /// <summary>The operators that come after it.</summary>
    public IEnumerable<PlanOperator> AfterUpdate()
    {
        PlanRead[] weights = WeightReads;
        PlanStage stage = IsStepwise || _schedule.Every == 1 ? IncrementStage : PlanStage.ApplyUpdate;
        if (!IsSum && _applies)
            yield return new(stage, $"optimizer step of {Name}", [new(Increments(Name)), .. weights], Written);
        if (_constraints.Length > 0)
            yield return new(stage, $"constraints of {Name}", weights, Written);
    }

    /// <summary>
    /// Why what one kernel call adds to the dense rows is not all that it changes in them in a step, in words; null where it is: weights change by the sum of
    /// increments, all dense blocks are here and learn at one rate.
    /// </summary>
    public string? DenseObstacle =>
        !IsSum ? $"the increments of {Name} are collected first"
        : Afferents.Segments.FirstOrDefault(segment => segment.Sparse is null && !Segments.Contains(segment)) is { } other ? $"{other.Spec.Name} does not learn with {Name}"
        : _runs.Count > 1 ? $"the projections {Name} learn at several rates"
        : null;

    /// <summary>Whether all sparse blocks of the target are here, so that one pass over them computes their currents too.</summary>
    public bool OwnsSparse => Afferents.Segments.All(segment => segment.Sparse is null || Segments.Contains(segment));

    /// <summary>Why increments are collected before the weights change, in words; null where they may be added directly.</summary>
    public static string? CollectingReason(Plasticity plan) =>
        plan.Optimizer is not Sgd ? "the optimizer takes whole updates"
        : !plan.Clip.IsNone ? "whole updates are clipped"
        : plan.Schedule.Time == UpdateTime.EverySteps ? $"updates are of {plan.Schedule.Every} steps"
        : plan.Schedule is { Time: UpdateTime.TrialEnd, Every: > 1 } ? $"updates are of {plan.Schedule.Every} trials"
        : null;

    private PlanStage IncrementStage => IsStepwise ? PlanStage.ApplyStep : PlanStage.ApplyTrial;

    private string[] Written => [.. Segments.Select(segment => Weights(segment.Spec.Name))];
}

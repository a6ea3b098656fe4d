namespace Rflo.Core;

/// <content>Costs of rates.</content>
public sealed partial class GraphBuilder
{
    private static void CheckPenalties(AreaSpec area)
    {
        Given($"{area.Name}.Penalties", area.Penalties);
        foreach (RatePenalty penalty in area.Penalties)
        {
            Given($"{area.Name}.Penalties", penalty);
            Defined($"{area.Name}.Penalties", penalty.Kind);
            if (!(penalty.Strength >= 0) || !double.IsFinite(penalty.Strength))
                ThrowHelper.OutOfRange($"the strength of a penalty of {area.Name}", penalty.Strength, "finite and at least 0");
            if (!double.IsFinite(penalty.Target))
                ThrowHelper.OutOfRange($"the target rate of a penalty of {area.Name}", penalty.Target, "finite");
        }

        if (area.Penalties.Count > 0 && area.Dynamics == Dynamics.WinnerTakeAll)
            ThrowHelper.Invalid($"{area.Name}: the rates of a winner-take-all area have no slope, so no penalty reaches its weights.");
    }

    /// <summary>Refuses rules that need the learning signal step by step, where a penalty is of the mean rate of a trial, which is computed at its end.</summary>
    private void CheckTrialMeans()
    {
        if (_areas.Find(area => area.Penalties.Any(penalty => penalty.OfTrialMean)) is not { } penalized)
            return;
        foreach (ProjectionSpec projection in _projections)
            if (projection.Plasticity is { LearningRate: > 0 } plastic && !(projection.Target.IsReadout ? IsAtEnd(plastic) : Waits(plastic)))
                Refuse(projection.Name, plastic);
        foreach (AreaSpec area in _areas)
        {
            if (area.TauPlasticity is { LearningRate: > 0, Rule: not BpttRule } plastic)
                Refuse($"{area.Name}.TauPlasticity", plastic);
            if (area.InitialPlasticity is { LearningRate: > 0, Rule: not BpttRule } beginning)
                Refuse($"{area.Name}.InitialPlasticity", beginning);
        }

        bool IsAtEnd(Plasticity plastic) => !plastic.Schedule.IsStepwise && plastic.Readout is not RlsReadout;

        bool Waits(Plasticity plastic) => IsAtEnd(plastic) && plastic.Rule is (BpttRule or ThreeFactorRule { ThirdShaping.IsPlain: true });

        void Refuse(string name, Plasticity plastic) => ThrowHelper.Invalid(
            $"{name}: a penalty of {penalized.Name} is of the mean rate of a trial, which is known at its end; {plastic.Rule.GetType().Name} as it is set needs it in every step. "
            + "Take BPTT or a local rule, at the end of a trial, or a penalty of each step.");
    }
}

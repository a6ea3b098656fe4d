namespace Rflo.Core;

/// <content>Which losses and rules a readout can learn by.</content>
public sealed partial class GraphBuilder
{
    private static void CheckLoss(ReadoutSpec readout)
    {
        Loss loss = readout.LossOrNatural;
        foreach (OutOfRange problem in loss.Problems)
            ThrowHelper.OutOfRange($"{readout.Name}.Loss: {problem.What}", problem.Value, problem.Allowed);
        if (loss.Outputs is { } outputs && !outputs.Contains(readout.Kind))
            ThrowHelper.Invalid($"{readout.Name}: the {loss.Description} has no meaning for a {readout.Kind} readout. Set Kind to one of {string.Join(", ", outputs)}, or take another loss.");
    }

    private static void CheckPrediction(string name, TdReadout rule, ReadoutSpec readout)
    {
        if (!(rule.Gamma >= 0 && rule.Gamma <= 1))
            ThrowHelper.OutOfRange($"{name}.Gamma", rule.Gamma, "in [0, 1]");
        if (!(rule.Lambda >= 0 && rule.Lambda <= 1))
            ThrowHelper.OutOfRange($"{name}.Lambda", rule.Lambda, "in [0, 1]");
        if (readout.Outputs != 1)
            ThrowHelper.Invalid($"{name}: {readout.Name} has {readout.Outputs} outputs, and TD learns one prediction. Give the critic a readout with one output.");
        if (readout.Kind == OutputKind.Softmax)
            ThrowHelper.Invalid($"{name}: one softmax output is always 1, so it predicts nothing. Set Kind of {readout.Name} to Linear.");
    }

    private void CheckReadoutRule(ProjectionSpec projection, ReadoutRule rule)
    {
        if (rule is DeltaReadout)
            return;
        if (rule is TdReadout difference)
        {
            CheckPrediction(projection.Name, difference, _readouts[projection.Target.Index]);
            return;
        }

        if (_readouts[projection.Target.Index].Kind != OutputKind.Linear)
            ThrowHelper.Invalid($"{projection.Name}: least squares are for a linear readout.");
        if (_readouts[projection.Target.Index].LossOrNatural is not SquaredError)
            ThrowHelper.Invalid($"{projection.Name}: least squares are for a readout whose loss is the squared error.");
        if (projection.Signs is not null || double.IsFinite(projection.Lower) || double.IsFinite(projection.Upper))
            ThrowHelper.Invalid($"{projection.Name}: the least-squares solution keeps to no signs and no bounds.");
        if (projection.Decay != 0 || projection.IsPenalized)
            ThrowHelper.Invalid($"{projection.Name}: least squares have no decay and no penalty but their own alpha.");
        (double alpha, double forgetting, int every, int washout) = rule switch
        {
            RlsReadout recursive => (recursive.Alpha, recursive.Forgetting, recursive.Every, 0),
            RidgeReadout ridge => (ridge.Alpha, 1, ridge.Every, ridge.Washout),
            _ => throw new NotSupportedException($"There is no learner for the readout rule {rule}."),
        };
        if (!(alpha > 0) || !double.IsFinite(alpha))
            ThrowHelper.OutOfRange($"{projection.Name}.Alpha", alpha, "finite and more than 0");
        if (!(forgetting > 0 && forgetting <= 1))
            ThrowHelper.OutOfRange($"{projection.Name}.Forgetting", forgetting, "in (0, 1]");
        if (every < 1)
            ThrowHelper.NotPositive($"{projection.Name}.Every", every);
        if (washout < 0)
            ThrowHelper.OutOfRange($"{projection.Name}.Washout", washout, "at least 0");
    }
}

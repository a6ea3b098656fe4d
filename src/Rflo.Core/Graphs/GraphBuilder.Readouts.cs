namespace Rflo.Core;

/// <content>What a readout can learn by.</content>
public sealed partial class GraphBuilder
{
    private void CheckReadoutRule(ProjectionSpec projection, ReadoutRule rule)
    {
        if (rule is DeltaReadout)
            return;
        if (_readouts[projection.Target.Index].Kind != OutputKind.Linear)
            ThrowHelper.Invalid($"{projection.Name}: least squares are for a linear readout.");
        if (projection.Signs is not null || double.IsFinite(projection.Lower) || double.IsFinite(projection.Upper))
            ThrowHelper.Invalid($"{projection.Name}: the least-squares solution keeps to no signs and no bounds.");
        if (projection.Decay != 0)
            ThrowHelper.Invalid($"{projection.Name}: least squares have no decay but their own alpha.");
        (double alpha, double forgetting, int every, int washout) = rule switch
        {
            RlsReadout recursive => (recursive.Alpha, recursive.Forgetting, recursive.Every, 0),
            RidgeReadout ridge => (ridge.Alpha, 1, ridge.Every, ridge.Washout),
            _ => throw new NotSupportedException($"No learner knows the readout rule {rule}."),
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

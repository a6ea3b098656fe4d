using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>A readout learns by recursive least squares; see <see cref="RlsReadout"/> for what it computes and costs.</summary>
internal sealed class RecursiveLeastSquares<T> : LeastSquares<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RlsReadout _rule;

    public RecursiveLeastSquares(Network<T> network, ReadoutState<T> readout, Segment[] segments, RlsReadout rule)
        : base(network, readout, segments)
    {
        _rule = rule;
        Make();
    }

    public override IReadOnlyList<PlanOperator> Operators =>
        [new(PlanStage.ApplyStep, $"recursive least squares of {Readout.Spec.Name}", [new(Signals(Readout.Spec.Name)), new(Errors(Readout.Spec.Name)), .. WeightReads], Written)];

    public override void ApplyStep(int step)
    {
        if (step % _rule.Every != 0)
            return;
        foreach (LeastSquaresProblem<T> problem in Problems)
        {
            double mask = Masks.At(step, problem.Regressors.Outputs[0]);
            if (mask != 0)
                ((RecursiveProblem<T>)problem).Learn(step, mask, _rule.Forgetting, Readout.Error(step));
        }
    }

    protected override LeastSquaresProblem<T> New(Regressors<T> regressors) => new RecursiveProblem<T>(regressors, _rule.Alpha);
}

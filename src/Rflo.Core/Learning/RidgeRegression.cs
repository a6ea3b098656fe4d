using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>A readout learns by ridge regression over all trials so far; see <see cref="RidgeReadout"/> for what it computes and costs.</summary>
/// <remarks>An update allocates memory, a step does not.</remarks>
internal sealed class RidgeRegression<T> : LeastSquares<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RidgeReadout _rule;
    private readonly Segment[] _others;
    private int _trialsCollected;

    public RidgeRegression(Network<T> network, ReadoutState<T> readout, Segment[] segments, RidgeReadout rule)
        : base(network, readout, segments)
    {
        _rule = rule;
        _others = [.. readout.Afferents.Segments.Except(segments)];
        Make();
    }

    public override IReadOnlyList<PlanOperator> Operators =>
    [
        new(PlanStage.ObserveStep, $"regressors of {Readout.Spec.Name}", [new(Signals(Readout.Spec.Name)), new(Targets), .. _others.Select(other => new PlanRead(Weights(other.Spec.Name)))], [$"regressors of {Readout.Spec.Name}"]),
        new(PlanStage.ObserveTrial, $"normal equations of {Readout.Spec.Name}", [new($"regressors of {Readout.Spec.Name}")], [$"normal equations of {Readout.Spec.Name}"]),
        new(_rule.Every == 1 ? PlanStage.ApplyTrial : PlanStage.ApplyUpdate, $"ridge regression of {Readout.Spec.Name}", [new($"normal equations of {Readout.Spec.Name}")], Written),
    ];

    public override void ObserveStep(int step)
    {
        if (step <= _rule.Washout)
            return;
        foreach (LeastSquaresProblem<T> problem in Problems)
        {
            int[] outputs = problem.Regressors.Outputs;
            double mask = Masks.At(step, outputs[0]);
            if (mask == 0)
                continue;
            double root = Math.Sqrt(mask);
            Span<double> targets = ((NormalEquations<T>)problem).Collect(step, root);
            for (int k = 0; k < outputs.Length; k++)
                targets[k] = root * (Masks.Target(step, outputs[k]) - FromOthers(outputs[k], step));
        }
    }

    public override void ObserveTrial(int steps)
    {
        foreach (LeastSquaresProblem<T> problem in Problems)
            ((NormalEquations<T>)problem).Sum();
    }

    public override void ApplyTrial(int steps)
    {
        if (++_trialsCollected >= _rule.Every)
            Solve();
    }

    public override bool HasOpenBatch => _trialsCollected > 0;

    public override void ApplyOpenBatch(int trial)
    {
        if (HasOpenBatch)
            Solve();
    }

    public override void Visit(StateVisitor visitor)
    {
        base.Visit(visitor);
        visitor.Visit("trialsCollected", ref _trialsCollected);
    }

    protected override LeastSquaresProblem<T> New(Regressors<T> regressors) => new NormalEquations<T>(regressors);

    private void Solve()
    {
        _trialsCollected = 0;
        foreach (LeastSquaresProblem<T> problem in Problems)
            ((NormalEquations<T>)problem).Solve(_rule.Alpha);
    }

    /// <summary>The current of an output from projections that are not solved for.</summary>
    private double FromOthers(int output, int step)
    {
        double sum = 0;
        Afferents<T> afferents = Readout.Afferents;
        foreach (Segment segment in _others)
            for (int j = 0; j < segment.Width; j++)
                sum += double.CreateTruncating(afferents.Weight(segment, output, j) * afferents.Signals(step)[segment.Offset + j]);
        return sum;
    }
}

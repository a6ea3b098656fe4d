using System.Numerics;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>The delta rule of a readout: dW = eta / T * sum over t of eps(t) s(t)', with s the rates and the constant 1 (Murray 2019, Eq 5).</summary>
/// <remarks>Exact for a readout whose outputs are not fed back. O(outputs * pre) a step.</remarks>
internal sealed class DeltaRule<T>(ReadoutState<T> readout, Plastic<T> plastic) : Learner<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private int _steps;

    public override IReadOnlyList<PlanOperator> Operators =>
        [.. plastic.Around(plastic.Update("delta rule", new(Errors(readout.Spec.Name)), new PlanRead(Signals(readout.Spec.Name))))];

    public override void Begin(int trial, int steps) => _steps = steps;

    public override void ApplyStep(int step)
    {
        if (!plastic.IsStepwise)
            return;
        plastic.BeginIncrements(_steps);
        plastic.AddStep(readout.Error(step), readout.Afferents.Signals(step), _steps);
        plastic.EndStep(step, _steps);
    }

    public override void ApplyTrial(int steps)
    {
        if (!plastic.IsStepwise)
        {
            plastic.BeginIncrements(1);
            plastic.AddTrial(readout.ErrorsFrom(1), readout.Padded, readout.Afferents.SignalsFrom(1), 1, steps);
        }

        plastic.FinishTrial();
    }
}

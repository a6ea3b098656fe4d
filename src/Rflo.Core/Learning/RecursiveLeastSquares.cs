using System.Numerics;
using System.Numerics.Tensors;
using static Rflo.Core.BufferNames;

namespace Rflo.Core;

/// <summary>A readout learns by recursive least squares; see <see cref="RlsReadout"/> for what it computes and costs.</summary>
/// <remarks>
/// P loses its symmetry to rounding in no step: what is taken from it is v v' with v = P s sqrt(m / (lambda + m s' P s)),
/// which rounds the same on both sides of the diagonal.
/// </remarks>
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

    public override void Learn(int step)
    {
        if (step % _rule.Every != 0)
            return;
        foreach (LeastSquaresProblem<T> problem in Problems)
        {
            double mask = Masks.At(step, problem.Regressors.Outputs[0]);
            if (mask != 0)
                ((Problem)problem).Learn(step, mask, _rule.Forgetting, Readout.Error(step));
        }
    }

    protected override LeastSquaresProblem<T> New(Regressors<T> regressors) => new Problem(regressors, _rule.Alpha);

    private sealed class Problem : LeastSquaresProblem<T>
    {
        private readonly AlignedArray<double> _signals;
        private readonly AlignedArray<double> _gain;

        public Problem(Regressors<T> regressors, double alpha)
            : base(regressors)
        {
            _signals = new AlignedArray<double>(Matrix.Stride);
            _gain = new AlignedArray<double>(Matrix.Stride);
            for (int j = 0; j < Matrix.Size; j++)
                Matrix.Row(j)[j] = 1 / alpha;
        }

        public void Learn(int step, double mask, double forgetting, ReadOnlySpan<T> errors)
        {
            Span<double> signals = _signals.Span, gain = _gain.Span;
            Regressors.Take(step, 1, signals);
            Kernels.Multiply<double>(Matrix.Span, signals, gain[..Matrix.Size]);
            double divisor = forgetting + mask * TensorPrimitives.Dot<double>(signals, gain);

            // The errors of the step carry the mask already.
            for (int k = 0; k < Regressors.Outputs.Length; k++)
                Regressors.Move(k, double.CreateTruncating(errors[Regressors.Outputs[k]]) / divisor, gain);

            TensorPrimitives.Multiply(gain, Math.Sqrt(mask / divisor), gain);
            for (int i = 0; i < Matrix.Size; i++)
                Kernels.AddScaled(Matrix.Row(i), -gain[i], gain);
            if (forgetting != 1)
                TensorPrimitives.Multiply(Matrix.Span, 1 / forgetting, Matrix.Span);
        }
    }
}

using System.Numerics;
using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>One problem of recursive least squares: P, and the weights of the outputs or units that share it.</summary>
/// <remarks>
/// P stays exactly symmetric: each step subtracts v v' with v = P s sqrt(m / (lambda + m s' P s)), which rounds alike on
/// both sides of the diagonal.
/// </remarks>
internal sealed class RecursiveProblem<T> : LeastSquaresProblem<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedArray<double> _signals;
    private readonly AlignedArray<double> _gain;

    public RecursiveProblem(Regressors<T> regressors, double alpha)
        : base(regressors)
    {
        _signals = new AlignedArray<double>(Matrix.Stride);
        _gain = new AlignedArray<double>(Matrix.Stride);
        for (int j = 0; j < Matrix.Size && _gain.IsHeld; j++)
            Matrix.Row(j)[j] = 1 / alpha;
    }

    /// <summary>The update of a step.</summary>
    /// <param name="step">The step.</param>
    /// <param name="mask">m, more than 0.</param>
    /// <param name="forgetting">lambda.</param>
    /// <param name="errors">m times the errors before the update, of all outputs or units of the target.</param>
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

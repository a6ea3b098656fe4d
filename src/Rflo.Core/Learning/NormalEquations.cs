using System.Numerics;
using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Core;

/// <summary>
/// The sums over steps of a least-squares problem, G = sum of m s s' (Gram matrix) and R = sum of m y* s', and their
/// solution W (G + alpha) = R.
/// </summary>
/// <remarks>Steps are kept until there are 64 of them, or the trial ends, and then added in one product.</remarks>
internal sealed class NormalEquations<T> : LeastSquaresProblem<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int MostRows = 64;
    private readonly AlignedArray<double> _right;
    private readonly AlignedArray<double> _signals;
    private readonly AlignedArray<double> _targets;
    private readonly int _outputs;
    private int _rows;

    public NormalEquations(Regressors<T> regressors)
        : base(regressors)
    {
        _outputs = regressors.Outputs.Length;
        _right = new AlignedArray<double>(_outputs, Matrix.Stride);
        _signals = new AlignedArray<double>(MostRows, Matrix.Stride);
        _targets = new AlignedArray<double>(MostRows, _outputs);
    }

    /// <summary>Adds a step's signals, times sqrt m; returns where sqrt m times its targets must be written, one an output.</summary>
    public Span<double> Collect(int step, double rootOfMask)
    {
        if (_rows == MostRows)
            Sum();
        Regressors.Take(step, rootOfMask, _signals.Row(_rows, Matrix.Stride));
        return _targets.Row(_rows++, _outputs);
    }

    /// <summary>Adds the collected steps to the sums.</summary>
    public void Sum()
    {
        int stride = Matrix.Stride;
        Kernels.AccumulateOuter<double>(_signals.Span, stride, _signals.Span, stride, _rows, 1, Matrix.Span, stride, Matrix.Size, stride);
        Kernels.AccumulateOuter<double>(_targets.Span, _outputs, _signals.Span, stride, _rows, 1, _right.Span, stride, _outputs, stride);
        _rows = 0;
    }

    public override void TakeFrom(LeastSquaresProblem<T> other, int from, int to)
    {
        base.TakeFrom(other, from, to);
        ((NormalEquations<T>)other)._right.Row(from, Matrix.Stride).CopyTo(_right.Row(to, Matrix.Stride));
    }

    public override void Visit(StateVisitor visitor)
    {
        base.Visit(visitor);
        visitor.VisitColumns("right", _right.Span, Matrix.Stride, _outputs, Matrix.Size, -1);
    }

    /// <summary>Replaces the weights by the solution; by NaN where the sums are not finite, so that a divergence is detected.</summary>
    public void Solve(double alpha)
    {
        int size = Matrix.Size, stride = Matrix.Stride;
        Matrix<double>? solution = null;
        if (double.IsFinite(TensorPrimitives.Sum<double>(Matrix.Span)) && double.IsFinite(TensorPrimitives.Sum<double>(_right.Span)))
        {
            var gram = Matrix<double>.Build.Dense(size, size, (i, j) => Matrix.Row(Math.Max(i, j))[Math.Min(i, j)] + (i == j ? alpha : 0));
            var right = Matrix<double>.Build.Dense(size, _outputs, (j, k) => _right.Row(k, stride)[j]);
            solution = Solution(gram, right, alpha);
        }

        for (int k = 0; k < _outputs; k++)
            for (int j = 0; j < size; j++)
                Regressors.Set(k, j, solution is null ? double.NaN : solution[j, k]);
    }

    /// <summary>
    /// By Cholesky's factors. They do not exist where alpha is below the rounding error of G's smallest eigenvalues; then by
    /// eigenvalues, each raised to at least alpha and at least the rounding error.
    /// </summary>
    private static Matrix<double> Solution(Matrix<double> gram, Matrix<double> right, double alpha)
    {
        try
        {
            return gram.Cholesky().Solve(right);
        }
        catch (ArgumentException)
        {
            var factors = gram.Evd(Symmetricity.Symmetric);
            double rounding = gram.RowCount * (double.BitIncrement(1) - 1) * factors.EigenValues.AbsoluteMaximum().Magnitude;
            double least = Math.Max(alpha, rounding);
            var inverse = factors.EigenValues.Map(value => 1 / Math.Max(value.Real, least));
            return factors.EigenVectors * Matrix<double>.Build.DiagonalOfDiagonalVector(inverse) * factors.EigenVectors.TransposeThisAndMultiply(right);
        }
    }
}

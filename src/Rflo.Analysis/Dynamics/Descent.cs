using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Analysis;

/// <summary>
/// Descent from a start to a minimum of q = 1/2 |r|^2, r = F(z) - z: steps d with ((J - I)'(J - I) + mu) d = -(J - I)' r. The damping mu
/// follows the gain ratio of the last step (Levenberg 1944; Marquardt 1963; Nielsen 1999). With mu near 0 they are Newton's steps.
/// </summary>
internal sealed class Descent
{
    /// <summary>Where q is below this, r is of the size of rounding errors.</summary>
    private const double Still = 1e-30;

    private readonly CircuitMap _map;
    private double[] _state;
    private double[] _rest;
    private double _speed;
    private Linearization _at;

    public Descent(CircuitMap map, double[] start)
    {
        _map = map;
        (_state, _at, _rest, _speed) = Look(start);
    }

    /// <summary>The minimum, and q there; infinity where the circuit does not stay finite.</summary>
    public (double[] State, double Speed) Run(int iterations)
    {
        double damping = double.NaN, growth = 2;
        int idle = 0;
        for (int k = 0; k < iterations && double.IsFinite(_speed) && _speed > Still; k++)
        {
            double[] gradient = Transposed(_rest);
            double steepness = TensorPrimitives.SumOfSquares<double>(gradient);
            if (steepness == 0)
                break;
            if (double.IsNaN(damping))
                damping = 1e-3 * steepness / (2 * _speed);
            double[]? step = _map.Size <= Modes.LargestDense ? Solve(gradient, damping) : Iterate(gradient, damping);
            double gain = step is null ? double.NaN : Try(step, gradient, damping, out idle, idle);
            if (gain > 0)
            {
                damping *= Math.Max(1.0 / 3, 1 - Math.Pow(2 * gain - 1, 3));
                growth = 2;
                if (idle >= 3)
                    break;
                continue;
            }

            damping *= growth;
            growth *= 2;
            if (!(growth < 1e12))
                break;
        }

        return (_state, double.IsFinite(_speed) ? _speed : double.PositiveInfinity);
    }

    /// <summary>Takes the step if q decreases. Returns the gain ratio: the decrease of q over the decrease that the linear model predicts.</summary>
    private double Try(double[] step, double[] gradient, double damping, out int idle, int idleBefore)
    {
        idle = idleBefore;
        double[] next = new double[step.Length];
        TensorPrimitives.Add<double>(_state, step, next);
        (double[] state, Linearization at, double[] rest, double speed) = Look(next);
        double fall = _speed - speed;
        double expected = 0.5 * (damping * TensorPrimitives.SumOfSquares<double>(step) - TensorPrimitives.Dot<double>(step, gradient));
        if (!(fall > 0))
            return double.NaN;
        idle = fall < 1e-9 * _speed ? idle + 1 : 0;
        (_state, _at, _rest, _speed) = (state, at, rest, speed);
        return expected > 0 ? fall / expected : 1;
    }

    private (double[] State, Linearization At, double[] Residual, double Speed) Look(double[] state)
    {
        Linearization at = _map.At(state);
        double[] rest = new double[state.Length];
        TensorPrimitives.Subtract<double>(at.Next, state, rest);
        return (state, at, rest, 0.5 * TensorPrimitives.SumOfSquares<double>(rest));
    }

    /// <summary>(J - I)' v.</summary>
    private double[] Transposed(double[] vector)
    {
        double[] product = new double[vector.Length];
        _at.MultiplyTransposed(vector, product);
        TensorPrimitives.Subtract<double>(product, vector, product);
        return product;
    }

    /// <summary>(J - I) v.</summary>
    private double[] Product(double[] vector)
    {
        double[] product = new double[vector.Length];
        _at.Multiply(vector, product);
        TensorPrimitives.Subtract<double>(product, vector, product);
        return product;
    }

    /// <summary>The step by Cholesky's factors; null where rounding makes the matrix indefinite.</summary>
    private double[]? Solve(double[] gradient, double damping)
    {
        Matrix<double> matrix = _at.ToMatrix();
        for (int i = 0; i < gradient.Length; i++)
            matrix[i, i] -= 1;
        Matrix<double> normal = matrix.TransposeThisAndMultiply(matrix);
        for (int i = 0; i < gradient.Length; i++)
            normal[i, i] += damping;
        try
        {
            return normal.Cholesky().Solve(-Vector<double>.Build.Dense(gradient)).ToArray();
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>The step by conjugate gradients, from products with J alone.</summary>
    private double[] Iterate(double[] gradient, double damping)
    {
        int n = gradient.Length;
        double[] step = new double[n], rest = Array.ConvertAll(gradient, x => -x), direction = [.. rest];
        double before = TensorPrimitives.SumOfSquares<double>(rest), first = before;
        for (int k = 0; k < 200 && before > 1e-16 * first; k++)
        {
            double[] image = Product(direction), product = Transposed(image);
            TensorPrimitives.MultiplyAdd(direction, damping, product, product);
            double along = before / TensorPrimitives.Dot<double>(direction, product);
            TensorPrimitives.MultiplyAdd(direction, along, step, step);
            TensorPrimitives.MultiplyAdd(product, -along, rest, rest);
            double after = TensorPrimitives.SumOfSquares<double>(rest);
            TensorPrimitives.MultiplyAdd(direction, after / before, rest, direction);
            before = after;
        }

        return step;
    }
}

using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Rflo.Core;

/// <summary>
/// Arnoldi's iteration with thick restarts (Stewart 2001; Wu and Simon 2000): the largest eigenvalues of a large matrix, from
/// products with vectors alone. A = V H V' on a small basis V; a restart keeps the directions of H's largest eigenvalues.
/// </summary>
internal sealed class Arnoldi
{
    private const int Restarts = 400;
    private const double Tolerance = 1e-10;
    private readonly SquareMatrix _matrix;
    private readonly int _order;
    private readonly double[][] _basis;
    private readonly Matrix<double> _projected;

    private Arnoldi(SquareMatrix matrix)
    {
        _matrix = matrix;
        _order = Math.Min(matrix.Size, 100);
        _basis = new double[_order + 1][];
        _projected = Matrix<double>.Build.Dense(_order + 1, _order);
        double[] first = new double[matrix.Size];
        new RandomStream(0, "spectral radius").FillGaussian<double>(first, 1);
        _basis[0] = Scaled(first, 1 / TensorPrimitives.Norm<double>(first));
    }

    /// <summary>The largest absolute eigenvalue; NaN where it does not settle.</summary>
    public static double LargestModulus(SquareMatrix matrix) => new Arnoldi(matrix).Run();

    private double Run()
    {
        int kept = 0;
        for (int restart = 0; restart < Restarts; restart++)
        {
            int order = Extend(kept);
            Matrix<double> inner = _projected.SubMatrix(0, order, 0, order);
            Evd<double> eigen = inner.Evd();
            int[] largest = [.. Enumerable.Range(0, order).OrderByDescending(k => eigen.EigenValues[k].Magnitude)];
            double radius = eigen.EigenValues[largest[0]].Magnitude;

            // The basis spans all that the matrix can reach from the first vector.
            if (order < _order || _order == _matrix.Size)
                return radius;
            Vector<double> rest = _projected.Row(_order, 0, order);
            if (Residual(eigen, largest[0], rest) <= Tolerance * radius)
                return radius;
            kept = Restart(inner, rest, Directions(eigen, largest));
        }

        return double.NaN;
    }

    /// <summary>Adds vectors to the basis until it is full, or closed under the matrix; their number.</summary>
    private int Extend(int from)
    {
        double[] next = new double[_matrix.Size];
        for (int j = from; j < _order; j++)
        {
            _matrix.Multiply(_basis[j], next);
            double before = TensorPrimitives.Norm<double>(next);

            // Twice, so that rounding leaves nothing of the basis in the new vector.
            for (int pass = 0; pass < 2; pass++)
            {
                for (int i = 0; i <= j; i++)
                {
                    double share = TensorPrimitives.Dot<double>(_basis[i], next);
                    _projected[i, j] += share;
                    TensorPrimitives.MultiplyAdd(_basis[i], -share, next, next);
                }
            }

            double length = TensorPrimitives.Norm<double>(next);
            if (length <= 1e-13 * before || length == 0)
                return j + 1;
            _projected[j + 1, j] = length;
            _basis[j + 1] = Scaled(next, 1 / length);
        }

        return _order;
    }

    /// <summary>How far A (V y) is from theta (V y), for an eigenvector y of H.</summary>
    private static double Residual(Evd<double> eigen, int index, Vector<double> rest)
    {
        (Vector<double> real, Vector<double>? imaginary) = Vectors(eigen, index);
        double a = rest * real, b = imaginary is null ? 0 : rest * imaginary;
        double length = Math.Sqrt(real * real + (imaginary is null ? 0 : imaginary * imaginary));
        return Math.Sqrt(a * a + b * b) / length;
    }

    /// <summary>An eigenvector; of a complex pair, which MathNet stores side by side, real and imaginary part.</summary>
    private static (Vector<double> Real, Vector<double>? Imaginary) Vectors(Evd<double> eigen, int index) => eigen.EigenValues[index].Imaginary switch
    {
        0 => (eigen.EigenVectors.Column(index), null),
        > 0 => (eigen.EigenVectors.Column(index), eigen.EigenVectors.Column(index + 1)),
        _ => (eigen.EigenVectors.Column(index - 1), eigen.EigenVectors.Column(index)),
    };

    /// <summary>An orthonormal basis of the directions of the largest eigenvalues, pairs kept together.</summary>
    private Matrix<double> Directions(Evd<double> eigen, int[] largest)
    {
        var columns = new List<Vector<double>>();
        foreach (int k in largest)
        {
            if (columns.Count >= _order * 2 / 5)
                break;
            (Vector<double> real, Vector<double>? imaginary) = Vectors(eigen, k);
            if (eigen.EigenValues[k].Imaginary >= 0)
                columns.Add(real);
            if (eigen.EigenValues[k].Imaginary > 0)
                columns.Add(imaginary!);
        }

        return Matrix<double>.Build.DenseOfColumnVectors(columns).QR(QRMethod.Thin).Q;
    }

    /// <summary>The same factorisation on fewer vectors: those directions, and the vector that came last.</summary>
    private int Restart(Matrix<double> inner, Vector<double> rest, Matrix<double> directions)
    {
        int kept = directions.ColumnCount;
        double[][] turned = new double[kept][];
        for (int k = 0; k < kept; k++)
        {
            turned[k] = new double[_matrix.Size];
            for (int i = 0; i < _order; i++)
                TensorPrimitives.MultiplyAdd(_basis[i], directions[i, k], turned[k], turned[k]);
        }

        turned.CopyTo(_basis, 0);
        _basis[kept] = _basis[_order];
        _projected.Clear();
        _projected.SetSubMatrix(0, 0, directions.TransposeThisAndMultiply(inner * directions));
        _projected.SetRow(kept, 0, kept, directions.TransposeThisAndMultiply(rest));
        return kept;
    }

    private static double[] Scaled(double[] vector, double factor) => Array.ConvertAll(vector, x => x * factor);
}

using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using Complex = System.Numerics.Complex;

namespace Rflo.Core;

/// <summary>
/// Arnoldi's iteration with thick restarts (Stewart 2001; Wu and Simon 2000): the largest eigenvalues of a large matrix, from
/// products with vectors alone. A = V H V' on a small basis V; a restart keeps the directions of H's largest eigenvalues.
/// </summary>
internal sealed class Arnoldi
{
    private const int Restarts = 400;
    private const double Tolerance = 1e-10;
    private readonly MatrixProduct _multiply;
    private readonly int _size;
    private readonly int _count;
    private readonly int _order;
    private readonly double[][] _basis;
    private readonly Matrix<double> _projected;

    private Arnoldi(int size, int count, MatrixProduct multiply)
    {
        _multiply = multiply;
        _size = size;
        _count = count;
        _order = Math.Min(size, Math.Max(100, 5 * count));
        _basis = new double[_order + 1][];
        _projected = Matrix<double>.Build.Dense(_order + 1, _order);
        double[] first = new double[size];
        new RandomStream(0, "spectral radius").FillGaussian<double>(first, 1);
        _basis[0] = Scaled(first, 1 / TensorPrimitives.Norm<double>(first));
    }

    /// <summary>The largest absolute eigenvalue; NaN where it does not settle.</summary>
    public static double LargestModulus(SquareMatrix matrix) =>
        new Arnoldi(matrix.Size, 1, matrix.Multiply).Run() is [var largest, ..] ? largest.Value.Magnitude : double.NaN;

    /// <summary>The eigenvalues of largest magnitude with their eigenvectors, in falling order; a complex one comes with its conjugate.</summary>
    /// <param name="size">Rows and columns.</param>
    /// <param name="count">How many, at least 1.</param>
    /// <param name="multiply">The matrix.</param>
    /// <returns>At least <paramref name="count"/> of them, or all that the matrix has on what the first vector reaches; empty where they do not settle.</returns>
    public static Eigenpair[] Leading(int size, int count, MatrixProduct multiply) => new Arnoldi(size, count, multiply).Run();

    private Eigenpair[] Run()
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
            if (order < _order || _order == _size)
                return Pairs(eigen, largest, order);
            Vector<double> rest = _projected.Row(_order, 0, order);
            if (largest.Take(_count).All(k => Residual(eigen, k, rest) <= Tolerance * radius))
                return Pairs(eigen, largest, order);
            kept = Restart(inner, rest, Directions(eigen, largest));
        }

        return [];
    }

    /// <summary>The largest eigenvalues, with vectors of the whole space.</summary>
    private Eigenpair[] Pairs(Evd<double> eigen, int[] largest, int order)
    {
        int count = Math.Min(_count, order);

        // A complex pair is not split.
        if (count < order && eigen.EigenValues[largest[count - 1]].Imaginary != 0 && largest.Take(count).Sum(k => Math.Sign(eigen.EigenValues[k].Imaginary)) != 0)
            count++;
        return [.. largest.Take(count).Select(k => PairOf(eigen, k, order))];
    }

    private Eigenpair PairOf(Evd<double> eigen, int index, int order)
    {
        (Vector<double> real, Vector<double>? imaginary) = Vectors(eigen, index);
        double[] re = new double[_size], im = new double[_size];
        double sign = Math.Sign(eigen.EigenValues[index].Imaginary);
        for (int i = 0; i < order; i++)
        {
            TensorPrimitives.MultiplyAdd(_basis[i], real[i], re, re);
            if (imaginary is not null)
                TensorPrimitives.MultiplyAdd(_basis[i], sign * imaginary[i], im, im);
        }

        double length = Math.Sqrt(TensorPrimitives.SumOfSquares<double>(re) + TensorPrimitives.SumOfSquares<double>(im));
        var vector = new Complex[_size];
        for (int i = 0; i < _size; i++)
            vector[i] = new Complex(re[i] / length, im[i] / length);
        return new Eigenpair(eigen.EigenValues[index], vector);
    }

    /// <summary>Adds vectors to the basis until it is full, or closed under the matrix; their number.</summary>
    private int Extend(int from)
    {
        double[] next = new double[_size];
        for (int j = from; j < _order; j++)
        {
            _multiply(_basis[j], next);
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
            turned[k] = new double[_size];
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

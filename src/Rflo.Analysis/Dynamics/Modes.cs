using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using Rflo.Core;
using Complex = System.Numerics.Complex;

namespace Rflo.Analysis;

/// <summary>The modes of a Jacobian.</summary>
public static class Modes
{
    /// <summary>Up to so many numbers in a state the whole Jacobian is computed; for larger ones only products with it.</summary>
    public const int LargestDense = 600;

    /// <summary>The modes of largest |eigenvalue|, in falling order; a complex one comes with its conjugate.</summary>
    /// <param name="at">The map at a state.</param>
    /// <param name="count">How many, at least 1; all where there are fewer.</param>
    /// <param name="dt">Duration of a step in ms.</param>
    /// <exception cref="InvalidOperationException">The iteration for a large circuit does not settle.</exception>
    public static Mode[] Of(Linearization at, int count, double dt = 1)
    {
        ArgumentNullException.ThrowIfNull(at);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        if (at.Size > LargestDense)
            return Leading(at, count, dt);
        Mode[] all = Of(at.ToMatrix(), dt);
        int kept = Math.Min(count, all.Length);

        // A complex pair is not split.
        if (kept < all.Length && all.Take(kept).Sum(mode => Math.Sign(mode.Value.Imaginary)) != 0)
            kept++;
        return all[..kept];
    }

    /// <summary>The modes of largest |eigenvalue| from products with the Jacobian alone, whatever its size.</summary>
    internal static Mode[] Leading(Linearization at, int count, double dt) =>
        [.. LeadingEigenvalues.Of(at.Size, count, at.Multiply).Select(pair => new Mode(pair.Value, pair.Vector, dt))];

    /// <summary>All modes of a matrix, by falling magnitude.</summary>
    internal static Mode[] Of(Matrix<double> matrix, double dt)
    {
        Evd<double> eigen = matrix.Evd();
        return [.. Enumerable.Range(0, matrix.RowCount)
            .OrderByDescending(k => eigen.EigenValues[k].Magnitude)
            .Select(k => new Mode(eigen.EigenValues[k], VectorOf(eigen, k), dt))];
    }

    /// <summary>An eigenvector; of a complex pair MathNet stores real and imaginary part side by side.</summary>
    private static Complex[] VectorOf(Evd<double> eigen, int index)
    {
        double imaginary = eigen.EigenValues[index].Imaginary;
        int real = imaginary < 0 ? index - 1 : index;
        double[] re = eigen.EigenVectors.Column(real).ToArray();
        double[] im = imaginary == 0 ? new double[re.Length] : eigen.EigenVectors.Column(real + 1).ToArray();
        double length = Math.Sqrt(re.Sum(x => x * x) + im.Sum(x => x * x));
        return [.. re.Zip(im, (a, b) => new Complex(a / length, Math.Sign(imaginary) * b / length))];
    }
}

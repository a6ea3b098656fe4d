using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Core;

/// <summary>The largest absolute eigenvalue of a square matrix.</summary>
internal static class SpectralRadius
{
    /// <summary>Up to so many rows all eigenvalues are found at once, in cubic time; beyond, only the largest.</summary>
    public const int LargestDense = 200;

    /// <summary>Up to so many rows they still are where the iteration does not settle, as where all have the same size.</summary>
    private const int LargestUnsettled = 500;

    /// <summary>The spectral radius; NaN where a number is not finite, or the iteration does not settle for a matrix of more than 500 rows.</summary>
    public static double Of(SquareMatrix matrix)
    {
        if (!matrix.IsFinite)
            return double.NaN;
        double found = matrix.Size <= LargestDense ? double.NaN : Arnoldi.LargestModulus(matrix);
        return double.IsNaN(found) && matrix.Size <= LargestUnsettled ? Dense(matrix.ToDense()) : found;
    }

    /// <summary>From all eigenvalues.</summary>
    public static double Dense(Matrix<double> matrix) => matrix.Evd().EigenValues.Max(value => value.Magnitude);
}

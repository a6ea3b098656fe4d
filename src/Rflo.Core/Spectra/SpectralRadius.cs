using MathNet.Numerics.LinearAlgebra;

namespace Rflo.Core;

/// <summary>The largest absolute eigenvalue of a square matrix.</summary>
internal static class SpectralRadius
{
    /// <summary>Up to so many rows all eigenvalues are found at once, in cubic time; beyond, only the largest.</summary>
    public const int LargestDense = 200;

    /// <summary>The spectral radius; NaN where a number is not finite or the iteration does not settle.</summary>
    public static double Of(SquareMatrix matrix)
    {
        if (!matrix.IsFinite)
            return double.NaN;
        return matrix.Size <= LargestDense ? Dense(matrix.ToDense()) : Arnoldi.LargestModulus(matrix);
    }

    /// <summary>From all eigenvalues.</summary>
    public static double Dense(Matrix<double> matrix) => matrix.Evd().EigenValues.Max(value => value.Magnitude);
}

using System.Numerics;

namespace Rflo.Core;

/// <summary>A matrix, given by its product with a vector.</summary>
/// <param name="vector">Shape (n).</param>
/// <param name="product">Shape (n). Overwritten.</param>
public delegate void MatrixProduct(ReadOnlySpan<double> vector, Span<double> product);

/// <summary>An eigenvalue and its eigenvector.</summary>
/// <param name="Value">The eigenvalue.</param>
/// <param name="Vector">The eigenvector, of length 1, shape (n).</param>
public sealed record Eigenpair(Complex Value, Complex[] Vector);

/// <summary>Eigenvalues of a large matrix from products with vectors alone: Arnoldi's iteration with thick restarts.</summary>
public static class LeadingEigenvalues
{
    /// <summary>The eigenvalues of largest magnitude, in falling order; a complex one comes with its conjugate.</summary>
    /// <param name="size">n, at least 1.</param>
    /// <param name="count">How many, from 1 to n.</param>
    /// <param name="multiply">The matrix.</param>
    /// <returns>At least <paramref name="count"/> pairs, or all on the subspace that the first vector of the iteration reaches.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not in that range.</exception>
    /// <exception cref="InvalidOperationException">The iteration does not settle, as where very many eigenvalues have the same magnitude.</exception>
    public static Eigenpair[] Of(int size, int count, MatrixProduct multiply)
    {
        ArgumentNullException.ThrowIfNull(multiply);
        if (count < 1 || count > size)
            ThrowHelper.OutOfRange(nameof(count), count, $"in 1 .. {size}");
        Eigenpair[] pairs = Arnoldi.Leading(size, count, multiply);
        return pairs.Length > 0 ? pairs : throw new InvalidOperationException($"The {count} largest of {size} eigenvalues do not settle.");
    }
}

using System.Numerics.Tensors;

namespace Rflo.Analysis;

/// <summary>The solution of (M'M + mu) d = -g by Cholesky's factors, all of it products of contiguous vectors.</summary>
internal static class NormalEquations
{
    /// <summary>d; null where rounding makes the matrix indefinite.</summary>
    /// <param name="columns">M, shape (n, n), column after column.</param>
    /// <param name="damping">mu.</param>
    /// <param name="gradient">g, shape (n).</param>
    public static double[]? Solve(ReadOnlySpan<double> columns, double damping, ReadOnlySpan<double> gradient)
    {
        int n = gradient.Length;

        // The lower triangle, row after row: L overwrites M'M + mu.
        double[] lower = new double[n * n];
        for (int i = 0; i < n; i++)
        {
            ReadOnlySpan<double> column = columns.Slice(i * n, n);
            for (int j = 0; j <= i; j++)
                lower[i * n + j] = TensorPrimitives.Dot(column, columns.Slice(j * n, n));
            lower[i * n + i] += damping;
        }

        double[] solution = new double[n];
        for (int i = 0; i < n; i++)
        {
            Span<double> row = lower.AsSpan(i * n, n);
            for (int j = 0; j < i; j++)
                row[j] = (row[j] - TensorPrimitives.Dot<double>(row[..j], lower.AsSpan(j * n, j))) / lower[j * n + j];
            double pivot = row[i] - TensorPrimitives.SumOfSquares<double>(row[..i]);
            if (!(pivot > 0))
                return null;
            row[i] = Math.Sqrt(pivot);
            solution[i] = (-gradient[i] - TensorPrimitives.Dot<double>(row[..i], solution.AsSpan(0, i))) / row[i];
        }

        for (int i = n - 1; i >= 0; i--)
        {
            solution[i] /= lower[i * n + i];
            Span<double> before = solution.AsSpan(0, i);
            TensorPrimitives.MultiplyAdd<double>(lower.AsSpan(i * n, i), -solution[i], before, before);
        }

        return solution;
    }
}

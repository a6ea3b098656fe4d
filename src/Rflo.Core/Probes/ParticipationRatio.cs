using System.Numerics.Tensors;

namespace Rflo.Core;

/// <summary>In how many dimensions activity moves.</summary>
internal static class ParticipationRatio
{
    /// <summary>
    /// (sum lambda)^2 / sum lambda^2 over the eigenvalues of the covariance C, which is (tr C)^2 / |C|^2 and needs no eigenvalue.
    /// Between 1 and the smaller of units and steps - 1; NaN where nothing moves.
    /// </summary>
    /// <param name="rates">Shape (steps, units), row-major.</param>
    /// <param name="units">Units.</param>
    /// <remarks>Products of units where they are fewer than the steps, of steps otherwise: time O(units steps min(units, steps)).</remarks>
    public static double Of(double[] rates, int units)
    {
        int steps = rates.Length / units;
        bool byUnit = units <= steps;
        int rows = byUnit ? units : steps, columns = byUnit ? steps : units;
        double[] centred = new double[rates.Length];
        for (int i = 0; i < units; i++)
        {
            double mean = 0;
            for (int t = 0; t < steps; t++)
                mean += rates[t * units + i] / steps;
            for (int t = 0; t < steps; t++)
                centred[byUnit ? i * steps + t : t * units + i] = rates[t * units + i] - mean;
        }

        double trace = 0, square = 0;
        for (int i = 0; i < rows; i++)
        {
            ReadOnlySpan<double> row = centred.AsSpan(i * columns, columns);
            double own = TensorPrimitives.SumOfSquares(row);
            trace += own;
            square += own * own;
            for (int j = 0; j < i; j++)
            {
                double product = TensorPrimitives.Dot(row, centred.AsSpan(j * columns, columns));
                square += 2 * product * product;
            }
        }

        return square > 0 ? trace * trace / square : double.NaN;
    }
}
